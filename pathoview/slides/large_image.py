"""Pictures too large for memory: turned once, strip by strip, into a pyramid on disk.

The pyramid is lossless, lies in the user's cache folder under the hash of the picture's content,
and makes room for others when the folder grows.
"""

from __future__ import annotations

import logging
import os
import shutil
import struct
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyvips

from pathoview.core.errors import SlideError, StorageError
from pathoview.core.paths import cache_folder
from pathoview.core.translation import _
from pathoview.slides.identity import content_hash
from pathoview.slides.slide import Slide, SlideInfo
from pathoview.slides.tiff_opening import open_tiff_alone

_MAX_CACHE_BYTES = 20 << 30
_SPARE_BYTES = 1 << 30
_TILE_PX = 512
# Its messages name files, and a file's name may be a patient's.
logging.getLogger("pyvips").addHandler(logging.NullHandler())
logging.getLogger("pyvips").propagate = False

_DEEP_FORMATS = ("ushort", "uint", "float", "double")


def open_large(path: Path, facts: SlideInfo) -> Slide:
    """Open a picture of any size; ``facts`` are what its own file says (scale, profile)."""
    digest = content_hash(path)
    pyramid = cache_folder() / "pyramids" / f"{digest}.tif"
    if not pyramid.is_file():
        pyramid.parent.mkdir(exist_ok=True)
        try:
            _build(_upright(path), pyramid)
        except pyvips.Error as error:
            raise SlideError(
                _("The picture “{name}” is damaged or cut short.").format(name=path.name),
                _("Copy or export it again."),
            ) from error
    pyramid.touch()  # the one used last is the last to make room
    slide = open_tiff_alone(pyramid)
    slide.path, slide.content_hash = path, digest
    slide.info = replace(
        slide.info,
        reader="image",
        vendor=facts.vendor,
        mpp=facts.mpp,
        mpp_problem=facts.mpp_problem,
        icc_profile=facts.icc_profile,
        properties=facts.properties,
    )
    return slide


def _upright(path: Path) -> Any:
    """Return a lazy picture: upright, grey or RGB, without alpha."""
    image = _bitmap(path) or _lazy(path, access="sequential")
    if image.get_typeof("orientation") and image.get("orientation") != 1:
        image = _lazy(path).autorot()
    if image.interpretation == "cmyk":
        image = image.colourspace("srgb")
    if image.hasalpha():
        image = image.flatten(background=65535 if image.format in _DEEP_FORMATS else 255)
    return image


def _lazy(path: Path, **options: str) -> Any:
    return pyvips.Image.new_from_file(str(path), fail_on="truncated", **options)


def _bitmap(path: Path) -> Any:
    """Return an uncompressed 24-bit BMP, which libvips has no reader for; else None."""
    with path.open("rb") as file:
        head = file.read(34)
    if head[:2] != b"BM":
        return None
    start, width, height, _planes, bits, compression = struct.unpack("<10xI4xiiHHI", head)
    if bits != 24 or compression:
        raise SlideError(
            _("“{name}” is too large for its kind of BMP.").format(name=path.name),
            _("Save it as TIFF or PNG."),
        )
    row_bytes = (3 * width + 3) // 4 * 4
    samples = pyvips.Image.rawload(str(path), row_bytes, abs(height), 1, offset=start)
    blue, green, red = (
        samples.crop(band, 0, 3 * width - 2, abs(height)).subsample(3, 1) for band in range(3)
    )
    image = red.bandjoin([green, blue]).copy(interpretation="srgb")
    return image.flipver() if height > 0 else image


def _build(image: Any, pyramid: Path) -> None:
    sample_bytes = {"uchar": 1, "char": 1, "ushort": 2, "short": 2, "double": 8}
    per_pixel = image.bands * sample_bytes.get(image.format, 4)
    _make_room(pyramid.parent, image.width * image.height * per_pixel * 4 // 3)
    handle, name = tempfile.mkstemp(suffix=".part.tif", dir=pyramid.parent)
    os.close(handle)
    made = Path(name)
    try:
        image.tiffsave(
            name,
            tile=True,
            tile_width=_TILE_PX,
            tile_height=_TILE_PX,
            pyramid=True,
            bigtiff=True,
        )
        made.replace(pyramid)
    finally:
        made.unlink(missing_ok=True)


def _make_room(folder: Path, needed: int) -> None:
    """Remove the pyramids not used for longest; raise `StorageError` when that is not enough."""
    kept = sorted(folder.glob("*.tif"), key=lambda file: file.stat().st_mtime)
    total = sum(file.stat().st_size for file in kept)
    while kept and (
        total + needed > _MAX_CACHE_BYTES or shutil.disk_usage(folder).free < needed + _SPARE_BYTES
    ):
        oldest = kept.pop(0)
        total -= oldest.stat().st_size
        oldest.unlink()
    if shutil.disk_usage(folder).free < needed + _SPARE_BYTES:
        raise StorageError(
            _("There is no room for the {gigabytes:.1f} GB this large picture needs.").format(
                gigabytes=needed / 1e9
            ),
            _("Free some space on the disk of {folder}.").format(folder=folder),
        )
