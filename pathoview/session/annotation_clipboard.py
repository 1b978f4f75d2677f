"""Annotations that go from slide to slide, inside the program."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import shapely
from shapely import affinity

from pathoview.annotations.feature import Feature
from pathoview.annotations.operations import copied
from pathoview.annotations.shapes import tidy
from pathoview.slides.slide import Slide


@dataclass(frozen=True, slots=True)
class CopiedAnnotations:
    """Annotations as they lay on a slide."""

    features: tuple[Feature, ...]
    slide_hash: str
    mpp: tuple[float, float] | None
    """µm per level-0 px (x, y) of that slide."""

    @classmethod
    def of(cls, features: Sequence[Feature], slide: Slide) -> CopiedAnnotations:
        return cls(tuple(features), slide.content_hash, slide.info.mpp)

    def on(self, slide: Slide, time: str, author: str) -> list[Feature]:
        """Return copies for a slide, of the same size in µm where both have a scale, else in px.

        Those that would lie beside the slide altogether are left out; so are measurements where
        pixels are others.
        """
        factors = (1.0, 1.0)
        if self.mpp is not None and slide.info.mpp is not None:
            factors = (self.mpp[0] / slide.info.mpp[0], self.mpp[1] / slide.info.mpp[1])
        is_same = slide.content_hash == self.slide_hash
        picture = shapely.box(0, 0, slide.info.width, slide.info.height)
        pasted = []
        for feature in self.features:
            shape = feature.geometry
            if factors != (1.0, 1.0):
                shape = tidy(affinity.scale(shape, *factors, origin=(0, 0)), shape)
            if shape is not None and shapely.intersects(shape, picture):
                copy = copied(feature, time, author)
                said = feature.measurements if is_same else {}
                origin = feature.origin if is_same else ""
                pasted.append(replace(copy, geometry=shape, measurements=said, origin=origin))
        return pasted
