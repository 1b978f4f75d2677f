"""``pathoview cases``."""

from __future__ import annotations

import csv
from pathlib import Path

import orjson
import pytest
from case_methods import describe, flat, known_cases
from labelled_slides import table
from makers import make_plain

from pathoview import cli


@pytest.fixture
def words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is typed to search a folder of three pictures, one of them not described."""
    model = known_cases(monkeypatch, tmp_path)
    folder = tmp_path / "pictures"
    folder.mkdir()
    for number, (name, red) in enumerate({"query": 100, "near": 102, "far": 180}.items()):
        describe(make_plain(folder / f"{name}.png", flat(red, number)))
    make_plain(folder / "new.png", flat(101))
    rows = [{"slide": "near", "label": "Malignant"}, {"slide": "far", "label": "Normal"}]
    labels = table(tmp_path / "labels.csv", rows)
    slide = str(folder / "query.png")
    return ["cases", slide, "--model", str(model), "--images", str(folder), "--labels", str(labels)]


def test_cases_are_printed_as_lines_with_what_there_is_to_know(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli._run([*words, "--names", "--patient", "P1"]) == 0
    said = capsys.readouterr()
    first, second = said.out.splitlines()
    assert first.split()[:3] == ["1", "0.900", "Malignant"]
    assert second.split()[:3] == ["2", "0.000", "Normal"]
    assert first.endswith("near.png")
    for note in ("Of 2: 1 Malignant, 1 Normal", "1 was never described", "--describe", "75%"):
        assert note in said.err
    assert said.err.splitlines()[-1].endswith("retrieval shows evidence, it is not a diagnosis.")
    assert "Nobody says" not in said.err


def test_cases_are_described_and_printed_as_json_without_names(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli._run([*words, "--json", "--describe", "--n", "2", "--metric", "vector"]) == 0
    found = orjson.loads(capsys.readouterr().out)
    assert (found["n_compared"], found["n_without"], len(found["similar"])) == (3, 0, 2)
    assert found["metric"] == "vector"
    assert "near" not in str(found)


def test_the_list_is_written_as_a_table(words: list[str], tmp_path: Path) -> None:
    file = tmp_path / "found.csv"
    assert cli._run([*words, "--csv", str(file)]) == 0
    with file.open(newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert [(one["rank"], one["state"]) for one in rows] == [("1", "Malignant"), ("2", "Normal")]
    assert rows[0]["slide"] == f"slide-{rows[0]['slide_hash'][:8]}"
    assert "name" not in rows[0]
    assert cli._run([*words, "--csv", str(file), "--names"]) == 0
    assert "near.png" in file.read_text("utf-8")


def test_wrong_use_is_said(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert cli._run(words[:4]) == 2
    assert "among which cases" in capsys.readouterr().err
