from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

import orjson
import pytest
import shapely
from leak_folders import folders, save, scene
from makers import he_image, make_pyramid_tiff
from studies import TUMOR, opened

from pathoview.annotations.change import Change
from pathoview.annotations.feature import Feature
from pathoview.core.errors import Cancelled, InputError, UsageError
from pathoview.core.progress import Control, SilentProgress
from pathoview.slides.opening import open_slide
from pathoview.study.model import SlideLabel, SlideRecord
from pathoview.study.step import RecordChange, StudyStep
from pathoview.tasks import export_tiles
from pathoview.tasks.leaks import run


def check(**request: Any) -> dict[str, Any]:
    return run(request, SilentProgress())


def kinds(result: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {one["kind"]: one for one in result["findings"]}


def add_slide(study: Path, path: Path, seed: int, **said: Any) -> str:
    """Write a slide, and add it to the study with a labelled box; return its pseudonym."""
    make_pyramid_tiff(path, he_image(512, 384, seed), compression="zlib")
    with open_slide(path) as slide, opened(study) as writable:
        record = SlideRecord(slide_hash=slide.content_hash, path=str(path), **said)
        records = [RecordChange.of(None, record)]
        if not writable.classes():
            records.append(RecordChange.of(None, TUMOR))
        box = Feature(shapely.box(0, 0, 250, 250), classification=TUMOR.drawn)
        number, change = writable.next_number(), Change.adding([box])
        writable.do(
            StudyStep(number, slide.content_hash, "Add", change=change, records=tuple(records))
        )
        return slide.pseudonym


def test_copies_in_folders_are_found_and_the_clean_ones_are_not(tmp_path: Path) -> None:
    clean = check(folders=folders(tmp_path / "clean", leaks=False))
    assert (clean["n_errors"], clean["findings"], clean["n_items"]) == (0, [], 12)
    assert clean["summary"] == "No leaks were found."
    assert clean["priors"] == {
        "benign": {"train": 4, "val": 2},
        "malignant": {"train": 4, "val": 2},
    }
    result = check(folders=folders(tmp_path / "leaky", leaks=True))
    assert result["summary"] == "Leaks of 1 kind were found."
    notes = [pair["note"] for pair in kinds(result)["near"]["pairs"]]
    assert ["turned or mirrored" in note for note in notes] == [False, True]


def test_a_table_says_whose_the_pictures_are(tmp_path: Path) -> None:
    named = folders(tmp_path, leaks=False)
    table = tmp_path / "patients.csv"
    table.write_text("Image;Patient\nJane Doe 0.png;Doe\nJane Doe 9;Doe\nnobody.png;Roe\n")
    result = check(folders=named, groups=str(table))
    assert kinds(result)["patient"]["sentence"] == "1 patient is in several splits: patient 1."
    assert result["warnings"] == ["1 row of the table fits no picture."]
    named_result = check(folders=named, groups=str(table), params={"names": True})
    assert "several splits: Doe." in kinds(named_result)["patient"]["sentence"]


def test_the_report_needs_no_other_file_and_names_nobody(tmp_path: Path) -> None:
    report, page = tmp_path / "report.html", tmp_path / "page.json"
    named = folders(tmp_path / "Jane Doe", leaks=True)
    table = tmp_path / "patients.csv"
    table.write_text("image,patient\nJane Doe 0.png,Jane\nJane Doe 9.png,Jane\n")
    request = {"folders": named, "groups": str(table)}
    result = check(**request, report=str(report), page=str(page))
    text = report.read_text()
    assert text.count("data:image/png;base64,") == 6
    assert "research use only" in text
    assert "Jane" not in text
    assert "Jane" not in str(result["findings"])
    assert "http" not in text
    assert "train-0001 · train · benign" in text
    shown = orjson.loads(page.read_bytes())
    assert shown["findings"][0]["pairs"][0]["items"][0]["png"]
    assert "png" not in result["findings"][0]["pairs"][0]["items"][0]


def test_slides_of_a_study_are_shared_out_by_patient_or_by_slide(tmp_path: Path) -> None:
    study = tmp_path / "s.pathoview"
    for number in range(6):
        label = SlideLabel(label_kind="class", name="benign")
        said = {"patient_id": f"P{number // 2}", "labels": (label,)}
        add_slide(study, tmp_path / f"{number}.tif", number, **said)
    params = {"split": "train=0.5,val=0.5"}
    together = check(study=str(study), params=params)
    assert together["n_errors"] == 0
    assert sum(together["splits"].values()) == 6
    assert sum(together["priors"]["benign"].values()) == 6
    apart = check(study=str(study), params={**params, "by": "slide"})
    assert set(kinds(apart)) == {"patient"}
    (tmp_path / "0.tif").unlink()
    assert "1 picture could not be read" in kinds(check(study=str(study)))["unread"]["sentence"]


def test_one_slide_scanned_twice_is_found_in_a_study(tmp_path: Path) -> None:
    study = tmp_path / "s.pathoview"
    for number, seed in enumerate((1, 2, 3, 1)):
        path = tmp_path / f"{number}.tif"
        if number == 3:  # the same picture in another file
            make_pyramid_tiff(path, he_image(512, 384, seed), compression="deflate", n_levels=1)
            with open_slide(path) as slide, opened(study) as writable:
                record = SlideRecord(slide_hash=slide.content_hash, path=str(path), patient_id="X")
                writable.put(record)
        else:
            add_slide(study, path, seed, patient_id=f"P{number}")
    shares = {"split": "train=0.5,val=0.5"}
    found = [kinds(check(study=str(study), params={**shares, "seed": n})) for n in range(4)]
    assert any("identical" in one for one in found)


def test_tiles_keep_their_splits(tmp_path: Path) -> None:
    study, paths = tmp_path / "s.pathoview", [tmp_path / f"{n}.tif" for n in range(4)]
    for number, path in enumerate(paths):
        add_slide(study, path, number, patient_id=f"P{number}")
    params = {"tile_px": 128, "split": "train=0.5,val=0.5"}
    order = {"slides": [*map(str, paths)], "study": str(study), "params": params}
    export_tiles.run({**order, "output": str(tmp_path / "tiles")}, SilentProgress())
    clean = check(tiles=str(tmp_path / "tiles"))
    assert clean["n_errors"] == 0
    assert clean["priors"] == {"Tumor": clean["splits"]}
    table = tmp_path / "tiles" / "tiles.csv"
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    rows[0]["split"] = "val" if rows[0]["split"] == "train" else "train"
    with table.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    assert set(kinds(check(tiles=str(tmp_path / "tiles")))) == {"slide"}


def test_tiles_without_splits_are_shared_out_by_slide(tmp_path: Path) -> None:
    for number in range(4):
        save(tmp_path / "images" / f"{number}.png", scene(number))
    lines = [f"images/{n}.png,slide-{n},,0,5" for n in range(4)]
    header = "image,slide,split,px background,px Tumor"
    (tmp_path / "tiles.csv").write_text("\n".join([header, *lines]))
    patients = tmp_path / "patients.csv"
    patients.write_text("slide,patient\n" + "\n".join(f"slide-{n},A" for n in range(4)))
    assert check(tiles=str(tmp_path))["splits"] == {"train": 3, "val": 1}
    assert "patient" in kinds(check(tiles=str(tmp_path), groups=str(patients)))


def test_what_cannot_be_checked_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "tiles.csv").write_text("a,b\n1,2\n")
    (tmp_path / "table.csv").write_text("who,b\n1,2\n")
    named = folders(tmp_path, leaks=False)
    for request, error in (
        ({}, UsageError),
        ({"tiles": "a", "study": "b"}, UsageError),
        ({"study": str(tmp_path / "none.pathoview")}, InputError),
        ({"tiles": str(tmp_path)}, InputError),
        ({"folders": {"train": str(tmp_path / "none")}}, InputError),
        ({"folders": {"train": str(tmp_path / "empty")}}, InputError),
        ({"folders": {"train": named["train"]}}, UsageError),
        ({"folders": named, "groups": str(tmp_path / "table.csv")}, InputError),
    ):
        with pytest.raises(error):
            check(**request)


def test_a_stop_leaves_no_report(tmp_path: Path) -> None:
    control = Control()
    control.cancel()
    request = {"folders": folders(tmp_path, leaks=False), "report": str(tmp_path / "r.html")}
    with pytest.raises(Cancelled):
        run(request, SilentProgress(control))
    assert not (tmp_path / "r.html").exists()
