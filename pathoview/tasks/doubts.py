"""What a card says against its own scores, in words: chance, and the size of slides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pathoview.core.translation import _
from pathoview.tasks.shuffled_labels import PREFIX

_LIKELY = 0.05
"""A p-value above says that chance may do as well."""
_STRONG = 0.5
"""A correlation with the size of slides that is worth a warning."""

Scores = Mapping[str, float]
Intervals = Mapping[str, tuple[float, float]]


def chance_told(scores: Scores) -> str:
    """Return how well labels did that were shuffled, as a sentence; empty: nobody has tried."""
    if f"{PREFIX}p" not in scores:
        return ""
    return _(
        "With labels that patients had exchanged, the AUROC was {mean:.3f} ± {sd:.3f} in {n:.0f} "
        "trainings: p = {p:.2g}."
    ).format(
        mean=scores[f"{PREFIX}auroc"],
        sd=scores[f"{PREFIX}auroc_sd"],
        n=scores[f"{PREFIX}n"],
        p=scores[f"{PREFIX}p"],
    )


def doubts(scores: Scores, intervals: Intervals, names: Sequence[str]) -> list[str]:
    """Return what speaks against the scores of a cross-validation, a sentence each.

    ``names``: of the classes; slides of the first one have nothing of what is looked for.
    """
    found = []
    n, p = scores.get(f"{PREFIX}n", 0.0), scores.get(f"{PREFIX}p", 0.0)
    n_as_good = round(p * (n + 1)) - 1
    if p > _LIKELY and n_as_good > 0:
        text = _(
            "Chance may do as well: {k} of {n:.0f} trainings on shuffled labels reached this AUROC."
        )
        found.append(text.format(k=n_as_good, n=n))
    rho = scores.get("size.rho_negative", 0.0)
    low, high = intervals.get("size.rho_negative", (0.0, 0.0))
    if abs(rho) >= _STRONG and low * high > 0:
        text = (
            _("Of slides with “{name}”, larger ones get higher scores (rho {rho:.2f}): {why}.")
            if rho > 0
            else _("Of slides with “{name}”, larger ones get lower scores (rho {rho:.2f}): {why}.")
        )
        why = _("what is told may be how much tissue there is")
        found.append(text.format(name=names[0], rho=rho, why=why))
    return found
