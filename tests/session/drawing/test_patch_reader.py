from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from makers import he_image, make_pyramid_tiff

from pathoview.core.geometry import Rect
from pathoview.session.drawing.patch_reader import PatchReader
from pathoview.slides.opening import open_slide

IMAGE = he_image(1000, 700)


@pytest.fixture
def reader(tmp_path: Path) -> Iterator[PatchReader]:
    path = make_pyramid_tiff(tmp_path / "slide.tif", IMAGE, n_levels=2, compression=None)
    with open_slide(path) as slide:
        yield PatchReader(slide)


def test_pixels_are_where_they_belong(reader: PatchReader) -> None:
    patch = reader.read(Rect(100.5, 60.2, 50, 40), 1.0)
    assert patch is not None
    assert (patch.origin_l0, patch.downsample) == ((100.0, 60.0), 1.0)
    assert (patch.rgb == IMAGE[60:101, 100:151]).all()


def test_a_level_is_shrunk_by_a_whole_factor(reader: PatchReader) -> None:
    patch = reader.read(Rect(100, 60, 300, 200), 6.3)
    assert patch is not None
    assert patch.downsample == 6.0
    left, top = (round(place) for place in patch.origin_l0)
    of_picture = IMAGE[top : top + 6 * patch.height, left : left + 6 * patch.width]
    means = of_picture.reshape(patch.height, 6, patch.width, 6, 3).mean(axis=(1, 3))
    assert np.abs(means - patch.rgb).max() < 2
    right, bottom = patch.to_l0((patch.width, patch.height))
    assert left <= 100
    assert top <= 60
    assert right >= 400
    assert bottom >= 260


def test_beside_the_slide_there_is_nothing(reader: PatchReader) -> None:
    assert reader.read(Rect(2000, 0, 10, 10), 1.0) is None
    patch = reader.read(Rect(-50, -50, 100, 100), 1.0)
    assert patch is not None
    assert patch.origin_l0 == (0.0, 0.0)
    assert (patch.width, patch.height) == (50, 50)


def test_a_large_rectangle_is_read_coarser(reader: PatchReader) -> None:
    patch = reader.read(Rect(0, 0, 1000, 700), 0.1)
    assert patch is not None
    assert patch.downsample == 1.0
    assert max(patch.width, patch.height) <= 2048
