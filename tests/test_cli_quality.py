"""``pathoview quality`` and ``pathoview normalise``: numbers, maps and pictures on disk."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import orjson
import pytest
import tifffile
from makers import he_image, make_plain, make_svs
from PIL import Image

from pathoview import cli
from pathoview.slides.opening import open_slide
from pathoview.slides.stain_normalisation import StainNormaliser


def run(*arguments: str | Path) -> int:
    return cli._run(list(map(str, arguments)))


@pytest.fixture
def slide(tmp_path: Path) -> Path:
    """1,600 × 1,200 px at 1 µm: tissue left, blue ink right."""
    picture = np.full((1200, 1600, 3), 244, np.uint8)
    picture[:, :1100] = he_image(1100, 1200, mpp=1.0)
    picture[300:600, 1250:1500] = (25, 40, 130)
    return make_svs(tmp_path / "a.svs", picture, mpp=1.0)


def test_quality_is_told_and_its_maps_are_written(
    slide: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("quality", slide, "--output", tmp_path / "out") == 0
    assert "Blue ink" in capsys.readouterr().out
    facts = orjson.loads((tmp_path / "out" / "a-quality.json").read_bytes())
    assert facts["tissue_mm2"] == pytest.approx(1.1 * 1.2, rel=0.08)
    assert facts["ink_share"] == pytest.approx(0.25 * 0.3 / 1.92, rel=0.1)
    tissue, ink, blur = (
        cv2.imread(str(tmp_path / "out" / f"a-{name}.png"), cv2.IMREAD_UNCHANGED)
        for name in ("tissue", "ink", "blur")
    )
    assert (tissue[..., 0] > 0).mean() == pytest.approx(facts["tissue_share"])
    assert (ink[..., 3] > 0).mean() == pytest.approx(facts["ink_share"])
    assert np.count_nonzero(blur[..., 3]) == facts["blur_tiles"] > 8


def test_json_tells_all_slides_and_a_failure_stops_no_other(
    slide: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = tmp_path / "broken.svs"
    broken.write_bytes(b"no slide")
    assert run("quality", broken, slide, "--json") == 3
    said = capsys.readouterr()
    assert [facts["name"] for facts in orjson.loads(said.out)] == ["a.svs"]
    assert "broken.svs" in said.err
    assert run("quality", broken) == 3


def test_a_region_is_written_in_the_colours_of_the_target(slide: Path, tmp_path: Path) -> None:
    picture = tmp_path / "n.png"
    target = make_plain(tmp_path / "target.png", he_image(900, 700, 5) // 2 + 100)
    asked = ("--region", "100,200,700,600", "--target", target)
    assert run("normalise", slide, picture, *asked) == 0
    with Image.open(picture) as image:
        found = np.asarray(image)
        record = orjson.loads(image.text["Description"].encode())  # type: ignore[attr-defined]
    assert found.shape == (600, 700, 3)
    made = StainNormaliser.from_json(record["normalisation"])
    assert (made.used, made.fitted_on) == ("macenko", "slide")
    with open_slide(slide) as opened:
        assert np.array_equal(found, made.apply(opened.read(0, 100, 200, 700, 600)))


def test_a_tiff_holds_the_whole_slide_with_its_scale_and_the_record(
    slide: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "n.tif"
    assert run("normalise", slide, path, "--method", "reinhard", "--resolution", 2) == 0
    assert "Reinhard" in capsys.readouterr().out
    with tifffile.TiffFile(path) as tiff:
        page = tiff.pages.first
        assert page.shape == (600, 800, 3)
        assert orjson.loads(page.description)["normalisation"]["used"] == "reinhard"
    with open_slide(path) as again:
        assert again.mpp == pytest.approx(2.0)
        assert again.read(0, 700, 100, 50, 50).mean() > 240


def test_wrong_wishes_are_refused_with_a_sentence(
    slide: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = {
        "ending": ("o.gif",),
        "way of normalising": ("o.png", "--method", "magic"),
        "outside": ("o.png", "--region", "9000,0,10,10"),
        "rectangle": ("o.png", "--region", "a,b"),
        "made for H&E": ("o.png", "--stain", "H-DAB"),
    }
    for words, (name, *options) in wrong.items():
        assert run("normalise", slide, tmp_path / name, *options) == 2
        assert words in capsys.readouterr().err
        assert not (tmp_path / name).exists()
