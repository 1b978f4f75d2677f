"""QuPath projects. No real one is at hand: these are written from the format's description."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.dialects.formats import SlideFrame, read, recognise
from pathoview.annotations.dialects.qupath_project import read_project
from pathoview.core.errors import AnnotationFileError


def _project(folder: Path, *uris: str) -> Path:
    entries: list[dict[str, Any]] = [
        {
            "serverBuilder": {"builderType": "uri", "uri": uri, "metadata": {"name": "x"}},
            "entryID": number,
            "randomizedName": f"masked {number}",
            "imageName": f"Slide {number}",
            "description": "why",
            "metadata": {"stain": "HE"},
            "tags": ["train"],
        }
        for number, uri in enumerate(uris, 1)
    ]
    entries.append(
        {
            "serverBuilder": {
                "builderType": "rotated",
                "rotation": "ROTATE_90",
                "builder": {"builderType": "uri", "uri": "file:/C:/a%20b.svs"},
            },
            "entryID": 9,
        }
    )
    path = folder / "project.qpproj"
    path.write_text(json.dumps({"version": "0.5.1", "createTimestamp": 1, "images": entries}))
    return path


def test_pictures_names_and_classes(tmp_path: Path) -> None:
    path = _project(tmp_path, "file:/data/one.svs", "https://host/two.svs")
    (tmp_path / "classifiers").mkdir()
    classes = [{}, {"name": "Tumor", "color": [200, 0, 0]}, {"names": ["A", "B"], "colorRGB": -1}]
    (tmp_path / "classifiers" / "classes.json").write_text(json.dumps({"pathClasses": classes}))
    (tmp_path / "data" / "1").mkdir(parents=True)
    (tmp_path / "data" / "1" / "data.qpdata").write_bytes(b"\xac\xed")
    project = read_project(tmp_path)
    assert project == read_project(path)
    one, two, turned = project.images
    assert (one.name, one.path, one.masked_name) == ("Slide 1", Path("/data/one.svs"), "masked 1")
    assert (one.description, one.metadata, one.tags) == ("why", {"stain": "HE"}, ("train",))
    assert (one.has_data, two.has_data) == (True, False)
    assert (two.path, two.uri) == (None, "https://host/two.svs")
    assert (turned.is_transformed, one.is_transformed) == (True, False)
    assert str(turned.path) == "C:/a b.svs"
    assert project.classes == (
        DetectionClass("Tumor", (200, 0, 0)),
        DetectionClass("A: B", (255, 255, 255)),
    )


def test_a_project_holds_no_objects(tmp_path: Path) -> None:
    path = _project(tmp_path, "file:/data/one.svs")
    dialect = recognise(path)
    assert dialect is not None
    assert (dialect.name, dialect.can_read) == ("qupath-project", False)
    with pytest.raises(AnnotationFileError, match="QuPath project") as refusal:
        read(path, SlideFrame(9, 9))
    assert "GeoJSON" in refusal.value.hint


def test_the_data_file_is_refused_by_name_of_who_can_read_it(tmp_path: Path) -> None:
    path = tmp_path / "data.qpdata"
    path.write_bytes(b"\xac\xed\x00\x05sr")
    assert recognise(path) is None
    with pytest.raises(AnnotationFileError, match="only QuPath can read"):
        read(path, SlideFrame(9, 9))


@pytest.mark.parametrize("text", ["{", '{"images": 3}', "[]"])
def test_a_damaged_project_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "project.qpproj").write_text(text)
    with pytest.raises(AnnotationFileError, match="damaged"):
        read_project(tmp_path)
