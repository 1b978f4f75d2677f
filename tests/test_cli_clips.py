"""Clips and bags of pictures on the command line: described, trained on, predicted, evaluated."""

from __future__ import annotations

import json
from functools import partial
from pathlib import Path

import pytest
from clips import described_by, frame, write_frames, write_video
from labelled_slides import table
from makers import he_image

from pathoview import cli
from pathoview.evaluation.slides import scores_with_intervals
from pathoview.methods.engine import bag_baselines
from pathoview.methods.model import read_card

N_FRAMES, SPOTTED = 9, (5, 6)
QUICK = [f"--param={one}" for one in ("n_steps=20", "batch=6", "width=8", "lr=0.02", "patience=0")]


def quick(patch: pytest.MonkeyPatch, folder: Path) -> None:
    patch.chdir(folder)
    patch.setenv("PATHOVIEW_HOME", str(folder / "home"))
    described_by(patch)
    few_steps = bag_baselines.MAX_PARAMS.model_copy(update={"n_steps": 3})
    patch.setattr(bag_baselines, "MAX_PARAMS", few_steps)
    few_draws = partial(scores_with_intervals, n_draws=50)
    for module in ("train_bags", "evaluate_slides"):
        patch.setattr(f"pathoview.tasks.{module}.scores_with_intervals", few_draws)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    quick(monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Clips with their labels, and a model that learned from them."""
    place = tmp_path_factory.mktemp("taught")
    with pytest.MonkeyPatch.context() as patch:
        quick(patch, place)
        folder = clips(place / "clips")
        two = ("--class", "Nothing", "--class", "Spot")
        return folder, trained(folder, "--clips", folder, *two)


def run(*arguments: object) -> int:
    return cli._run([str(argument) for argument in arguments])


def clip(number: int, *, is_positive: bool) -> list:
    return [frame(100 * number + t, has_spot=is_positive and t in SPOTTED) for t in range(N_FRAMES)]


def clips(folder: Path, n: int = 12) -> Path:
    """Write folders of frames and ``labels.csv``; every second clip has a spot in two frames."""
    rows = []
    for number in range(n):
        is_positive = bool(number % 2)
        write_frames(folder / f"case.{number}", clip(number, is_positive=is_positive))
        label = "Spot" if is_positive else "Nothing"
        rows.append({"clip": f"case.{number}", "label": label, "patient": f"P{number}"})
    table(folder / "labels.csv", rows)
    return folder


def trained(folder: Path, *more: object) -> Path:
    code = run(
        *("train", "--method", "attention_mil", "--folds", 2, "--output", "m.safetensors"),
        *("--tile", 32, *QUICK, *more, "--labels", folder / "labels.csv"),
    )
    assert code == 0
    return Path("m.safetensors").absolute()


def test_clips_are_trained_on_predicted_and_evaluated(
    taught: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, model = taught
    card = read_card(model)
    assert card.mpp == 0
    assert card.settings["encoder"]["mpp"] == []
    assert len(card.held_out) == 12
    assert card.metrics["auroc"] > 0.9

    new = write_frames(tmp_path / "new", clip(99, is_positive=True))
    assert run("apply", model, new) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith("new: Spot, from 9 frames")
    assert {line.strip().partition(":")[0] for line in lines[2:4]} == {"frame 6", "frame 7"}
    assert run("apply", model, "--clips", folder, "--json") == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [one["slide"] for one in told] == [f"case.{number}" for number in range(12)]
    assert told[1]["is_clip"]
    assert told[1]["top_tiles"][0]["frame"] - 1 in SPOTTED
    assert told[1]["top_tiles"][0]["time_s"] is None

    labels = folder / "labels.csv"
    assert run("evaluate", "--model", model, "--clips", folder, "--labels", labels) == 0
    assert json.loads(capsys.readouterr().out)["pooled"]["auroc"]["value"] > 0.9
    assert run("apply", model, new, "--region", "0,0,9,9") == 2


def test_a_video_tells_the_time_of_its_frames(
    taught: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = write_video(tmp_path / "video.mp4", clip(50, is_positive=True), rate=5)
    assert run("apply", taught[1], file) == 0
    said = capsys.readouterr().out
    assert "video.mp4: Spot, from 9 frames" in said
    assert "frame 6 (1.00 s): attention" in said
    assert "frame 7 (1.20 s): attention" in said


def test_folders_of_pictures_are_bags_of_tiles(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = []
    for number in range(8):
        pictures = [he_image(96, 64, 10 * number + one) for one in range(2)]
        if number % 2:
            pictures[1][:32, 32:64] = (230, 60, 60)
        write_frames(tmp_path / "bags" / f"b{number}", pictures)
        rows.append({"bag": f"b{number}", "label": "Red" if number % 2 else "Plain"})
    folder = tmp_path / "bags"
    table(folder / "labels.csv", rows)
    scaled = ("--scale", 1.0, "--mpp", 1.0)
    model = trained(folder, "--bags", folder, "--class", "Plain", "--class", "Red", *scaled)
    assert read_card(model).mpp == 1.0
    capsys.readouterr()
    assert run("apply", model, "--bags", folder, "--json") == 0
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    top = told[1]["top_tiles"][0]
    assert (top["frame"], top["x_l0"], top["y_l0"]) == (2, 32, 0)
    assert run("apply", model, folder / "b1") == 0
    assert "picture 2, tile at 32, 0" in capsys.readouterr().out


def test_frames_of_clips_are_described(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = clips(tmp_path / "clips", 2)
    for _time in range(2):
        assert run("features", "--clips", folder, "--tile", 32, "--every", 4) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(",")[0] for line in lines[:2]] == [
        "case.0: 3 tiles × 4 numbers",
        "case.1: 3 tiles × 4 numbers",
    ]
    assert all("there already" in line for line in lines[2:])
    assert run("features", "--clips", folder / "case.1", "--tile", 32) == 0
    assert "case.1: 9 tiles" in capsys.readouterr().out
    assert run("features") == 2
    assert run("features", "--clips", folder, "--scale", 0.5) == 2
    assert run("features", "--clips", folder, "--bags", folder) == 2
    assert run("train", "--method", "attention_mil", "--clips", folder, "--images", folder) == 2
