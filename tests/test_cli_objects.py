"""Nuclei told apart on the command line: train on examples, apply, export."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from teaching import CLASSES, teach_study

from pathoview import cli


def run(*arguments: object) -> int:
    return cli._run([str(argument) for argument in arguments])


def test_examples_are_learned_and_all_nuclei_told_apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    study, slide = teach_study(tmp_path, "objects")
    monkeypatch.chdir(tmp_path)
    assert (
        run("train", "--method", "object_classifier", "--study", study, "--output", "m.safetensors")
        == 0
    )
    assert json.loads(capsys.readouterr().out)["metrics"]["macro_f1"] > 0.7
    assert run("apply", "m.safetensors", slide, "--output", "told.geojson") == 0
    assert "nuclei classified" in capsys.readouterr().out
    found = json.loads(Path("told.geojson").read_bytes())["features"]
    names = {one["properties"]["classification"]["name"] for one in found}
    assert names == {one.name for one in CLASSES}
    assert "Probability of Nucleus" in Path("told.geojson").read_text()
    assert run("apply", "m.safetensors", slide, "--run", "abcdef", "--output", "no.geojson") != 0
    assert "no finished run" in capsys.readouterr().err


def test_only_models_of_objects_take_a_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    study, slide = teach_study(tmp_path, "scribbles")
    monkeypatch.chdir(tmp_path)
    said = ("--method", "pixel_forest", "--study", study, "--param", "n_trees=5")
    assert run("train", *said, "--output", "map.safetensors") == 0
    assert run("apply", "map.safetensors", slide, "--run", "abcdef") == 2
    assert "takes no run" in capsys.readouterr().err
