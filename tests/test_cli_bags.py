"""Models of whole slides on the command line: apply, export, picture."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import tifffile
from bag_methods import TILE_PX, known_bags, planted
from makers import make_svs
from PIL import Image

from pathoview import cli

SIDE = 2 * TILE_PX


@pytest.fixture
def slide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return make_svs(tmp_path / "one.svs", planted(8 * SIDE, 5 * SIDE, 4, 2, SIDE))


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return known_bags(monkeypatch, tmp_path)[0]


def run(*arguments: object) -> int:
    return cli._run([str(argument) for argument in arguments])


def test_a_prediction_is_printed_and_nothing_written_unless_it_is_asked(
    slide: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = set(Path().iterdir())
    assert run("apply", model, slide) == 0
    said = capsys.readouterr().out
    assert "one.svs: Tumor, from 40 tiles" in said
    assert "Benign 0." in said
    assert f"tile at {4 * SIDE}, {2 * SIDE}" in said
    assert set(Path().iterdir()) - before <= {Path(f) for f in Path().glob("*.npz")}


def test_a_prediction_is_a_line_of_json_a_slide(
    slide: Path, model: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    empty = make_svs(tmp_path / "empty.svs", np.full((512, 640, 3), 244, np.uint8))
    assert run("apply", model, slide, empty, "--json") == 0
    first, second = map(json.loads, capsys.readouterr().out.splitlines())
    assert first["slide"] == "one.svs"
    assert first["predicted"] == "Tumor"
    assert first["threshold"] == 0.3
    assert sum(first["probabilities"].values()) == pytest.approx(1)
    assert len(first["top_tiles"]) == 5
    assert (second["predicted"], second["probabilities"]) == (None, None)
    assert "No tissue" in second["why_not"]


def test_the_newest_prediction_is_exported_in_every_form(
    slide: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("apply", model, slide, "--output", "a.geojson", "--overview", "a.png") == 0
    assert len(json.loads(Path("a.geojson").read_bytes())["features"]) == 41
    with Image.open("a.png") as picture:
        yellow = np.asarray(picture.convert("RGB")).astype(int)
    bright = yellow[..., 1] - yellow[..., 2] > 40  # the strongest colour, as no stain is
    assert bright.mean() == pytest.approx(1 / 40, rel=0.2)
    # Nuclei that are found later do not hide the prediction from its own formats.
    assert run("analyze", slide, "--method", "nuclei_watershed", "--output", "n.geojson") == 0
    capsys.readouterr()
    assert run("export", slide, "v.ome.tif", "--format", "tile-values") == 0
    assert "64 µm per px" in capsys.readouterr().out
    assert tifffile.imread("v.ome.tif").shape == (4, 5, 8)
    assert run("export", slide, "v.png", "--format", "attention") == 0
    assert run("apply", model, slide, "--json") == 0
    wanted = "squares=no", "contours=10"
    options = [part for one in wanted for part in ("--map", one)]
    assert run("export", slide, "c.geojson", *options) == 0
    (outline,) = json.loads(Path("c.geojson").read_bytes())["features"]
    assert outline["properties"]["name"] == "attention ≥ 10"
    assert run("picture", slide, "p.png", "--size", "400,250", "--legend") == 0
    assert run("export", slide, "c.geojson", "--map", "tolerance_um=1") == 2
    assert "tolerance_um" in capsys.readouterr().err
