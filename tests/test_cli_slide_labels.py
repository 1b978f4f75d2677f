"""Methods for whole slides on the command line: taught by a table, scored against one."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
from labelled_slides import cohort, described, recorded
from studies import opened

from pathoview import cli
from pathoview.evaluation.slides import scores_with_intervals
from pathoview.methods.engine import bag_baselines
from pathoview.methods.model import read_card
from pathoview.study.model import SlideLabel
from pathoview.tasks import bag_data

QUICK = ["--method", "attention_mil", "--folds", 3]
QUICK += [f"--param={one}" for one in ("n_steps=4", "batch=4", "width=8")]


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bag_data, "described", described)
    few_steps = bag_baselines.MAX_PARAMS.model_copy(update={"n_steps": 2})
    monkeypatch.setattr(bag_baselines, "MAX_PARAMS", few_steps)
    few_draws = partial(scores_with_intervals, n_draws=50)
    monkeypatch.setattr("pathoview.tasks.train_bags.scores_with_intervals", few_draws)


def run(*arguments: object) -> int:
    return cli._run([str(argument) for argument in arguments])


def test_a_table_teaches_and_another_scores(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, labels = cohort(tmp_path)
    where = ["--images", folder, "--labels", labels, "--mpp", 0.5]
    output = tmp_path / "m.safetensors"
    options = ["--tile", 32, "--scale", 1, "--threshold", "sensitivity", "--output", output]
    options += ["--permutations", 2]
    assert run("train", *QUICK, *where, *options) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["model"] == str(output)
    low, high = told["intervals"]["auroc"]
    assert low <= told["metrics"]["auroc"] <= high
    assert read_card(output).settings["threshold_rule"] == "sensitivity"
    assert told["metrics"]["shuffled.n"] == 2
    report = tmp_path / "r.html"
    assert run("evaluate", "--model", output, *where, "--report", report) == 0
    scores = json.loads(capsys.readouterr().out)
    assert scores["n"] == 12
    assert "12 of 12 images" in scores["warnings"][0]
    assert scores["pooled"]["auroc"]["over"] == "patients"
    assert "1 - specificity" in report.read_text()
    assert "With labels that patients had exchanged" in report.read_text()


def test_the_tiles_are_described_as_it_was_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, labels = cohort(tmp_path)
    orders = []

    def noted(slide, progress, order, weights):  # type: ignore[no-untyped-def]
        orders.append(order)
        return described(slide, progress, order)

    monkeypatch.setattr(bag_data, "described", noted)
    said = [
        "--tile",
        48,
        "--scale",
        2,
        "--scale",
        4,
        "--encoder",
        "resnet18",
        "--weights",
        "random",
    ]
    where = ["--images", folder, "--labels", labels, "--mpp", 0.5, "--normalise", "reinhard"]
    assert run("train", *QUICK, *where, *said) == 0
    order = orders[0]
    assert (order.encoder, order.source, order.mpp) == ("resnet18", "random", (2.0, 4.0))
    assert (order.tile_px, order.normalisation) == (48, "reinhard")


def test_grades_of_a_study_teach(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder, _labels = cohort(tmp_path)
    records = [
        recorded(path, SlideLabel(label_kind="grade", name="ISUP", value=number % 2 + 1))
        for number, path in enumerate(sorted(folder.iterdir()))
    ]
    with opened(tmp_path / "s.pathoview") as study:
        study.put(*records)
    assert run("train", *QUICK, "--study", tmp_path / "s.pathoview", "--grade", "ISUP") == 0
    told = json.loads(capsys.readouterr().out)
    assert told["labels"] == {"ISUP 1": 6, "ISUP 2": 6}
    assert "kappa_quadratic" in told["metrics"]


def test_what_is_wrong_is_a_sentence_and_a_number(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, labels = cohort(tmp_path, 4)
    where = ["--images", folder, "--mpp", 0.5]
    assert run("train", *QUICK, *where, "--labels", tmp_path / "no.csv") == 3
    assert "no.csv" in capsys.readouterr().err
    assert run("train", *QUICK[:2], *where, "--labels", labels) == 2
    assert "4 patients cannot be shared out to 5 folds" in capsys.readouterr().err
    assert run("train", *QUICK, *where, "--labels", labels, "--class", "Tumor") == 3
    assert "nothing to tell apart" in capsys.readouterr().err
