"""Maps of pixel methods on the command line: analyze, export, overview."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from makers import he_image, make_pyramid_tiff
from PIL import Image
from pixel_methods import known_colours

from pathoview import cli


@pytest.fixture
def slide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return make_pyramid_tiff(tmp_path / "scene.tif", he_image(900, 700, glass_px=100))


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, slide: Path) -> Path:
    return known_colours(monkeypatch, tmp_path)


def run(*arguments: object) -> int:
    return cli._run([str(argument) for argument in arguments])


def blueness(path: Path) -> float:
    """Return the share of pixels that are clearly blue, as no stain is."""
    with Image.open(path) as picture:
        red, _green, blue = np.moveaxis(np.asarray(picture.convert("RGB")).astype(int), 2, 0)
    return float((blue > red + 60).mean())


def test_a_map_is_made_and_written_in_every_form(
    slide: Path, model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("apply", model, slide, "--output", "map.geojson", "--overview", "map.png") == 0
    assert "mm²" in capsys.readouterr().out
    names = {
        one["properties"]["classification"]["name"]
        for one in json.loads(Path("map.geojson").read_bytes())["features"]
    }
    assert names == {"Stroma"}  # nuclei are smaller than 100 µm²
    assert blueness(Path("map.png")) > 0.005
    assert run("picture", slide, "view.png", "--size", "400,300", "--legend") == 0
    assert blueness(Path("view.png")) > 0.005
    assert run("picture", slide, "plain.png", "--size", "400,300", "--no-results") == 0
    assert blueness(Path("plain.png")) < 0.001
    assert run("export", slide, "all.geojson", "--map", "smallest_um2=5") == 0
    assert b"Nuclei" in Path("all.geojson").read_bytes()
    capsys.readouterr()

    assert run("export", slide, "classes.png", "--format", "class-map") == 0
    assert "1 µm per px" in capsys.readouterr().out
    assert (
        run("export", slide, "p.ome.tif", "--format", "probabilities", "--map", "as_float=1") == 0
    )
    assert run("export", slide, "large.geojson", "--map", "smallest_um2=1e6") == 0
    assert json.loads(Path("large.geojson").read_bytes())["features"] == []
    assert run("export", slide, "x.geojson", "--map", "tolerance=1") == 2
