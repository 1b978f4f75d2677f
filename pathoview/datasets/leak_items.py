"""What the leak audit looks at: items with what is said of them, and what their pixels show."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import cv2
import numpy as np
import numpy.typing as npt

Rgb = npt.NDArray[np.uint8]
Embed = Callable[[Rgb], npt.NDArray[np.float64]]
"""(height, width, 3) RGB → (d,): what looks alike has a cosine near 1."""

N_SYMMETRIES = 8
_HASHED_PX = 32
_PLAIN_SD = 1.5
"""Grey levels; what varies less, such as glass, has a perceptual hash of noise only."""


@dataclass(frozen=True, slots=True)
class Picture:
    """The pixels of an item; of a slide those of a small picture of it."""

    rgb: Rgb
    """(height, width, 3)."""
    width: int
    """Of the item itself, px."""
    height: int
    scanner: str = ""
    """What the file says of the device, or of the program that wrote it."""


@dataclass(frozen=True, slots=True)
class LeakItem:
    """An image, a tile or a slide, its split, and what is said of it; empty: nobody says."""

    name: str
    """As it is shown; a pseudonym unless somebody asked for names."""
    split: str
    load: Callable[[], Picture]
    """May raise `InputError`: the item is told of as unread."""
    patient: str = ""
    slide: str = ""
    block: str = ""
    site: str = ""
    date: str = ""
    """Begins with YYYY-MM-DD."""
    label: str = ""
    tokens: frozenset[str] = frozenset()
    """Words of the file's name; never shown."""
    metadata: Mapping[str, str] = field(default_factory=dict)

    @property
    def shared(self) -> tuple[str, ...]:
        """What ties it to others; see `splits.linked_groups`."""
        said = (("patient", self.patient), ("slide", self.slide), ("block", self.block))
        return tuple(f"{kind} {name}" for kind, name in said if name)


@dataclass(frozen=True, slots=True)
class Look:
    """What the pixels of an item show."""

    digest: bytes
    """SHA-1 of the pixels and their shape, so that it does not matter how they were packed."""
    hashes: npt.NDArray[np.uint64]
    """(8,) perceptual hashes, of it as it is and turned and mirrored in all ways."""
    is_plain: bool
    """Too even for its perceptual hashes to mean anything."""
    width: int
    height: int
    mean_rgb: tuple[float, float, float]
    scanner: str
    embedding: npt.NDArray[np.float64] | None


def look_at(picture: Picture, embed: Embed | None = None) -> Look:
    """Return what a picture shows."""
    rgb = np.ascontiguousarray(picture.rgb)
    digest = hashlib.sha1(repr(rgb.shape).encode(), usedforsecurity=False)
    digest.update(rgb.data)
    grey = cv2.cvtColor(rgb, cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (_HASHED_PX, _HASHED_PX), interpolation=cv2.INTER_AREA)
    red, green, blue = rgb.reshape(-1, 3).mean(axis=0).tolist()
    return Look(
        digest=digest.digest(),
        hashes=_hashes(np.asarray(small, np.uint8)),
        is_plain=float(small.std()) < _PLAIN_SD,
        width=picture.width,
        height=picture.height,
        mean_rgb=(red, green, blue),
        scanner=picture.scanner,
        embedding=None if embed is None else embed(rgb),
    )


def _hashes(small: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    # Imported when it is needed: it brings wavelets and half of scipy.
    import imagehash
    from PIL import Image

    turned = [np.rot90(side, turns) for side in (small, small.T) for turns in range(4)]
    bits = [imagehash.phash(Image.fromarray(np.ascontiguousarray(one))).hash for one in turned]
    return np.packbits(np.array(bits).reshape(N_SYMMETRIES, -1), axis=1).view(np.uint64)[:, 0]
