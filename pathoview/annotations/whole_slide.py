"""Annotations that a slide itself gives: all of it, and all of its tissue."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import numpy as np
import numpy.typing as npt
import shapely
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.feature import Feature
from pathoview.annotations.operations import Given
from pathoview.annotations.shape_sources import mask_shape
from pathoview.annotations.shapes import intersect
from pathoview.core.translation import _

MADE: Mapping[str, str] = MappingProxyType(
    {"full-image": _("Full image annotation"), "tissue": _("Tissue annotation")}
)
"""What they are called in the history; shown through ``_(title)``."""
_TOLERANCE_PX = 1.0
"""By so much of a px of the mask its edge may be straightened: that takes the steps away."""


def full_image(width_l0: int, height_l0: int, given: Given) -> Feature:
    """Return an annotation of the whole slide; it is locked, so that no drag moves it."""
    return _new(shapely.box(0, 0, width_l0, height_l0), given, is_locked=True)


def tissue(
    mask: npt.NDArray[np.bool_], downsample: float, width_l0: int, height_l0: int, given: Given
) -> Feature | None:
    """Return an annotation of what is set in a mask of a slide; None when nothing is.

    ``downsample`` is level-0 px per px of the mask, which begins at the slide's top-left corner.
    """
    outline = mask_shape(mask, downsample, tolerance_px=_TOLERANCE_PX)
    inside = outline and intersect(outline, shapely.box(0, 0, width_l0, height_l0))
    return None if inside is None else _new(inside, given, name=_("Tissue"))


def _new(shape: BaseGeometry, given: Given, **members: Any) -> Feature:
    return Feature(
        shape,
        id=uuid.uuid4(),
        classification=given.classification,
        created=given.time,
        author=given.author,
        **members,
    )
