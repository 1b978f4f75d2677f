"""``pathoview evaluate``: the keys that others score with, reports, and wrong use."""

from __future__ import annotations

import json
from pathlib import Path

import cv2
import numpy as np
import pytest
from makers import he_scene

from pathoview import cli

KEYS = ["aji", "aji_plus", "pq", "dice_object", "f1_pixel", "iou_pixel", "f1_detection"]


def run(*arguments: object) -> int:
    return cli._run(["evaluate", *(str(argument) for argument in arguments)])


@pytest.fixture
def folders(tmp_path: Path) -> list[object]:
    for part in ("images", "labels"):
        (tmp_path / part).mkdir()
    for number, name in enumerate("ab"):
        field = he_scene(300, 300, seed=number, mpp=0.5)
        cv2.imwrite(str(tmp_path / "images" / f"{name}.png"), field.rgb[..., ::-1])
        cv2.imwrite(str(tmp_path / "labels" / f"{name}.png"), field.labels.astype(np.uint16))
    return ["--images", tmp_path / "images", "--labels", tmp_path / "labels", "--mpp", 0.5]


def test_the_scores_that_others_compare_come_first_and_are_means_over_images(
    folders: list[object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(*folders, "--method", "nuclei_watershed") == 0
    told = json.loads(capsys.readouterr().out)
    assert list(told)[:9] == [*KEYS, "n", "per_image"]
    assert told["n"] == 2
    for name in KEYS:
        each = [one[name] for one in told["per_image"].values()]
        assert told[name] == pytest.approx(np.mean(each))
    assert run(*folders, "--method", "nuclei_watershed", "--json", tmp_path / "s.json") == 0
    assert json.loads((tmp_path / "s.json").read_text())["aji"] == told["aji"]


def test_report_tables_and_a_second_method_are_asked_for_by_options(
    folders: list[object], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = ["--report", tmp_path / "r.html", "--csv", tmp_path / "tables", "--worst", 5]
    poor = ["--param", "min_area_um2=40"]
    assert run(*folders, *poor, "--against", "nuclei_watershed", "--seed", 3, *out) == 0
    told = json.loads(capsys.readouterr().out)
    assert len(told["worst"]) == 5
    assert told["difference"]["aji"]["high"] < 0
    assert (tmp_path / "r.html").is_file()
    assert (tmp_path / "tables" / "worst.csv").read_text().count("\n") == 6


def test_wrong_use_leaves_with_2_and_missing_folders_with_3(
    folders: list[object], tmp_path: Path
) -> None:
    assert run() == 2
    assert run(*folders, "--method", "nuclei_watershed", "--model", "m") == 2
    assert run(*folders, "--study", tmp_path / "s.pathoview") == 2
    assert run("--images", tmp_path / "none", "--labels", tmp_path, "--mpp", 0.5) == 3
