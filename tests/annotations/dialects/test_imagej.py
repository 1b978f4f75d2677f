"""ImageJ's regions of interest: the real set, and the way there and back."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np
import pytest
import shapely
from dialect_helpers import (
    CLASSES,
    FEW,
    TEXT,
    apart,
    features_in,
    lines,
    points,
    polygons,
    said,
    same_shape,
    there_and_back,
)
from hypothesis import given
from hypothesis import strategies as st
from roifile import ROI_TYPE, ImagejRoi

from pathoview.annotations.dialects.formats import recognise
from pathoview.annotations.feature import Feature
from pathoview.core.errors import AnnotationFileError
from pathoview.core.pyramid import Plane

_TEXT = TEXT.map(lambda text: "".join(char for char in text if ord(char) < 1 << 16))


def test_the_real_set_opens_packed_together_with_its_picture(shared_data: Path) -> None:
    path = shared_data / "annotations" / "cryonuseg_imagej_TCGA-DE-A4MA.zip"
    found, _notes = features_in(path)
    assert len(found) == 59
    n_parts = [shapely.get_num_geometries(one.geometry) for one in found]
    assert (n_parts.count(1), n_parts.count(2)) == (58, 1)  # one stroke runs past its beginning
    assert found[0].name == "0403-0113"
    # ImageJ names a region by the row and column of its middle
    for one in found:
        row, column = (int(part) for part in one.name.split("-")[:2])
        left, top, right, bottom = one.geometry.bounds
        assert abs((top + bottom) / 2 - row) <= 1
        assert abs((left + right) / 2 - column) <= 1


def test_one_region_is_known_by_its_first_bytes(tmp_path: Path) -> None:
    path = tmp_path / "file"
    ImagejRoi.frompoints(np.array([[1, 2], [11, 2], [11, 12]]), name="one").tofile(path)
    (one,), _notes = features_in(path)
    assert one.name == "one"
    assert one.geometry.area == 50


def test_rectangles_ovals_and_groups(tmp_path: Path) -> None:
    path = tmp_path / "set.zip"
    box = ImagejRoi(roitype=ROI_TYPE.RECT, left=1, top=2, right=11, bottom=22, group=3)
    oval = ImagejRoi(roitype=ROI_TYPE.OVAL, left=1, top=2, right=11, bottom=22)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a.roi", box.tobytes())
        archive.writestr("b.roi", oval.tobytes())
        archive.writestr("c.roi", b"Iout is cut")
    found, notes = features_in(path)
    assert found[0].geometry.equals(shapely.box(1, 2, 11, 22))
    assert found[0].metadata == {"group": "3"}
    assert found[1].is_ellipse
    assert found[1].geometry.bounds == pytest.approx((1, 2, 11, 22))
    assert sum(notes.values()) == 1


@pytest.mark.parametrize("data", [b"Iout", b"PK\x03\x04 a.roi and no more"])
def test_a_damaged_file_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    assert recognise(path) is not None
    with pytest.raises(AnnotationFileError, match="damaged"):
        features_in(path)


@FEW
@given(
    apart(
        st.one_of(polygons(holes=True), points(), lines(3)),
        classification=st.none() | CLASSES,
        name=_TEXT,
        author=_TEXT,
        plane=st.tuples(st.integers(0, 3), st.integers(0, 3)).map(lambda zt: Plane(*zt)),
    )
)
def test_what_imagej_can_say_comes_back(features: list[Feature]) -> None:
    found, notes = there_and_back("imagej", features)
    assert not notes
    for before, after in zip(features, found, strict=True):
        assert same_shape(before.geometry, after.geometry, 0.001)
        members = ("classification", "name", "author", "plane")
        assert said(before, *members) == said(after, *members)


def test_places_far_out_keep_to_a_hundredth_of_a_pixel() -> None:
    far = Feature(shapely.box(100_000.25, 90_000.5, 100_100.75, 90_100))
    oval = Feature(shapely.Point(90_000, 9).buffer(5, quad_segs=16), is_ellipse=True)
    line = Feature(shapely.LineString([(1, 2), (70_000, 40)]), role="arrow")
    found, _notes = there_and_back("imagej", [far, oval, line])
    assert same_shape(found[0].geometry, far.geometry, 0.01)
    assert found[1].is_ellipse
    assert found[1].geometry.bounds == pytest.approx(oval.geometry.bounds, abs=0.01)
    assert (found[2].role, found[2].geometry.length) == ("arrow", pytest.approx(69_999, abs=0.1))


def test_characters_that_imagej_cannot_keep_are_told() -> None:
    (one,), notes = there_and_back(
        "imagej", [Feature(shapely.box(0, 0, 9, 9), name="a\U0001f600b")]
    )
    assert one.name == "a?b"
    assert sum(notes.values()) == 1
