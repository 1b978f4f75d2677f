"""``pathoview leaks``."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from leak_folders import folders

from pathoview import cli
from pathoview.cli_leaks import LEAKS_FOUND


def run(*arguments: object) -> int:
    return cli._run([str(argument) for argument in arguments])


def test_clean_folders_leave_with_0_and_leaks_with_a_code_of_their_own(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clean = folders(tmp_path / "clean", leaks=False)
    assert run("leaks", "--train", clean["train"], "--val", clean["val"]) == 0
    assert "12 pictures compared. No leaks were found." in capsys.readouterr().out
    leaky = folders(tmp_path / "leaky", leaks=True)
    report = tmp_path / "report.html"
    said = ("--train", leaky["train"], "--val", leaky["val"], "--report", report)
    assert run("leaks", *said) == LEAKS_FOUND == 5
    told = capsys.readouterr().out
    assert "LEAK: 2 pairs of pictures in different splits are nearly the same." in told
    assert "Jane" not in told
    assert report.is_file()


def test_json_says_the_same(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    leaky = folders(tmp_path, leaks=True)
    said = ("--train", leaky["train"], "--test", leaky["val"], "--json", "--no-alike", "--names")
    assert run("leaks", *said) == LEAKS_FOUND
    result = json.loads(capsys.readouterr().out)
    assert result["n_errors"] == 1
    assert result["splits"] == {"train": 8, "test": 6}
    assert result["embedding"] == ""
    names = {side["name"] for side in result["findings"][0]["pairs"][0]["items"]}
    assert names == {"benign/Jane Doe 0.png", "benign/packed.jpg"}


def test_wrong_use_and_bad_input_have_the_usual_codes(tmp_path: Path) -> None:
    assert run("leaks") == 2
    assert run("leaks", "--study", tmp_path / "none.pathoview") == 3
