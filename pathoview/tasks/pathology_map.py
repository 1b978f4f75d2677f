"""Where a method that shows tissue as if it were healthy sees pathology, as a map of two classes.

So that it is scored as maps are, and against them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from pathoview.core.translation import _
from pathoview.methods.model import ModelClass
from pathoview.methods.spec import Kind, SynthesisMethod
from pathoview.slides.slide import Slide
from pathoview.tasks.method_building import BuiltMethod
from pathoview.tasks.run_records import pathology_class


@dataclass(frozen=True, slots=True)
class _PathologyMap:
    """See `spec.PixelMethod`; the picture is left aside."""

    method: SynthesisMethod

    def prepare(self, slide: Slide, mpp: float) -> Mapping[str, Any]:
        return self.method.prepare(slide, mpp)

    def predict(
        self, patch: npt.NDArray[np.uint8], mpp: float, context: Mapping[str, Any]
    ) -> npt.NDArray[np.float32]:
        pathology = self.method.predict(patch, mpp, context).pathology
        return np.stack([1 - pathology, pathology], axis=2)


def as_map(built: BuiltMethod) -> BuiltMethod:
    """Return a method that tells pathology from everything else; all other kinds as they are."""
    if built.spec.kind is not Kind.SYNTHESIS or built.card is None:
        return built
    pathology = pathology_class(built.card)
    classes = (
        ModelClass(name=_("Background")),
        ModelClass(name=pathology.name, color=pathology.color),
    )
    return replace(
        built,
        spec=replace(built.spec, kind=Kind.PIXEL),
        method=_PathologyMap(built.method),
        card=built.card.model_copy(update={"classes": classes, "kind": Kind.PIXEL.value}),
    )
