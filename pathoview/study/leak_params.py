"""What a check for leaks can be told; the form and the command line are made from it."""

from __future__ import annotations

from typing import Literal

from pathoview.core.params import BaseParams, param
from pathoview.core.translation import _


class LeakParams(BaseParams):
    """How slides are shared out where nobody did, and what is looked for."""

    split: str = param(
        "train=0.8,val=0.2",
        _("Split"),
        _("Shares of slides, where they are not in splits yet."),
    )
    by: Literal["patient", "slide"] = param(
        "patient",
        _("Never in two splits"),
        _("Slides of one patient stay together, or each slide."),
    )
    seed: int = param(1, _("Seed"), _("Another one gives other splits."), ge=0, le=2**31 - 1)
    alike: bool = param(
        True,
        _("Look for alike pictures"),
        _("Also those that are not copies: turned by any angle, or overlapping."),
    )
    names: bool = param(
        False,
        _("Show names"),
        _("File names and patients instead of pseudonyms; they can tell who it is."),
    )
