"""Pseudo-healthy runs on the command line: apply, picture, export."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from makers import he_image, make_pyramid_tiff
from PIL import Image
from synthesis_methods import HEALTHY, known_bleach

from pathoview import cli


@pytest.fixture
def slide(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return make_pyramid_tiff(tmp_path / "scene.tif", he_image(900, 700, glass_px=100))


def run(*arguments: object) -> int:
    return cli._run([str(argument) for argument in arguments])


def healthy(name: str) -> float:
    """Return the share of pixels that are painted as healthy tissue."""
    with Image.open(name) as picture:
        apart = np.abs(np.asarray(picture.convert("RGB")).astype(int) - HEALTHY)
    return float((apart <= 2).all(axis=2).mean())


def test_a_slide_is_shown_as_if_it_were_healthy_and_written_in_every_form(
    slide: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    model = known_bleach(monkeypatch, tmp_path)
    asked = ("--region", "100,100,600,500", "--output", "a.geojson", "--overview", "a.png")
    assert run("apply", model, slide, *asked) == 0
    assert "mm² taken for pathology" in capsys.readouterr().out
    assert Path("a.png").exists()
    assert run("picture", slide, "seen.png", "--scale", "0.5", "--size", "450,350") == 0
    shown = ("--show", "pseudo-healthy", "--scale", "0.5", "--size", "450,350")
    assert run("picture", slide, "made.png", *shown) == 0
    assert healthy("made.png") > 0.02 > 10 * healthy("seen.png")
    assert run("picture", slide, "x.png", "--show", "something") == 2
    for name, form in (
        ("p.png", "pseudo-healthy"),
        ("p.ome.tif", "pseudo-healthy-tiff"),
        ("d.ome.tif", "difference"),
    ):
        capsys.readouterr()
        assert run("export", slide, name, "--format", form) == 0
        assert "1 µm per px" in capsys.readouterr().out
    assert healthy("p.png") > 0.01
    assert run("export", slide, "t.csv", "--format", "pathology-table") == 0
    assert "1 object written" in capsys.readouterr().out
    (line,) = csv.DictReader(Path("t.csv").read_text("utf-8-sig").splitlines())
    assert 0 < float(line["Pathology mm²"]) < float(line["Analysed mm²"]) <= 0.3
    said = ("--map", "of=difference", "--map", "difference=40", "--map", "smallest_um2=5")
    assert run("export", slide, "areas.geojson", *said) == 0
    found = json.loads(Path("areas.geojson").read_bytes())["features"]
    assert {one["properties"]["classification"]["name"] for one in found} == {"Difference ≥ 40"}
    assert run("export", slide, "t.csv", "--format", "pathology-table", "--judge", model) == 2


def test_a_run_of_another_kind_has_no_such_picture(
    slide: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("analyze", slide, "--output", "a.geojson") == 0
    assert run("picture", slide, "x.png", "--show", "pseudo-healthy") == 2
    assert "no pseudo-healthy picture" in capsys.readouterr().err
