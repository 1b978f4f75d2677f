"""Two results of a slide compared without a window: which are meant, and what is told."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pytest
from bag_runs import CLASSES, SIDE_L0, bag_run
from makers import he_image, make_plain
from run_files import new_run
from scipy.stats import pearsonr, spearmanr
from typer.testing import CliRunner

from pathoview.cli import app
from pathoview.core.errors import InputError, PathoViewError, UsageError
from pathoview.core.progress import SilentProgress
from pathoview.slides.opening import open_slide
from pathoview.slides.slide import Slide
from pathoview.study.results import RunFile
from pathoview.tasks import compare_runs

RNG = np.random.default_rng(0)
HERE, THERE, TUMOR = RNG.random((3, 3, 4))


@pytest.fixture
def slide(tmp_path: Path) -> Iterator[Slide]:
    with open_slide(make_plain(tmp_path / "one.png", he_image(256, 192))) as opened:
        yield opened


@pytest.fixture
def runs(slide: Slide) -> list[Path]:
    first = bag_run(slide, HERE, started="2026-01-02T00:00:00+00:00")
    second = bag_run(
        slide, THERE, TUMOR, method="clam", model="m2", started="2026-01-01T00:00:00+00:00"
    )
    return [first, second]


def compared(**request: Any) -> dict[str, Any]:
    return compare_runs.run(request, SilentProgress())


def id_of(path: Path) -> str:
    with RunFile.open(path) as file:
        return file.record.id


def test_correlations_and_the_tiles_that_differ_most_are_told(runs: list[Path]) -> None:
    found = compared(runs=[str(runs[0]), id_of(runs[1])[:8]], n_most=3)
    one, other = (values.ravel() / values.sum() for values in (HERE, THERE))
    assert found["n_shared"] == 12
    assert found["pearson"] == pytest.approx(pearsonr(one, other).statistic, abs=1e-5)
    assert found["spearman"] == pytest.approx(spearmanr(one, other).statistic, abs=1e-5)
    assert (found["first"]["method"], found["second"]["method"]) == ("attention_mil", "clam")
    ranks = np.stack([one.argsort().argsort(), other.argsort().argsort()], 1) / 11
    worst = int(np.abs(ranks[:, 0] - ranks[:, 1]).argmax())
    most, *others = found["most_different"]
    assert len(others) == 2
    assert (most["x_l0"], most["y_l0"]) == (worst % 4 * SIDE_L0, worst // 4 * SIDE_L0)
    assert (most["first_rank"], most["second_rank"]) == pytest.approx(tuple(ranks[worst]))
    assert (most["first"], most["second"]) == pytest.approx((one[worst], other[worst]), abs=1e-6)


def test_the_evidence_of_a_class_is_compared_when_it_is_named(runs: list[Path]) -> None:
    found = compared(runs=[str(one) for one in runs], values=["attention", "Tumor"])
    expected = spearmanr(HERE.ravel(), TUMOR.ravel()).statistic
    assert found["spearman"] == pytest.approx(expected, abs=1e-5)
    assert found["second"]["words"] == "evidence of “Tumor”"
    with pytest.raises(UsageError, match="does not tell a class “Stroma” apart"):
        compared(runs=[str(one) for one in runs], values=["attention", "Stroma"])


def test_where_all_tiles_counted_the_same_evidence_is_compared(slide: Slide) -> None:
    runs = [bag_run(slide, np.ones((3, 4)), TUMOR), bag_run(slide, HERE)]
    found = compared(runs=[str(one) for one in runs])
    assert (found["first"]["value"], found["second"]["value"]) == (CLASSES[-1].name, "attention")


def test_results_of_a_slide_are_chosen_by_method_else_the_newest(
    slide: Slide, runs: list[Path]
) -> None:
    bag_run(slide, THERE, started="2025-01-01T00:00:00+00:00")
    path = str(slide.path)
    for methods in (["attention_mil", "clam"], []):
        found = compared(slide=path, methods=methods)
        assert [found[which]["id"] for which in ("first", "second")] == [id_of(one) for one in runs]
    with pytest.raises(InputError, match="no finished result of “dsmil”") as told:
        compared(slide=path, methods=["clam", "dsmil"])
    assert id_of(runs[0])[:8] in told.value.hint


@pytest.mark.parametrize(
    ("request_", "part"),
    [
        ({}, "It is not said which results"),
        ({"runs": ["a", "b"], "slide": "s"}, "It is not said which results"),
        ({"runs": ["12345678"]}, "Two results are compared"),
        ({"runs": ["12345678", "*"]}, "There is no result “12345678”"),
        ({"runs": ["a", "b"], "values": ["attention"]}, "Say of both results"),
    ],
)
def test_what_is_not_clear_is_told_in_a_sentence(request_: dict[str, Any], part: str) -> None:
    with pytest.raises(UsageError, match=part):
        compared(**request_)


def test_results_that_cannot_be_compared_are_refused(
    slide: Slide, runs: list[Path], tmp_path: Path
) -> None:
    with new_run(slide) as nuclei:
        path = nuclei.path
    with pytest.raises(UsageError, match="no finished result of a whole slide"):
        compared(runs=[str(runs[0]), str(path)])
    with open_slide(make_plain(tmp_path / "two.png", he_image(128, 128))) as another:
        other = bag_run(another, np.ones((2, 2)))
        with pytest.raises(InputError, match="no results of two models"):
            compared(slide=str(another.path))
    with pytest.raises(UsageError, match="of different slides"):
        compared(runs=[str(runs[0]), str(other)])


def test_the_command_prints_lines_json_and_a_table(
    slide: Slide, runs: list[Path], tmp_path: Path
) -> None:
    table = tmp_path / "tiles.csv"
    words = ["compare", "--slide", str(slide.path), "--n", "2", "--output", str(table)]
    said = CliRunner().invoke(app, words)
    assert said.exit_code == 0, said.output
    lines = said.stdout.splitlines()
    assert len(lines) == 5
    assert "12 tiles in both: Spearman" in lines[2]
    found = orjson.loads(CliRunner().invoke(app, [*words, "--json"]).stdout)
    assert len(found["most_different"]) == 2
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    first = {name: float(value) for name, value in rows[0].items()}
    assert first == pytest.approx(found["most_different"][0])
    failed = CliRunner().invoke(app, ["compare", "nothing", "here"])
    assert isinstance(failed.exception, PathoViewError)
