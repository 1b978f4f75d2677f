"""A model of whole slides scored against a table of labels, and against another model."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from bag_methods import MPP, TILE_PX, known_bags
from labelled_slides import table

from pathoview.core.errors import InputError, UsageError
from pathoview.core.progress import SilentProgress
from pathoview.evaluation.slides import auroc
from pathoview.methods.model import DataUsed, Model, ModelClass, read_model, write_model
from pathoview.slides.opening import open_slide
from pathoview.tasks import evaluate

BRIGHTNESS = {"a": 170, "b": 180, "c": 188, "d": 195, "e": 205, "f": 210}
"""The threshold of the model, 0.3, lies near 183: d is taken for a tumour, c as well."""
TUMORS = ("c", "e", "f")


@pytest.fixture
def cohort(tmp_path: Path) -> Mapping[str, str]:
    folder = tmp_path / "slides"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name, brightness in BRIGHTNESS.items():
        pixels = np.full((2 * TILE_PX, 2 * TILE_PX, 3), brightness) + rng.integers(-1, 2)
        pixels[0, 0] = rng.integers(0, 255, 3)  # no two are alike
        cv2.imwrite(str(folder / f"{name}.png"), pixels.astype(np.uint8))
    rows = [
        {"slide": name, "label": "Tumor" if name in TUMORS else "Benign", "patient": name}
        for name in BRIGHTNESS
    ]
    labels = table(tmp_path / "labels.csv", rows)
    return {"images": str(folder), "labels": str(labels), "mpp": MPP}  # type: ignore[dict-item]


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return known_bags(monkeypatch, tmp_path)[0]


def evaluated(cohort: Mapping[str, str], model: Path, **more: Any) -> dict[str, Any]:
    return evaluate.run({**cohort, "model": str(model), **more}, SilentProgress())


def other_model(model: Path, **card: Any) -> Path:
    known = read_model(model)
    path = model.with_name("other.safetensors")
    changed = known.card.model_copy(update={"id": "c1" * 16, "title": "Other", **card})
    write_model(path, Model(changed, known.tensors))
    return path


def rows_of(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text().splitlines()))


def test_scores_have_intervals_and_a_threshold_decides(
    cohort: Mapping[str, str], model: Path
) -> None:
    told = evaluated(cohort, model)
    assert (told["n"], told["kind"], told["threshold"]) == (6, "bag", 0.3)
    slides = told["per_image"]
    assert {name for name, one in slides.items() if one["said"] == "Tumor"} == {*"cdef"}
    second = np.array([one["p(Tumor)"] for one in slides.values()])
    truth = np.array([one["label"] == "Tumor" for one in slides.values()])
    assert told["pooled"]["auroc"]["value"] == pytest.approx(auroc(second, truth))
    assert told["pooled"]["sensitivity"]["value"] == 1.0
    assert told["pooled"]["specificity"]["value"] == pytest.approx(2 / 3)
    assert told["pooled"]["auroc"]["low"] <= told["pooled"]["auroc"]["value"]
    assert (told["pooled"]["auroc"]["n"], told["pooled"]["auroc"]["over"]) == (6, "patients")
    assert told["confusion"]["matrix"] == [[2, 1], [0, 3]]
    assert told["roc"][0]["name"] == "Tumor"
    assert told["roc"][0]["true_positive_rate"][-1] == 1.0
    assert told["pr"][0]["n"] == 3
    assert sum(told["reliability"]["n"]) == 6
    assert told["classes"]["Benign"]["n"] == 3
    assert not told["warnings"]


def test_another_model_is_compared_slide_by_slide(cohort: Mapping[str, str], model: Path) -> None:
    other = other_model(model, settings={**read_model(model).card.settings, "threshold": 0.9})
    told = evaluated(cohort, model, against=str(other))
    assert told["against"]["title"] == "Other"
    apart = told["difference"]["pooled_sensitivity"]
    assert apart["value"] == pytest.approx(
        told["pooled"]["sensitivity"]["value"] - told["against"]["pooled"]["sensitivity"]["value"]
    )
    assert apart["value"] > 0
    same = told["difference"]["pooled_auroc"]
    assert (same["low"], same["value"], same["high"]) == (0, 0, 0)


def test_models_of_other_classes_are_not_compared(cohort: Mapping[str, str], model: Path) -> None:
    classes = (ModelClass(name="Benign"), ModelClass(name="Malignant"))
    with pytest.raises(UsageError, match="Benign, Tumor, and Benign, Malignant"):
        evaluated(cohort, model, against=str(other_model(model, classes=classes)))


def test_slides_that_were_learned_from_are_told_of(cohort: Mapping[str, str], model: Path) -> None:
    with open_slide(Path(cohort["images"]) / "a.png") as slide:
        seen = DataUsed(name="a", slide_hash=slide.content_hash)
    (warning,) = evaluated(cohort, other_model(model, data=(seen,)))["warnings"]
    assert "1 of 6" in warning


def test_labels_that_the_model_does_not_know_are_no_labels(
    cohort: Mapping[str, str], model: Path, tmp_path: Path
) -> None:
    rows = [{"slide": "a", "label": "Benign"}, {"slide": "b", "label": "Lymphoma"}]
    told = evaluated({**cohort, "labels": str(table(tmp_path / "t.csv", rows))}, model)
    assert list(told["per_image"]) == ["a"]
    assert told["pooled"]["auroc"] == {"value": None}
    rows = [{"slide": "a", "label": "Lymphoma"}]
    with pytest.raises(InputError, match="No slide has a label"):
        evaluated({**cohort, "labels": str(table(tmp_path / "t.csv", rows))}, model)


def test_the_report_has_curves_and_slides_by_pseudonyms(
    cohort: Mapping[str, str], model: Path, tmp_path: Path
) -> None:
    other = other_model(model)
    report, tables = tmp_path / "r.html", tmp_path / "tables"
    evaluated(cohort, model, against=str(other), report=str(report), csv=str(tables))
    page = report.read_text()
    for said in ("AUROC 0.", "AP 0.", "1 - specificity", "Sensitivity", "Calibration error"):
        assert said in page
    assert "95 of 100 drawings of the patients" in page
    assert "<td>slide-" in page
    assert "<td>a</td>" not in page
    scores = rows_of(tables / "scores.csv")
    assert len(scores) == 12
    assert {one["label"] for one in scores} == {"Benign", "Tumor"}
    assert all(one["image"].startswith("slide-") for one in scores)
    summary = {one["score"]: one for one in rows_of(tables / "summary.csv")}
    assert summary["pooled_auroc"]["units"] == "6"
