"""What is told of a search for similar cases, the same on the command line and in the window."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pathoview.core.translation import _, ngettext


def words_of(result: Mapping[str, Any]) -> dict[str, Any]:
    """Return sentences about the result of `similar_cases.run`.

    ``count``: how many are of each state; ``notes``: which cases were compared, and which were not
    and why; ``precision``: how often such lists are right, empty where the model does not say.
    """
    return {
        "count": _count(result["states"]),
        "notes": [*_compared(result), *_left_out(result["left_out"])],
        "precision": _precision(result["precision"]),
    }


def _count(states: Sequence[Mapping[str, Any]]) -> str:
    parts = [f"{one['n']} {one['name'] or _('without a label')}" for one in states]
    n = sum(one["n"] for one in states)
    return _("Of {n}: {parts}").format(n=n, parts=", ".join(parts))


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
    said = [words.format(n=result[name]) for name, words in counted.items() if result[name]]
    if not result["is_patient_known"]:
        said.append(
            _("Nobody says of which patient the slide is: others of that patient may be listed.")
        )
    return said


def _left_out(left_out: Sequence[Mapping[str, str]]) -> list[str]:
    words = _("{slide} is left out. {reason}")
    return [words.format(slide=one["slide"], reason=one["reason"]) for one in left_out]


def _precision(precision: Mapping[str, float] | None) -> str:
    """``precision``: of the first case, of the first five, and by chance, of 1."""
    if precision is None:
        return ""
    return _(
        "In cross-validation, {at_1:.0%} of the first cases and {at_5:.0%} of the first five were "
        "of the slide's class; of cases picked by chance {chance:.0%}."
    ).format(**precision)
