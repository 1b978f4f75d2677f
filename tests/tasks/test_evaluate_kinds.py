"""Maps, objects, studies and two methods at once: what is scored, and what is written of it."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from fakes import ArraySlide
from makers import he_scene
from pixel_methods import CLASSES, SPEC, ColourParams, Colours, known_colours
from teaching import teach_study

from pathoview.core.errors import InputError, UsageError
from pathoview.core.geometry import Rect
from pathoview.core.params import BaseParams
from pathoview.core.progress import SilentProgress
from pathoview.core.registry import Registry
from pathoview.evaluation import instances
from pathoview.methods import registry
from pathoview.methods.fitting import Fitted
from pathoview.methods.model import DataUsed, Model, ModelCard, ModelClass, read_model, write_model
from pathoview.methods.spec import Kind, MethodSpec, ObjectBatch
from pathoview.slides.opening import open_slide, with_scale
from pathoview.slides.reading import analysis_grid, read_patch
from pathoview.tasks import evaluate, method_building
from pathoview.tasks.evaluate_pictures import shown_around

MPP = 0.5
SCENE = he_scene(400, 300, seed=3, mpp=MPP)


class Sizes:
    """Large objects are of the second class; a sure thing."""

    def __init__(self, params: BaseParams, fitted: Fitted) -> None:
        del params, fitted

    def predict(self, objects: ObjectBatch) -> npt.NDArray[np.float32]:
        is_large = objects.measurements["Area µm²"] > LARGE_UM2
        return np.where(is_large[:, None], [[0.2, 0.8]], [[0.9, 0.1]]).astype(np.float32)


class NoParams(BaseParams):
    """There is nothing to choose."""


LARGE_UM2 = 30.0
SIZES = MethodSpec(
    name="sizes",
    title="Sizes",
    summary="Tells large ones from small ones.",
    kind=Kind.OBJECT,
    learns_from="objects",
    mpp=0.5,
    patch_px=48,
    halo_um=0.0,
    stains=("H&E",),
    params=NoParams,
    reference="none",
    entry=f"{__name__}:Sizes",
    fit_params=NoParams,
)


def score(**request: Any) -> dict[str, Any]:
    return evaluate.run(request, SilentProgress())


def write_images(folder: Path, names: Mapping[str, int]) -> dict[str, str]:
    """Write fields with their instance labels; return the folders."""
    for part in ("images", "labels"):
        (folder / part).mkdir(exist_ok=True)
    for name, seed in names.items():
        field = he_scene(400, 300, seed=seed, mpp=MPP)
        cv2.imwrite(str(folder / "images" / f"{name}.png"), field.rgb[..., ::-1])
        cv2.imwrite(str(folder / "labels" / f"{name}.png"), field.labels.astype(np.uint16))
    return {"images": str(folder / "images"), "labels": str(folder / "labels")}


# -- nuclei ------------------------------------------------------------------------------------


def test_two_methods_are_compared_on_the_same_images(tmp_path: Path) -> None:
    folders = write_images(tmp_path, {"a": 1, "b": 2, "c": 3})
    watershed = "nuclei_watershed"
    said = {"method": watershed, "params": {"threshold": 1.6}, "against": watershed}
    told = score(**folders, mpp=MPP, **said)
    apart = told["difference"]["aji"]
    assert apart["value"] == pytest.approx(told["aji"] - told["against"]["aji"])
    assert apart["low"] <= apart["value"] <= apart["high"]
    assert apart["n"] == 3
    assert told["intervals"]["aji"]["over"] == "images"
    assert told["intervals"]["aji"]["low"] <= told["aji"] <= told["intervals"]["aji"]["high"]
    assert "pooled_recall" in told["difference"]
    assert told["counts"]["matched"] + told["counts"]["missed"] == told["counts"]["known"]


def test_a_single_image_has_intervals_over_its_blocks(tmp_path: Path) -> None:
    told = score(**write_images(tmp_path, {"a": 1}), mpp=MPP)
    for name in ("aji", "pq", "f1_detection"):
        interval = told["intervals"][name]
        assert interval["over"] == "blocks"
        assert interval["n"] > 4
        assert interval["value"] == pytest.approx(told[name], abs=0.05)
        assert interval["low"] <= interval["value"] <= interval["high"]
    matrix = np.array(told["confusion"]["matrix"])
    assert matrix[0].sum() == len(np.unique(he_scene(400, 300, seed=1, mpp=MPP).labels)) - 1


def test_the_worst_place_is_where_a_nucleus_was_wiped_out(tmp_path: Path) -> None:
    field = he_scene(400, 300, seed=1, mpp=MPP)
    truth = field.labels.copy()
    truth[20:80, 20:90] = 9999  # a giant nucleus that no method finds
    folders = write_images(tmp_path, {"a": 1})
    cv2.imwrite(str(tmp_path / "labels" / "a.png"), truth.astype(np.uint16))
    told = score(**folders, mpp=MPP, n_worst=3)
    first = told["worst"][0]
    assert len(told["worst"]) == 3
    assert first["image"] == "a"
    assert 20 < first["x"] < 90
    assert 20 < first["y"] < 80
    assert first["amount"] > 300
    assert [one["amount"] for one in told["worst"]] == sorted(
        (one["amount"] for one in told["worst"]), reverse=True
    )


def test_the_report_and_the_tables_know_pseudonyms_only(tmp_path: Path) -> None:
    folders = write_images(tmp_path, {"Jane Doe": 1, "John Roe": 2})
    report, tables = tmp_path / "out.html", tmp_path / "tables"
    told = score(
        **folders, mpp=MPP, report=str(report), csv=str(tables), against="nuclei_watershed"
    )
    html = report.read_text("utf-8")
    assert html.startswith("<!doctype html>")
    assert "data:image/png;base64," in html
    html = re.sub(r"base64,[^\"]+", "", html)  # letters of pictures spell anything
    assert "research use only" in html
    assert "<svg" in html
    assert "http" not in html
    for text in [html, *(path.read_text("utf-8") for path in tables.iterdir())]:
        assert "Jane" not in text
        assert "Roe" not in text
    with (tables / "scores.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    pseudonym = told["images"]["Jane Doe"]["pseudonym"]
    (row,) = [one for one in rows if one["image"] == pseudonym][:1]
    assert float(row["aji"]) == told["per_image"]["Jane Doe"]["aji"]
    assert {path.name for path in tables.iterdir()} == {
        *("scores.csv", "summary.csv", "confusion.csv", "worst.csv")
    }
    assert "png" not in json.dumps(told)


# -- studies -----------------------------------------------------------------------------------


def test_outlines_in_a_full_region_of_a_study_are_scored_as_a_picture_is(tmp_path: Path) -> None:
    study, _slide = teach_study(tmp_path, "instances")
    told = score(study=str(study))
    assert told["n"] == 1
    assert told["aji"] > 0.6
    assert told["f1_detection"] > 0.9
    assert told["counts"]["known"] > 20


def test_points_in_a_full_region_give_detection_only(tmp_path: Path) -> None:
    study, slide = teach_study(tmp_path, "points")
    told = score(study=str(study), slides=[str(slide)])
    assert told["aji"] is None
    assert told["f1_detection"] > 0.9
    assert {one["kind"] for one in told["worst"]} <= {"missed", "spurious"}


def test_strokes_give_classes_of_pixels_and_what_is_not_labelled_does_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = named_classes(known_colours(monkeypatch, tmp_path), ("Tissue", "Nucleus", "Glass"))
    study, _slide = teach_study(tmp_path / "study", "scribbles", mpp=1.0)
    told = score(study=str(study), model=str(model))
    assert told["confusion"]["rows"][1:] == ["Nucleus", "Tissue"]
    assert told["confusion"]["matrix"][0] == [0, 0, 0, 0]
    n_known = np.sum(told["confusion"]["matrix"])
    assert 0 < n_known < 160 * 160 / 4
    _background, _nucleus, tissue = told["confusion"]["matrix"]
    assert tissue[2] > 0.9 * sum(tissue)
    assert told["f1_pixel"] is None  # nothing is known to be background


def test_slides_that_were_learned_from_are_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = named_classes(known_colours(monkeypatch, tmp_path), ("Glass", "Nucleus", "Tissue"))
    study, slide = teach_study(tmp_path / "study", "scribbles", mpp=1.0)
    with open_slide(slide) as opened:
        used = DataUsed(name="x", slide_hash=opened.content_hash)
    known = read_model(model)
    write_model(model, replace(known, card=known.card.model_copy(update={"data": (used,)})))
    assert "learned from 1 of 1" in score(study=str(study), model=str(model))["warnings"][0]


# -- maps --------------------------------------------------------------------------------------


def named_classes(model: Path, names: tuple[str, ...]) -> Path:
    known = read_model(model)
    classes = tuple(ModelClass(name=name) for name in names)
    write_model(model, replace(known, card=known.card.model_copy(update={"classes": classes})))
    return model


def masks(folder: Path, *, unknown: bool) -> dict[str, str]:
    """Write a field with a mask of classes as tiles are exported; half may be unknown."""
    folders = write_images(folder, {"a": 1})
    field = he_scene(400, 300, seed=1, mpp=MPP)
    mask = np.where(field.labels > 0, 2, 1).astype(np.uint8)
    if unknown:
        mask[:, 200:] = 255
    cv2.imwrite(str(folder / "labels" / "a.png"), mask)
    listed = [{"number": 1, "name": "Stroma", "color": [1, 2, 3]}]
    listed += [{"number": 2, "name": "Nuclei", "color": [3, 2, 1]}]
    (folder / "labels" / "classes.json").write_text(json.dumps(listed))
    return folders


def by_hand(image: Path, mask: Path) -> npt.NDArray[np.int64]:
    """Return what the method takes each pixel of the truth for, without tiles."""
    with with_scale(open_slide(image), MPP) as slide:
        grid = analysis_grid(slide, SPEC.mpp)
        patch = read_patch(slide, grid, 0, 0, grid.width, grid.height)
    found = Colours(ColourParams(), Fitted({}, {})).predict(patch, grid.mpp, {})
    as_truth = found[..., [0, 2, 1]].argmax(axis=2)  # background, stroma, nuclei
    truth = cv2.imread(str(mask), cv2.IMREAD_UNCHANGED)[1::2, 1::2]
    matrix = np.zeros((3, 4), np.int64)
    np.add.at(matrix, (truth, as_truth), 1)
    return matrix


def test_masks_of_classes_are_scored_by_name_and_unknown_pixels_do_not_count(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = known_colours(monkeypatch, tmp_path)
    told = score(**masks(tmp_path, unknown=False), mpp=MPP, model=str(model))
    assert told["kind"] == "pixel"
    assert told["confusion"]["rows"] == ["Background", "Stroma", "Nuclei"]
    matrix = by_hand(tmp_path / "images" / "a.png", tmp_path / "labels" / "a.png")
    assert np.array_equal(told["confusion"]["matrix"], matrix)
    recall = matrix[2, 2] / matrix[2].sum()
    assert told["classes"]["Nuclei"]["recall"] == pytest.approx(recall)
    assert told["balanced_accuracy"] == pytest.approx((recall + matrix[1, 1] / matrix[1].sum()) / 2)
    assert [one["name"] for one in told["pr"]] == ["Stroma", "Nuclei"]
    assert told["pr"][1]["average_precision"] > 0.7
    assert 0 <= told["reliability"]["expected_calibration_error"] < 0.5
    assert told["reliability"]["temperature"] > 0
    assert {one["kind"] for one in told["worst"]} == {"class"}
    half = score(**masks(tmp_path, unknown=True), mpp=MPP, model=str(model))
    assert np.sum(half["confusion"]["matrix"]) == np.sum(told["confusion"]["matrix"]) / 2


def test_a_label_image_shows_one_class_that_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = known_colours(monkeypatch, tmp_path)
    folders = write_images(tmp_path, {"a": 1, "b": 2})
    with pytest.raises(UsageError, match="which class"):
        score(**folders, mpp=MPP, model=str(model))
    told = score(
        **folders, mpp=MPP, model=str(model), positive="nuclei", report=str(tmp_path / "out.html")
    )
    assert told["f1_pixel"] > 0.4
    assert told["aji"] is None
    assert told["confusion"]["columns"] == ["Background", "Nuclei", "other"]
    assert told["intervals"]["iou_pixel"]["n"] == 2
    assert "Brier" in (tmp_path / "out.html").read_text("utf-8")


def test_a_model_that_knows_none_of_the_classes_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = named_classes(known_colours(monkeypatch, tmp_path), ("A", "B", "C"))
    with pytest.raises(UsageError, match="none of the classes"):
        score(**masks(tmp_path, unknown=False), mpp=MPP, model=str(model))


def test_points_say_nothing_of_areas(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = known_colours(monkeypatch, tmp_path)
    folders = write_images(tmp_path, {"a": 1})
    (tmp_path / "labels" / "a.png").unlink()
    (tmp_path / "labels" / "a.csv").write_text("x,y\n1,1\n")
    with pytest.raises(InputError, match="nothing of areas"):
        score(**folders, mpp=MPP, model=str(model))


# -- objects -----------------------------------------------------------------------------------


def test_classes_of_objects_are_scored_with_those_missed_and_spurious(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    methods = Registry("method", (*registry.METHODS, SIZES))
    monkeypatch.setattr(registry, "METHODS", methods)
    monkeypatch.setattr(method_building, "METHODS", methods)
    classes = (ModelClass(name="Small"), ModelClass(name="Large"))
    card = ModelCard(title="Sizes", method="sizes", kind="object", mpp=0.5, classes=classes)
    write_model(tmp_path / "m.safetensors", Model(card, {"n": np.zeros(1, np.float32)}))
    folders = write_images(tmp_path, {"a": 1})
    (tmp_path / "labels" / "a.png").unlink()
    labels = he_scene(400, 300, seed=1, mpp=MPP).labels
    areas = np.bincount(labels.ravel())[1:]
    areas = areas[areas > 0] * MPP**2
    lines = [
        f"{x},{y},{'Large' if area > LARGE_UM2 else 'Small'}"
        for (x, y), area in zip(instances.centroids(labels), areas, strict=True)
    ]
    lines += ["1,1,Small", "5,5,Nobody"]
    (tmp_path / "labels" / "a.csv").write_text("x,y,class\n" + "\n".join(lines))
    told = score(**folders, mpp=MPP, model=str(tmp_path / "m.safetensors"))
    assert told["confusion"]["rows"] == ["Small", "Large", "spurious"]
    assert told["counts"]["known"] == len(lines) - 1
    assert told["counts"]["missed"] >= 1
    assert told["accuracy"] > 0.85
    assert told["f1_detection"] > 0.9
    assert told["macro_f1_with_missed"] < told["macro_f1"] or told["counts"]["spurious"] == 0
    assert told["reliability"]["brier"] < 0.5


# -- what is refused ---------------------------------------------------------------------------


def test_what_cannot_be_scored_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    model = known_colours(monkeypatch, tmp_path)
    folders = write_images(tmp_path, {"a": 1})
    with pytest.raises(UsageError, match="what to score against"):
        score()
    with pytest.raises(UsageError, match="what to score against"):
        score(**folders, mpp=MPP, study="x.pathoview")
    with pytest.raises(UsageError, match="µm a pixel"):
        score(**folders)
    with pytest.raises(UsageError, match="cannot be compared"):
        score(**folders, mpp=MPP, against=str(model))
    assert SPEC.kind is Kind.PIXEL
    assert len(CLASSES) == 3


def test_pictures_stay_inside_of_the_slide_where_they_can() -> None:
    slide = ArraySlide(SCENE.rgb, MPP)  # 400 × 300 px
    assert shown_around(Rect(0, 290, 10, 10), slide) == Rect(0, 220, 80, 80)
    assert shown_around(Rect(0, 0, 400, 300), slide) == Rect(0, -50, 400, 400)
    assert shown_around(Rect(195, 145, 10, 10), slide) == Rect(160, 110, 80, 80)
