from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import shapely
from makers import he_image, make_pyramid_tiff
from studies import STROMA, TUMOR, opened

from pathoview.annotations.change import Change
from pathoview.annotations.feature import Feature
from pathoview.core.errors import Cancelled, InputError, MissingScaleError, UsageError
from pathoview.core.progress import Control, SilentProgress
from pathoview.slides.opening import open_slide
from pathoview.study.model import SlideRecord
from pathoview.study.step import RecordChange, StudyStep
from pathoview.tasks.export_tiles import run

LABELS = (
    Feature(shapely.box(0, 0, 300, 300), role="full"),
    Feature(shapely.box(100, 100, 200, 250), classification=TUMOR.drawn),
    Feature(shapely.box(600, 400, 700, 500), classification=STROMA.drawn),
)


def slide_of(folder: Path, name: str = "a", seed: int = 0, mpp: float | None = 0.5) -> Path:
    return make_pyramid_tiff(
        folder / f"{name}.tif", he_image(1024, 768, seed), mpp=mpp, compression="zlib"
    )


def label(study: Path, slide: Path, *features: Feature, patient: str = "") -> str:
    with open_slide(slide) as one, opened(study) as writable:
        known = {record.key for record in writable.classes()}
        records = [RecordChange.of(None, each) for each in (TUMOR, STROMA) if each.key not in known]
        record = SlideRecord(slide_hash=one.content_hash, path=str(slide), patient_id=patient)
        records.append(RecordChange.of(None, record))
        step = StudyStep(
            writable.next_number(),
            one.content_hash,
            "Draw",
            change=Change.adding(features),
            records=tuple(records),
        )
        writable.do(step)
        return one.pseudonym


def export(folder: Path, slides: list[Path], study: Path, **more: Any) -> dict[str, Any]:
    params = {"tile_px": 128, "um_per_px": 0.5, **more.pop("params", {})}
    request = {
        "slides": [str(slide) for slide in slides],
        "study": str(study),
        "output": str(folder / "tiles"),
        "params": params,
        **more,
    }
    return run(request, SilentProgress())


def rows(folder: Path) -> list[dict[str, str]]:
    with (folder / "tiles" / "tiles.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_pictures_and_masks_lie_where_the_table_says(tmp_path: Path) -> None:
    slide, study = slide_of(tmp_path), tmp_path / "s.pathoview"
    pseudonym = label(study, slide, *LABELS)
    result = export(tmp_path, [slide], study)
    table = rows(tmp_path)
    assert result["n_tiles"] == len(table) == 11
    whole = he_image(1024, 768)
    n_tumor = 0
    for row in table:
        x, y = int(row["x_l0"]), int(row["y_l0"])
        picture = cv2.imread(str(tmp_path / "tiles" / row["image"]))[..., ::-1]
        mask = cv2.imread(str(tmp_path / "tiles" / row["mask"]), cv2.IMREAD_UNCHANGED)
        assert picture.shape == (128, 128, 3)
        np.testing.assert_array_equal(picture, whole[y : y + 128, x : x + 128])
        counts = {value: int((mask == value).sum()) for value in (0, 1, 2, 255)}
        names = ("px background", "px Tumor", "px Stroma", "px unknown")
        assert list(counts.values()) == [int(row[name]) for name in names]
        assert (row["slide"], row["split"], float(row["size_l0"])) == (pseudonym, "", 128)
        n_tumor += counts[1]
    assert n_tumor == 100 * 150
    assert not any("a.tif" in path.name for path in (tmp_path / "tiles").rglob("*"))
    readme = (tmp_path / "tiles" / "README.txt").read_text()
    assert "seed: 1" in readme
    assert "never background" in readme
    classes = json.loads((tmp_path / "tiles" / "classes.json").read_bytes())
    assert [(one["number"], one["name"]) for one in classes[:4]] == [
        (0, "background"), (255, "unknown"), (1, "Tumor"), (2, "Stroma")
    ]  # fmt: skip


def test_tiles_of_another_resolution_show_the_same_place(tmp_path: Path) -> None:
    slide, study = slide_of(tmp_path), tmp_path / "s.pathoview"
    label(study, slide, *LABELS)
    export(tmp_path, [slide], study, params={"um_per_px": 1.5, "tile_px": 64})
    (first, *_others) = rows(tmp_path)
    assert float(first["size_l0"]) == 192
    picture = cv2.imread(str(tmp_path / "tiles" / first["image"]))[..., ::-1]
    wanted = cv2.resize(he_image(1024, 768)[:192, :192], (64, 64), interpolation=cv2.INTER_AREA)
    assert np.abs(picture.astype(int) - wanted).mean() < 12
    mask = cv2.imread(str(tmp_path / "tiles" / first["mask"]), cv2.IMREAD_UNCHANGED)
    assert (mask == 1).sum() == pytest.approx(92 * 92 / 9, rel=0.1)


def test_tiles_overlap_and_those_with_few_labels_are_left_out(tmp_path: Path) -> None:
    slide, study = slide_of(tmp_path), tmp_path / "s.pathoview"
    label(study, slide, *LABELS)
    export(tmp_path, [slide], study, params={"overlap": 0.5, "min_labelled": 0.9})
    places = [(int(row["x_l0"]), int(row["y_l0"])) for row in rows(tmp_path)]
    assert places == [(x, y) for y in (0, 64, 128) for x in (0, 64, 128)]


def test_a_class_alone_is_learned_against_the_others(tmp_path: Path) -> None:
    slide, study = slide_of(tmp_path), tmp_path / "s.pathoview"
    label(study, slide, *LABELS)
    export(tmp_path, [slide], study, classes=["Tumor"])
    assert "px Stroma" not in rows(tmp_path)[0]
    assert sum(int(row["px background"]) for row in rows(tmp_path)) == 90_000 - 15_000 + 10_000
    with pytest.raises(UsageError, match="no class"):
        export(tmp_path / "x", [slide], study, classes=["Tumour"])
    assert not (tmp_path / "x").exists() or not any((tmp_path / "x").iterdir())


def test_a_patient_is_never_in_two_splits(tmp_path: Path) -> None:
    study = tmp_path / "s.pathoview"
    slides = [slide_of(tmp_path, f"s{number}", number) for number in range(6)]
    patients = {
        label(study, slide, *LABELS, patient=f"p{number // 2}"): f"p{number // 2}"
        for number, slide in enumerate(slides)
    }
    export(tmp_path, slides, study, params={"split": "train=0.67,val=0.33"})
    splits: dict[str, set[str]] = {}
    for row in rows(tmp_path):
        splits.setdefault(patients[row["slide"]], set()).add(row["split"])
    assert len(splits) == 3
    assert all(len(one) == 1 for one in splits.values())
    assert set.union(*splits.values()) == {"train", "val"}


def test_too_few_patients_are_told(tmp_path: Path) -> None:
    slide, study = slide_of(tmp_path), tmp_path / "s.pathoview"
    label(study, slide, *LABELS)
    result = export(tmp_path, [slide], study, params={"split": "train=0.8,val=0.2"})
    assert "too few" in result["warnings"][0]
    assert {row["split"] for row in rows(tmp_path)} == {"train"}


def test_what_cannot_be_leaves_no_folder(tmp_path: Path) -> None:
    slide, study = slide_of(tmp_path), tmp_path / "s.pathoview"
    label(study, slide)
    with pytest.raises(InputError, match="labels enough"):
        export(tmp_path, [slide], study)
    bare = slide_of(tmp_path, "bare", mpp=None)
    with pytest.raises(MissingScaleError):
        export(tmp_path, [bare], study)
    control = Control()
    control.cancel()
    label(study, slide, *LABELS)
    request = {"slides": [str(slide)], "study": str(study), "output": str(tmp_path / "tiles")}
    with pytest.raises(Cancelled):
        run(request, SilentProgress(control))
    assert not (tmp_path / "tiles").exists()


def test_a_folder_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "tiles").mkdir()
    (tmp_path / "tiles" / "mine.txt").write_text("mine")
    with pytest.raises(UsageError, match="not an empty folder"):
        export(tmp_path, [slide_of(tmp_path)], tmp_path / "s.pathoview")
    assert (tmp_path / "tiles" / "mine.txt").exists()
