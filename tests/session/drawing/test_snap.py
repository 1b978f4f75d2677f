from __future__ import annotations

import math

import numpy as np
import pytest
from drawing_scenes import flat_patch, middle_l0, stained_patch
from makers import he_scene

from pathoview.session.drawing.patch import Patch
from pathoview.session.drawing.snap import snapped
from pathoview.slides.stains import H_DAB, H_E, StainMatrix

MPP = 0.5


@pytest.mark.parametrize("stains", [H_E, H_DAB])
@pytest.mark.parametrize(("dx", "dy"), [(0, 0), (9, 4), (-12, 10)])
def test_a_click_near_a_nucleus_goes_to_its_middle(
    stains: StainMatrix, dx: float, dy: float
) -> None:
    patch = stained_patch(stains, (0.8, 0.1), radius_px=7)
    x, y = middle_l0(patch)
    found = snapped(patch, x + dx, y + dy, mpp=MPP, stains=stains)
    assert found is not None
    assert math.dist(found, (x, y)) <= 2 * patch.downsample


def test_dab_counts_when_any_stain_does() -> None:
    patch = stained_patch(H_DAB, (0.0, 0.9), radius_px=7)
    x, y = middle_l0(patch)
    assert snapped(patch, x + 6, y, mpp=MPP, stains=H_DAB) is None
    found = snapped(patch, x + 6, y, mpp=MPP, stains=H_DAB, stained="any")
    assert found is not None
    assert math.dist(found, (x, y)) <= 2 * patch.downsample


def test_what_is_further_than_the_radius_is_left_alone() -> None:
    patch = stained_patch(H_E, (0.8, 0.1), radius_px=7)
    x, y = middle_l0(patch)
    far = 20 * patch.downsample  # 10 µm
    assert snapped(patch, x + far, y, mpp=MPP, stains=H_E) is None
    assert snapped(patch, x + far, y, mpp=MPP, stains=H_E, radius_um=12) is not None


def test_in_a_field_of_nuclei_it_is_the_nearest_one() -> None:
    scene = he_scene(160, 160, 4)
    patch = Patch(scene.rgb, (0, 0), 1.0)
    hits = []
    for label in range(1, int(scene.labels.max()) + 1):
        rows, cols = np.nonzero(scene.labels == label)
        found = snapped(patch, cols.mean() + 3, rows.mean() - 2, mpp=MPP, stains=H_E)
        hits.append(found is not None and scene.labels[int(found[1]), int(found[0])] == label)
    assert len(hits) > 20
    assert np.mean(hits) > 0.9


@pytest.mark.parametrize("value", [0, 130, 255])
def test_a_flat_patch_says_nothing_new(value: int) -> None:
    patch = flat_patch(value=value)
    found = snapped(patch, 1031, 531, mpp=MPP, stains=H_E)
    assert found is None or math.dist(found, (1031, 531)) <= 1


def test_white_and_what_lies_beside_the_patch_have_no_maximum() -> None:
    assert snapped(flat_patch(value=255), 1031, 531, mpp=MPP, stains=H_E) is None
    assert snapped(flat_patch(value=255), 0, 0, mpp=MPP, stains=H_E) is None
    assert snapped(flat_patch(1, 1, 255), 1001, 501, mpp=MPP, stains=H_E) is None
