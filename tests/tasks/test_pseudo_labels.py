"""What a method makes of labels is computed for what is seen, and lies where it belongs."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from teaching import teach_study

from pathoview.core.errors import UsageError
from pathoview.core.progress import SilentProgress
from pathoview.core.registry import Registry
from pathoview.methods.registry import METHODS
from pathoview.tasks import pseudo_labels, train

seen: list[tuple[tuple[int, ...], npt.NDArray[np.float64], float, Any]] = []


def dots(
    patch: npt.NDArray[np.uint8],
    points: npt.NDArray[np.float64],
    mpp: float,
    params: Any,
    is_none: npt.NDArray[np.bool_],
) -> npt.NDArray[np.uint8]:
    """Say “nucleus” at each point, and nothing elsewhere."""
    assert is_none.shape == patch.shape[:2]
    seen.append((patch.shape, points, mpp, params))
    mask = np.full(patch.shape[:2], 255, np.uint8)
    columns, rows = points.astype(int).T
    mask[rows, columns] = 1
    return mask


@pytest.fixture(autouse=True)
def method(monkeypatch: pytest.MonkeyPatch) -> None:
    seen.clear()
    forest = METHODS.get("pixel_forest")
    by_points = replace(
        forest, name="dots", learns_from="points", mpp=0.5, pseudo_labels_entry=f"{__name__}:dots"
    )
    monkeypatch.setattr(train, "METHODS", Registry("method", (forest, by_points)))


def order(study: Path, slide: Path, **more: Any) -> dict[str, Any]:
    region = {"region_l0": (100, 80, 120, 140)}
    return {"method": "dots", "slide": str(slide), "study": str(study), **region, **more}


def test_the_mask_lies_over_what_is_seen(tmp_path: Path) -> None:
    study, slide = teach_study(tmp_path, "points")
    result = pseudo_labels.run(order(study, slide), SilentProgress())
    mask = np.load(result["file"])
    assert mask.shape == (140, 120)
    assert result["corner_l0"] == [100, 80]
    assert result["scale_l0"] == 1.0
    ((shape, points, mpp, params),) = seen
    assert mpp == 0.5
    assert type(params) is METHODS.get("pixel_forest").fit_params
    halo_px = round(METHODS.get("pixel_forest").halo_um / 0.5)
    corner = np.maximum([100 - halo_px, 80 - halo_px], 0)
    assert shape[0] == min(80 + 140 + halo_px, 320) - corner[1]
    inside = points + corner - [100, 80]
    is_in = (inside >= 0).all(axis=1) & (inside < (120, 140)).all(axis=1)
    assert 0 < is_in.sum() < len(points)
    assert (mask == 1).sum() == is_in.sum()
    assert [name for _value, name, _color in result["classes"]] == ["Background", "Nucleus"]


def test_without_labels_the_mask_says_nothing(tmp_path: Path) -> None:
    study, slide = teach_study(tmp_path, "nothing")
    result = pseudo_labels.run(order(study, slide), SilentProgress())
    assert (np.load(result["file"]) == result["nothing"]).all()
    beside = pseudo_labels.run(order(study, slide, region_l0=(9000, 0, 10, 10)), SilentProgress())
    assert beside == {}


def test_methods_that_make_nothing_of_labels_are_refused(tmp_path: Path) -> None:
    study, slide = teach_study(tmp_path, "points")
    with pytest.raises(UsageError, match="labels themselves"):
        pseudo_labels.run(order(study, slide, method="pixel_forest"), SilentProgress())
