"""``pathoview similar`` and ``tile-map``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import orjson
import pytest
from bag_runs import write_features
from makers import he_image, make_plain
from typer.testing import CliRunner, Result

from pathoview.cli import app
from pathoview.core.errors import UsageError
from pathoview.slides.opening import open_slide


@pytest.fixture
def slide(tmp_path: Path) -> str:
    path = make_plain(tmp_path / "one.png", he_image(256, 192))
    rows = np.random.default_rng(0).normal(0, 1, (12, 8))
    with open_slide(path) as opened:
        write_features(opened.content_hash, "S-1", rows, 4)
    return str(path)


def typed(*words: str) -> Result:
    result = CliRunner().invoke(app, list(words))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_similar_tiles_are_printed_as_lines_or_json(slide: str) -> None:
    said = typed("similar", slide, "--at", "10,10", "--n", "3")
    assert len(said.stdout.splitlines()) == 3
    assert all("slide-" in line for line in said.stdout.splitlines())
    assert "12 tiles of 1 slides" in said.stderr
    found = orjson.loads(typed("similar", slide, "--at", "10,10", "--json").stdout)
    assert len(found["similar"]) == 11
    with pytest.raises(UsageError):
        typed("similar", slide, "--at", "somewhere")


def test_a_map_is_printed_as_json(slide: str) -> None:
    found = orjson.loads(typed("tile-map", slide, "--n", "5").stdout)
    assert len(found["x"]) == len(found["x_l0"]) == 5
