"""What PathoView is not: said at the first start, in About, and in every export."""

from __future__ import annotations

from pathoview.core.translation import _

RESEARCH_USE = _(
    "PathoView is for research use only. It is not a medical device, and its results must not be "
    "used for the diagnosis or treatment of patients."
)

EVIDENCE_ONLY = _("Research use only: retrieval shows evidence, it is not a diagnosis.")
"""Said wherever similar cases are listed."""
