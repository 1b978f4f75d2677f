"""The scores others compare: exact JSON, the analysis' own objects, clear refusals."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
import tifffile
from fakes import ArraySlide
from makers import he_scene

from pathoview.core.errors import Cancelled, InputError, UsageError
from pathoview.core.geometry import Rect
from pathoview.core.progress import Control, SilentProgress
from pathoview.evaluation import instances
from pathoview.slides.opening import open_slide, with_scale
from pathoview.study.results import RunFile
from pathoview.tasks import analyze, evaluate
from pathoview.tasks.detect import detect
from pathoview.tasks.method_building import build_method

MPP = 0.25
SCENE = he_scene(700, 500, seed=1, mpp=MPP)


@pytest.fixture
def folders(tmp_path: Path) -> tuple[Path, Path]:
    images, labels = tmp_path / "images", tmp_path / "labels"
    images.mkdir()
    labels.mkdir()
    return images, labels


def write_image(folder: Path, name: str) -> None:
    cv2.imwrite(str(folder / name), cv2.cvtColor(SCENE.rgb, cv2.COLOR_RGB2BGR))


def score(folders: tuple[Path, Path], **changes: Any) -> dict[str, Any]:
    images, labels = folders
    request = {"images": str(images), "labels": str(labels), "mpp": MPP, **changes}
    return evaluate.run(request, SilentProgress())


def test_known_nuclei_are_scored_with_all_metrics(folders: tuple[Path, Path]) -> None:
    write_image(folders[0], "a.png")
    cv2.imwrite(str(folders[1] / "a.png"), SCENE.labels.astype(np.uint16))
    result = score(folders)
    metrics = ["aji", "aji_plus", "pq", "dice_object", "f1_pixel", "iou_pixel", "f1_detection"]
    assert list(result)[: len(metrics) + 2] == [*metrics, "n", "per_image"]
    assert result["n"] == 1
    assert list(result["per_image"]["a"]) == metrics
    assert result["aji"] > 0.7
    assert result["f1_detection"] > 0.95
    assert result["aji"] == result["per_image"]["a"]["aji"]


def test_points_are_scored_by_detection_only_and_means_leave_out_what_is_unknown(
    folders: tuple[Path, Path],
) -> None:
    for name in ("a.png", "b.jpg", "c.tif"):
        write_image(folders[0], name)
    points = instances.centroids(SCENE.labels)
    table = "\n".join(f"{x:.2f},{y:.2f},1" for x, y in points)
    (folders[1] / "a.csv").write_text("x,y,class\n" + table)
    (folders[1] / "b.csv").write_text("x,y\n")
    tifffile.imwrite(folders[1] / "c.tif", SCENE.labels.astype(np.uint16))
    result = score(folders)
    assert result["n"] == 3
    assert result["per_image"]["a"]["aji"] is None
    assert result["per_image"]["b"]["f1_detection"] == 0.0
    assert result["aji"] == result["per_image"]["c"]["aji"]
    means = [result["per_image"][name]["f1_detection"] for name in "abc"]
    assert result["f1_detection"] == pytest.approx(sum(means) / 3)


@pytest.mark.parametrize(("shift_um", "expected"), [(2.0, 1.0), (4.0, 0.0)])
def test_points_match_within_three_micrometres(
    folders: tuple[Path, Path], shift_um: float, expected: float
) -> None:
    rgb = np.full((200, 200, 3), (225, 160, 200), np.uint8)
    cv2.circle(rgb, (100, 100), 16, (90, 60, 140), -1)
    cv2.imwrite(str(folders[0] / "a.png"), rgb[..., ::-1])
    (folders[1] / "a.csv").write_text(f"x,y\n{100.5 + shift_um / MPP},100.5\n")
    said = {"method": "nuclei_watershed", "params": {"stain": "H&E"}}
    assert score(folders, **said)["f1_detection"] == expected


def test_metrics_that_no_image_has_are_none(folders: tuple[Path, Path]) -> None:
    write_image(folders[0], "a.png")
    (folders[1] / "a.csv").write_text("x,y\n10,10\n")
    assert score(folders)["pq"] is None


def test_the_objects_scored_are_those_of_an_analysis(tmp_path: Path) -> None:
    write_image(tmp_path, "a.png")
    with with_scale(open_slide(tmp_path / "a.png"), MPP) as slide:
        scored = detect(slide, build_method(None, {}), lambda: None)
    request = {"slide": str(tmp_path / "a.png"), "mpp": MPP}
    result = analyze.run(request, SilentProgress())
    with RunFile.open(Path(result["run_file"])) as run:
        analyzed = run.all()
    assert len(scored) == len(analyzed) > 50
    assert np.array_equal(scored.points, analyzed.points)


def test_parameters_reach_the_method(folders: tuple[Path, Path]) -> None:
    write_image(folders[0], "a.png")
    cv2.imwrite(str(folders[1] / "a.png"), SCENE.labels.astype(np.uint16))
    assert score(folders, params={"min_area_um2": "200"})["aji"] == 0.0
    assert score(folders, method="nuclei-watershed")["aji"] > 0.7


def test_an_image_without_nuclei_found_in_none_scores_one(folders: tuple[Path, Path]) -> None:
    cv2.imwrite(str(folders[0] / "a.png"), np.full((80, 90, 3), 255, np.uint8))
    cv2.imwrite(str(folders[1] / "a.png"), np.zeros((80, 90), np.uint16))
    assert score(folders)["pq"] == 1.0


def test_folders_without_pairs_are_refused(folders: tuple[Path, Path]) -> None:
    write_image(folders[0], "a.png")
    cv2.imwrite(str(folders[1] / "b.png"), SCENE.labels.astype(np.uint16))
    with pytest.raises(InputError, match="No image in “images” has labels"):
        score(folders)


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="“images” cannot be read"):
        score((tmp_path / "images", tmp_path))


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("a.png", b"no picture", "cannot be read"),
        ("a.tif", b"no picture", "cannot be read"),
        ("a.csv", b"name,place\n1,2\n", "no table of points"),
        ("a.csv", b"x,y\n1,here\n", "no table of points"),
        ("a.csv", b"x,y\n1\n", "no table of points"),
    ],
)
def test_broken_labels_are_refused_by_name(
    folders: tuple[Path, Path], name: str, content: bytes, sentence: str
) -> None:
    write_image(folders[0], "a.png")
    (folders[1] / name).write_bytes(content)
    with pytest.raises(InputError, match=f"“{name}”.*{sentence}|“{name}” is {sentence}"):
        score(folders)


def test_labels_of_another_size_or_with_colours_are_refused(folders: tuple[Path, Path]) -> None:
    write_image(folders[0], "a.png")
    cv2.imwrite(str(folders[1] / "a.png"), np.zeros((10, 12), np.uint16))
    with pytest.raises(InputError, match="12 × 10 px, their image is 700 × 500 px"):
        score(folders)
    cv2.imwrite(str(folders[1] / "a.png"), SCENE.rgb)
    with pytest.raises(InputError, match="no picture of instance ids"):
        score(folders)


@pytest.mark.parametrize(
    "changes",
    [
        {"model": "model.safetensors"},
        {"method": "no_such_method"},
        {"mpp": 0.0},
        {"mpp": float("nan")},
        {"params": {"no_such": 1}},
    ],
)
def test_wrong_requests_are_refused(folders: tuple[Path, Path], changes: dict[str, Any]) -> None:
    write_image(folders[0], "a.png")
    cv2.imwrite(str(folders[1] / "a.png"), SCENE.labels.astype(np.uint16))
    with pytest.raises(UsageError):
        score(folders, **changes)


def test_an_evaluation_can_be_stopped(folders: tuple[Path, Path]) -> None:
    write_image(folders[0], "a.png")
    cv2.imwrite(str(folders[1] / "a.png"), SCENE.labels.astype(np.uint16))
    control = Control()
    control.cancel()
    images, labels = folders
    with pytest.raises(Cancelled):
        evaluate.run(
            {"images": str(images), "labels": str(labels), "mpp": MPP}, SilentProgress(control)
        )


def test_objects_of_a_picture_larger_than_a_tile_are_found_once() -> None:
    built = build_method("nuclei_watershed", {})
    small = replace(built, spec=replace(built.spec, patch_px=100))
    slide = ArraySlide(SCENE.rgb, MPP)
    one = detect(slide, built, lambda: None)
    many = detect(slide, small, lambda: None)
    assert abs(len(one) - len(many)) <= 1
    assert Rect(0, 0, 700, 500).intersection(many.extent_l0()) == many.extent_l0()
