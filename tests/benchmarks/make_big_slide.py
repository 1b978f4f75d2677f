"""Make a large JPEG pyramid from real tissue: `python tests/benchmarks/make_big_slide.py OUT.tif`.

Patches of a real slide are laid side by side in a random but fixed order, some of them mirrored;
the same arguments give the same file. It needs little memory whatever the size: libvips computes
and writes strip by strip (40,000 × 40,000 px: half a minute, 230 MiB of memory, 560 MB of file).
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import pyvips

from pathoview.slides.opening import open_slide

SHARED_DATA = Path(__file__).parents[3] / "shared" / "data"
SOURCES = ("slides/bcss/bcss_1008.tif", "slides/CMU-1-Small-Region.svs")
PATCH_PX = 1024


def make_big_slide(
    path: Path, side_px: int = 40_000, *, mpp: float = 0.25, source: Path | None = None
) -> Path:
    """Write a tiled JPEG pyramid of ``side_px`` × ``side_px`` to ``path``."""
    if source is None:
        source = next(SHARED_DATA / name for name in SOURCES if (SHARED_DATA / name).is_file())
    patches = _patches(source)
    n_patches = -(-side_px // PATCH_PX)
    order = np.random.default_rng(0).integers(len(patches), size=n_patches * n_patches)
    mosaic = pyvips.Image.arrayjoin([patches[index] for index in order], across=n_patches)
    mosaic.crop(0, 0, side_px, side_px).copy(
        interpretation="srgb", xres=1000 / mpp, yres=1000 / mpp
    ).tiffsave(
        str(path),
        compression="jpeg",
        Q=85,
        tile=True,
        tile_width=256,
        tile_height=256,
        pyramid=True,
        bigtiff=True,
        resunit="cm",
    )
    return path


def _patches(source: Path) -> list[Any]:
    """Return real patches that hold tissue, each in three mirrored forms."""
    found = []
    with open_slide(source) as slide:
        for y in range(0, slide.info.height - PATCH_PX + 1, PATCH_PX):
            for x in range(0, slide.info.width - PATCH_PX + 1, PATCH_PX):
                pixels = slide.read(0, x, y, PATCH_PX, PATCH_PX)
                if pixels.mean() < 225:
                    found.append(pyvips.Image.new_from_array(pixels))
    return [form for patch in found for form in (patch, patch.fliphor(), patch.flipver())]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("out", type=Path)
    parser.add_argument("--side", type=int, default=40_000, help="pixels (default 40000)")
    parser.add_argument("--mpp", type=float, default=0.25, help="µm per pixel (default 0.25)")
    parser.add_argument("--source", type=Path, help="a slide to take the tissue from")
    arguments = parser.parse_args()
    make_big_slide(arguments.out, arguments.side, mpp=arguments.mpp, source=arguments.source)


if __name__ == "__main__":
    main()
