"""What tests of maps and of pseudo-healthy pictures share: a slide, an order, what came out."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from makers import he_image, make_pyramid_tiff

from pathoview.core.progress import SilentProgress
from pathoview.slides.opening import open_slide
from pathoview.slides.reading import analysis_grid, read_patch
from pathoview.slides.tissue import tissue_mask
from pathoview.study.results import RunFile
from pathoview.tasks import analyze

Planes = npt.NDArray[np.uint8]
PART_L0 = [500, 402, 300, 250]
"""A part of the slide: x, y, width, height; a px of the planes is 2 level-0 px."""
_DIES = """
import json, os, signal, sys
from {module} import SPEC
from test_analyze import Listener
from pathoview.methods.registry import METHODS
from pathoview.tasks import analyze

def die(listener, kind):
    if len(listener.of_kind("tile")) == 3:
        os.kill(os.getpid(), signal.SIGKILL)

METHODS.add(SPEC)
analyze.run(json.loads(sys.argv[1]), Listener(die))
"""


def make_scene(factory: pytest.TempPathFactory) -> Path:
    """Write a slide of tissue with glass round it."""
    path = factory.mktemp("slides") / "scene.tiff"
    return make_pyramid_tiff(path, he_image(1500, 1100, glass_px=200))


def request(slide: Path, model: Path, **changes: Any) -> dict[str, Any]:
    return {"slide": str(slide), "model": str(model), "tile_px": 128, "n_computers": 1} | changes


def planes_of(result: Mapping[str, Any]) -> Planes:
    """Return all planes of the whole slide that a run has kept."""
    with RunFile.open(Path(result["run_file"])) as run:
        is_map = run.record.gives == "pixel"
        rows = run.map_rows() if is_map else run.synthesis_rows()
        return rows.area(0, 0, 0, *run.record.grid_px)


def analyzed(slide: Path, model: Path, **changes: Any) -> Planes:
    return planes_of(analyze.run(request(slide, model, **changes), SilentProgress()))


def seen_at_once(path: Path) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """Return the whole slide at 1 µm, and where tissue is."""
    with open_slide(path) as slide:
        grid = analysis_grid(slide, 1.0)
        patch = read_patch(slide, grid, 0, 0, grid.width, grid.height)
        tissue, scale = tissue_mask(slide), grid.scale_l0
    y, x = (
        ((np.arange(n) + 0.5) * scale // tissue.downsample).astype(int) for n in patch.shape[:2]
    )
    return patch, tissue.mask[np.ix_(y, x)]


def killed_at_its_third_tile(module: str, order: Mapping[str, Any]) -> None:
    """Run an order in a process of its own that is killed; ``module`` has the method's `SPEC`."""
    folders = os.pathsep.join(map(str, (Path(__file__).parent, Path(__file__).parents[1])))
    child = subprocess.run(
        [sys.executable, "-c", _DIES.format(module=module), json.dumps(order)],
        env={**os.environ, "PYTHONPATH": folders},
        check=False,
    )
    assert child.returncode == -signal.SIGKILL


def part_of(planes: Planes) -> Planes:
    """Return what is left of the planes of a whole slide in the part `PART_L0`."""
    inside = np.zeros(planes.shape[1:], bool)
    inside[201:326, 250:400] = True
    return planes * inside
