"""What the bundled encoder learns from: two views of the same place in pictures of H&E.

The pictures are those of free licences (public domain, CC0, MIT, BSD) that `SOURCES` names. A view
is a square of tissue; the other view of its pair lies up to half a side away and is up to a fifth
larger or smaller, so that what is equal in both is the kind of tissue, and its scale.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.slides.identity import content_hash
from pathoview.slides.opening import open_slide
from pathoview.slides.stains import OPTICAL_DENSITY, TISSUE_OD

Rgb = npt.NDArray[np.uint8]
Rng = np.random.Generator


@dataclass(frozen=True)
class Source:
    """Pictures of one origin; ``mpp`` is stated where the pictures state it, else judged by eye."""

    pattern: str
    mpp: float
    share: float
    """Of all views."""
    licence: str


SOURCES = (
    Source("regions/camelyon/images/*.jpg", 0.5, 0.35, "CC0-1.0"),
    Source("slides/CMU-1-Small-Region.svs", 0.499, 0.15, "CC0-1.0"),
    Source("slides/bcss/bcss_1008.tif", 0.25, 0.15, "CC0-1.0"),
    Source("slides/prostate_2500_pyramid.tiff", 0.4, 0.15, "MIT"),
    Source("polygons/hgsc_nest.jpg", 0.25, 0.10, "BSD-3-Clause"),
    Source("nuclei/DSB2018_HE/images/*.jpg", 0.25, 0.10, "CC0-1.0"),
)
_HELD_BACK = 5
"""One picture of so many is held back, or that part of a picture that stands alone."""
_MPP = 0.4, 0.7
"""Range of the first view's µm per px."""
_SIZE = 1.2
"""Most by which the second view is larger or smaller."""
_SHIFT = 0.5
"""Most by which it lies away, in sides."""
_LEAST_TISSUE = 0.4
_TRIES = 30
_LOOK_PX = 16
"""Side of the small view in which tissue is looked for."""


@dataclass(frozen=True)
class Picture:
    """A picture, or a part of one, that views are cut from."""

    name: str
    rgb: Rgb
    mpp: float
    source: Source
    hash: str
    is_held_back: bool


@dataclass(frozen=True)
class Place:
    """A square of a picture, px."""

    x: float
    y: float
    length: float

    def is_on(self, other: Place) -> bool:
        """Say whether the two have pixels in common."""
        apart = max(abs(self.x - other.x), abs(self.y - other.y))
        return apart < max(self.length, other.length)


def read_pictures(data: Path) -> list[Picture]:
    """Return all pictures below a folder, in the order of `SOURCES` and of their names."""
    found: list[Picture] = []
    for source in SOURCES:
        paths = sorted(data.glob(source.pattern))
        if not paths:
            raise SystemExit(f"{data} has no {source.pattern}")
        for place, path in enumerate(paths):
            with open_slide(path) as slide:
                rgb = slide.read(0, 0, 0, slide.info.width, slide.info.height)[..., :3]
            is_held_back = place % _HELD_BACK == _HELD_BACK - 1
            whole = Picture(path.stem, rgb, source.mpp, source, content_hash(path), is_held_back)
            found += [whole] if len(paths) > 1 else _parted(whole)
    return found


def _parted(whole: Picture) -> list[Picture]:
    """Return the left of a picture, to learn from, and its right, held back."""
    edge = whole.rgb.shape[1] * (_HELD_BACK - 1) // _HELD_BACK
    left = replace(whole, rgb=whole.rgb[:, :edge])
    right = replace(whole, name=f"{whole.name} right", rgb=whole.rgb[:, edge:], is_held_back=True)
    return [left, right]


def pairs(
    rng: Rng, pictures: Sequence[Picture], n_groups: int, n_each: int, side: int
) -> tuple[Rgb, Rgb]:
    """Return two views of each of some places, (n_groups · n_each, side, side, 3).

    A group is of one source: its places are alike in stain and scanner, so that nothing is won by
    telling those. No two places of a batch lie on each other, as far as there is room.
    """
    sources = sorted({one.source for one in pictures}, key=SOURCES.index)
    shares = np.array([one.share for one in sources])
    taken: dict[int, list[Place]] = {}
    made = []
    for chosen in rng.choice(len(sources), n_groups, p=shares / shares.sum()):
        own = [one for one in pictures if one.source == sources[chosen]]
        for _ in range(n_each):
            picture = own[rng.integers(len(own))]
            places = taken.setdefault(id(picture), [])
            place = _place(rng, picture, side, places)
            places.append(place)
            made.append((_view(picture.rgb, place, side), _beside(rng, picture, place, side)))
    first, second = zip(*made, strict=True)
    return np.stack(first), np.stack(second)


def _place(rng: Rng, picture: Picture, side: int, taken: Sequence[Place]) -> Place:
    """Return a place of tissue, preferably on none that is taken."""
    height, width = picture.rgb.shape[:2]
    mpp = float(np.exp(rng.uniform(*np.log(_MPP))))
    length = min(side * mpp / picture.mpp, min(height, width) / _SIZE)
    for _ in range(_TRIES):
        place = Place(rng.uniform(0, width - length), rng.uniform(0, height - length), length)
        if any(place.is_on(other) for other in taken):
            continue
        density = OPTICAL_DENSITY[_view(picture.rgb, place, _LOOK_PX)].mean(axis=2)
        if float(np.mean(density > TISSUE_OD)) >= _LEAST_TISSUE:
            break
    return place


def _beside(rng: Rng, picture: Picture, place: Place, side: int) -> Rgb:
    """Return the second view of a place."""
    height, width = picture.rgb.shape[:2]
    length = place.length * float(np.exp(rng.uniform(-1, 1) * np.log(_SIZE)))
    dx, dy = rng.uniform(-_SHIFT, _SHIFT, 2) * place.length + (place.length - length) / 2
    x = float(np.clip(place.x + dx, 0, width - length))
    y = float(np.clip(place.y + dy, 0, height - length))
    return _view(picture.rgb, Place(x, y, length), side)


def _view(rgb: Rgb, place: Place, side: int) -> Rgb:
    left, top, n = int(place.x), int(place.y), max(1, int(place.length))
    cut = rgb[top : top + n, left : left + n]
    way = cv2.INTER_AREA if n > side else cv2.INTER_LINEAR
    return np.asarray(cv2.resize(cut, (side, side), interpolation=way), np.uint8)
