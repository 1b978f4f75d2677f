"""What is told of a search for similar cases, the same on the command line and in the window."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pathoview.core.translation import _, ngettext

N_FIRST = 5
"""So many are counted apart, as many as the precision is told of."""


def words_of(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return sentences about the result of `similar_cases.run`.

    ``count``: how many are of each state; ``first``: the same of the first ones, empty where no
    more are listed; ``notes``: which cases were compared, and which were not and why;
    ``precision``: how often such lists are right, empty where the model does not say.
    """
    return {
        "first": _first(result["similar"]),
        "count": _count({one["name"]: one["n"] for one in result["states"]}, _("Of {n}: {parts}")),
        "notes": [*_compared(result), *_warnings(result), *_left_out(result["left_out"])],
        "precision": _precision(result["precision"]),
    }


def _first(found: Sequence[Mapping[str, Any]]) -> str:
    if len(found) <= N_FIRST:
        return ""
    counts = Counter(str(one["state"]) for one in found[:N_FIRST])
    return _count(dict(counts.most_common()), _("Of the first {n}: {parts}"))


def _count(counts: Mapping[str, int], words: str) -> str:
    parts = [f"{n} {name or _('without a label')}" for name, n in counts.items()]
    return words.format(n=sum(counts.values()), parts=", ".join(parts))


def _compared(result: Mapping[str, Any]) -> list[str]:
    counted = {
        "n_compared": ngettext("{n} case compared.", "{n} cases compared.", result["n_compared"]),
        "n_same_patient": ngettext(
            "{n} of the same patient or case is left out.",
            "{n} of the same patient or case are left out.",
            result["n_same_patient"],
        ),
        "n_copies": ngettext(
            "{n} copy is left out.", "{n} copies are left out.", result["n_copies"]
        ),
        "n_without": ngettext(
            "{n} was never described for this model, and is not compared.",
            "{n} were never described for this model, and are not compared.",
            result["n_without"],
        ),
        "n_unfound": ngettext(
            "{n} row of the table names no picture of the folder.",
            "{n} rows of the table name no picture of the folder.",
            result["n_unfound"],
        ),
    }
    return [words.format(n=result[name]) for name, words in counted.items() if result[name]]


def _warnings(result: Mapping[str, Any]) -> Iterator[str]:
    if result["is_learned_from"]:
        yield _(
            "The model learned from this slide: that it finds cases with the slide's label tells "
            "nothing new."
        )
    if not result["is_patient_known"]:
        yield _("Nobody says of which patient the slide is: others of that patient may be listed.")


def _left_out(left_out: Sequence[Mapping[str, str]]) -> list[str]:
    words = _("{slide} is left out. {reason}")
    return [words.format(slide=one["slide"], reason=one["reason"]) for one in left_out]


def _precision(precision: Mapping[str, Mapping[str, float]] | None) -> str:
    if precision is None:
        return ""
    return _(
        "In cross-validation, {at_1} of the first cases and {at_5} of the first five were of the "
        "slide's class; of cases picked by chance {chance:.0%}."
    ).format(
        at_1=_share(precision["at_1"]),
        at_5=_share(precision["at_5"]),
        chance=precision["chance"]["value"],
    )


def _share(said: Mapping[str, float]) -> str:
    if "low" not in said:
        return f"{said['value']:.0%}"
    return _("{value:.0%} (95 %: {low:.0%}–{high:.0%})").format(**said)
