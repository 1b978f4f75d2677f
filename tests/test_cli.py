"""The command line as a person meets it: what is written, said, and with which exit code."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import orjson
import pytest
from makers import he_image, he_scene, make_plain, make_pyramid_tiff, make_svs

from pathoview import cli


def run(*arguments: str | Path) -> int:
    return cli._run([str(argument) for argument in arguments])


@pytest.fixture
def in_tmp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_info_says_size_scale_and_reader(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slide = make_svs(tmp_path / "a.svs")
    assert run("info", slide, "--json") == 0
    facts = orjson.loads(capsys.readouterr().out)
    assert (facts["width"], facts["height"]) == (1024, 768)
    assert facts["mpp"] == pytest.approx([0.5, 0.5])
    assert run("info", slide) == 0
    assert "1024 × 768 px" in capsys.readouterr().out


def test_methods_lists_parameters_with_units(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("methods", "--json") == 0
    listed = {facts["name"]: facts for facts in orjson.loads(capsys.readouterr().out)}
    units = {row["unit"] for row in listed["nuclei_watershed"]["parameters"]}
    assert "µm²" in units
    assert run("methods") == 0
    assert "nuclei_watershed" in capsys.readouterr().out


def test_thumbnail_has_the_asked_size(tmp_path: Path) -> None:
    slide = make_pyramid_tiff(tmp_path / "a.tif")
    assert run("thumbnail", slide, tmp_path / "t.png", "--size", "256") == 0
    picture = cv2.imread(str(tmp_path / "t.png"))
    assert picture.shape == (192, 256, 3)
    assert picture.std() > 5


def test_analyze_writes_geojson_and_overview(
    in_tmp: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slide = make_svs(in_tmp / "a.svs")
    assert run("analyze", slide, "--output", "o.geojson", "--overview", "o.png") == 0
    features = orjson.loads((in_tmp / "o.geojson").read_bytes())["features"]
    assert len(features) > 300
    plain = make_plain(in_tmp / "plain.png", he_image(1024, 768))
    assert plain.exists()
    drawn = cv2.imread(str(in_tmp / "o.png")).astype(int)
    assert drawn.shape == (768, 1024, 3)
    assert np.abs(drawn - he_image(1024, 768)[..., ::-1]).mean() > 1
    said = capsys.readouterr()
    assert "o.geojson" in said.out
    assert "a.svs" in said.err


def test_analyze_without_an_output_writes_beside_where_one_stands(in_tmp: Path) -> None:
    slide = make_pyramid_tiff(in_tmp / "b.tif", he_image(512, 512))
    assert run("analyze", slide) == 0
    assert (in_tmp / "b.geojson").exists()


def test_analyze_of_several_slides_fills_a_folder_and_goes_on_after_a_bad_one(
    in_tmp: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = make_pyramid_tiff(in_tmp / "good.tif", he_image(512, 512))
    bad = in_tmp / "bad.svs"
    bad.write_bytes(b"")
    assert run("analyze", bad, good, "--output", in_tmp / "out") == 3
    assert (in_tmp / "out" / "good.geojson").exists()
    assert "bad.svs" in capsys.readouterr().err
    assert run("analyze", good, bad, "--output", "one.geojson") == 2


def test_analyze_of_a_region_stays_in_it(in_tmp: Path) -> None:
    slide = make_pyramid_tiff(in_tmp / "a.tif")
    assert run("analyze", slide, "--region", "200,100,300,250", "--output", "o.geojson") == 0
    features = orjson.loads((in_tmp / "o.geojson").read_bytes())["features"]
    centers = np.array([np.mean(f["geometry"]["coordinates"][0], axis=0) for f in features])
    assert len(centers) > 20
    assert centers.min(axis=0) == pytest.approx([200, 100], abs=20)
    assert (centers.max(axis=0) < [502, 352]).all()


def test_a_finished_result_is_exported_again_as_an_array(in_tmp: Path) -> None:
    slide = make_pyramid_tiff(in_tmp / "a.tif", he_image(512, 512))
    assert run("export", slide, "none.geojson") == 3
    assert run("analyze", slide, "--output", "o.geojson") == 0
    assert run("export", slide, "p.geojson", "--array", "--no-measurements") == 0
    array = orjson.loads((in_tmp / "p.geojson").read_bytes())
    assert isinstance(array, list)
    assert "measurements" not in array[0]["properties"]


def test_an_exported_file_is_imported_again(
    in_tmp: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slide = make_pyramid_tiff(in_tmp / "a.tif", he_image(512, 512))
    assert run("analyze", slide, "--output", "o.geojson") == 0
    count = len(orjson.loads((in_tmp / "o.geojson").read_bytes())["features"])
    capsys.readouterr()
    assert run("import", "o.geojson", slide) == 0
    assert f"{count} objects read" in capsys.readouterr().out


def test_evaluate_writes_the_scores(in_tmp: Path) -> None:
    scene = he_scene(512, 512, mpp=0.25)
    (in_tmp / "images").mkdir()
    (in_tmp / "labels").mkdir()
    make_plain(in_tmp / "images" / "x.png", scene.rgb)
    cv2.imwrite(str(in_tmp / "labels" / "x.png"), scene.labels.astype(np.uint16))
    folders = ["--images", "images", "--labels", "labels", "--mpp", "0.25"]
    assert run("evaluate", *folders, "--json", "s.json") == 0
    scores = orjson.loads((in_tmp / "s.json").read_bytes())
    wanted = {"aji", "aji_plus", "pq", "dice_object", "f1_pixel", "iou_pixel", "f1_detection"}
    assert wanted | {"n", "per_image"} <= set(scores)
    assert scores["n"] == 1
    assert scores["aji"] > 0.6
    assert set(scores["per_image"]) == {"x.png"} or set(scores["per_image"]) == {"x"}


def test_a_slide_without_scale_is_refused_until_it_is_given_and_then_remembered(
    in_tmp: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slide = make_plain(in_tmp / "a.png", he_image(512, 512))
    assert run("analyze", slide) == 3
    assert "--mpp" in capsys.readouterr().err
    assert run("analyze", slide, "--mpp", "0.5") == 0
    assert run("analyze", slide) == 0


@pytest.mark.parametrize(
    "arguments",
    [
        ["analyze", "a.png", "--method", "nuclei_watershd"],
        ["analyze", "a.png", "--param", "no_such=1"],
        ["analyze", "a.png", "--param", "word"],
        ["analyze", "a.png", "--region", "1,2,3"],
        ["analyze", "a.png", "--region", "0,0,0,5"],
        ["analyze"],
        ["info", "--bogus"],
        ["evaluate", "--images", "x"],
    ],
)
def test_wrong_use_leaves_with_2(in_tmp: Path, arguments: list[str]) -> None:
    make_plain(in_tmp / "a.png")
    assert run(*arguments) == 2


def _truncated(folder: Path) -> Path:
    whole = make_svs(folder / "whole.svs").read_bytes()
    path = folder / "truncated.svs"
    path.write_bytes(whole[: len(whole) // 3])
    return path


def _text(folder: Path) -> Path:
    path = folder / "text.svs"
    path.write_text("this is a letter, not a slide\n" * 50)
    return path


def _empty(folder: Path) -> Path:
    path = folder / "empty.svs"
    path.write_bytes(b"")
    return path


def _folder(folder: Path) -> Path:
    path = folder / "folder.svs"
    path.mkdir()
    return path


def _missing(folder: Path) -> Path:
    return folder / "missing.svs"


@pytest.mark.parametrize("make", [_truncated, _text, _empty, _folder, _missing])
@pytest.mark.parametrize("verb", ["info", "analyze", "thumbnail"])
def test_a_file_that_is_no_slide_leaves_with_3_and_one_sentence(
    make: object, verb: str, in_tmp: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = make(in_tmp)  # type: ignore[operator]
    more = ["t.png"] if verb == "thumbnail" else []
    assert run(verb, path, *more) == 3
    said = capsys.readouterr().err
    assert path.name in said
    assert "Traceback" not in said


def test_broken_geojson_leaves_with_3(in_tmp: Path, capsys: pytest.CaptureFixture[str]) -> None:
    slide = make_pyramid_tiff(in_tmp / "a.tif", he_image(256, 256))
    (in_tmp / "deep.geojson").write_text("[" * 100_000)
    assert run("import", "deep.geojson", slide) == 3
    assert "Traceback" not in capsys.readouterr().err


def test_the_first_word_may_be_a_slide(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[list[str]] = []
    monkeypatch.setattr(sys, "argv", ["pathoview", "x.svs", "y.svs"])
    monkeypatch.setattr(cli, "_run", lambda arguments: seen.append(arguments) or 0)
    with pytest.raises(SystemExit) as leaving:
        cli.main()
    assert leaving.value.code == 0
    assert seen == [["open", "x.svs", "y.svs"]]


def test_listing_methods_imports_neither_torch_nor_qt() -> None:
    code = (
        "import sys; from pathoview import cli; cli._run(['methods', '--json']);"
        "bad = {'torch', 'PySide6', 'pyqtgraph'} & set(sys.modules); sys.exit(len(bad))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=os.environ, capture_output=True, check=False
    )
    assert done.returncode == 0


def test_a_picture_of_a_place_is_written_as_png_and_svg(
    in_tmp: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    slide = make_pyramid_tiff(in_tmp / "a.tif", he_image(512, 512))
    assert run("analyze", slide, "--output", "o.geojson") == 0
    place = ("--center", "256,256", "--magnification", "20", "--size", "320,240")
    more = ("--rotate", "15", "--flip", "--legend", "--grid", "--colour-by", "Area µm²")
    assert run("picture", slide, "p.png", *place) == 0
    assert cv2.imread("p.png").shape == (240, 320, 3)
    assert run("picture", slide, "p.svg", *place, *more) == 0
    svg = (in_tmp / "p.svg").read_text("utf-8")
    assert svg.count("<path") > 10
    assert "a.tif" not in svg
    assert run("picture", slide, "q.png", *place, "--no-results", "--no-scale-bar") == 0
    plain, full = cv2.imread("q.png"), cv2.imread("p.png")
    assert (plain != full).any()
    assert np.abs(plain.astype(int) - he_image(512, 512)[136:376, 96:416, ::-1]).mean() < 3
    np.save("heat.npy", np.linspace(0, 1, 512 * 512, dtype=np.float32).reshape(512, 512))
    layer = ("--layer", "heat.npy", "--layer-kind", "heatmap", "--layer-scale", "0.5")
    moved = ("--layer-offset", "128,128", "--legend")
    assert run("picture", slide, "h.png", *place, *layer, *moved, "--no-results") == 0
    heat = cv2.imread("h.png").astype(int)
    assert np.abs(heat - plain)[130:160, 60:200].mean() > 20
    assert run("picture", slide, "h.png", *layer, "--layer", "heat.npy", "--layer-scale", "2") == 0
    capsys.readouterr()
    assert run("picture", slide, "h.png", *layer, *layer, "--layer", "heat.npy") == 2
    assert run("picture", slide, "h.png", *layer, "--layer-offset", "5") == 2
    assert run("picture", slide, "p.png", "--size", "large") == 2
    assert run("picture", slide, "p.png", "--scale", "1", "--magnification", "1") == 2
    assert run("picture", slide, "p.jpg") == 2
    assert "neither PNG nor SVG" in capsys.readouterr().err
