"""A network from elsewhere on the command line: imported, shown, used, scored, and given back."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from makers import he_scene, make_pyramid_tiff
from onnx_files import NUCLEI_AND_TISSUE, write_network
from PIL import Image

from pathoview import cli

pytest.importorskip("onnxruntime")


def run(*arguments: object) -> int:
    return cli._run([str(argument) for argument in arguments])


def test_a_network_is_imported_used_scored_and_given_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    scene = he_scene(700, 500, seed=2)
    slide = make_pyramid_tiff(tmp_path / "scene.tif", scene.rgb, mpp=0.5, compression="zlib")
    network = write_network(tmp_path / "net.onnx", size=(128, 128), stride=2, kernel=2)
    assert run("models", "import", network) == 3
    told = capsys.readouterr().err
    assert "mpp, classes, range, activation" in told
    assert "--param mpp" in told
    said = json.dumps({**NUCLEI_AND_TISSUE, "title": "mine"})
    network.with_suffix(".json").write_text(said, "utf-8")
    assert run("models", "import", network, "--param", "halo_um=12") == 0
    assert run("models", "show", "mine") == 0
    shown = capsys.readouterr().out
    assert '"imported_network"' in shown
    assert "CC BY 4.0" in shown
    assert run("apply", "mine", slide, "--overview", "map.png") == 0
    assert run("apply", network, slide) == 2

    for name in ("images", "labels"):
        (tmp_path / name).mkdir()
    Image.fromarray(scene.rgb).save("images/a.png")
    Image.fromarray(scene.labels.astype(np.uint16)).save("labels/a.png")
    where = ("--images", "images", "--labels", "labels", "--mpp", "0.5")
    how = ("--model", "mine", "--positive", "Nucleus", "--json", "scores.json")
    assert run("evaluate", *where, *how) == 0
    assert json.loads(Path("scores.json").read_bytes())["f1_pixel"] > 0.85
    assert run("models", "export", "mine", "out.onnx") == 0
    assert Path("out.onnx").read_bytes() == network.read_bytes()
    assert json.loads(Path("out.json").read_bytes())["halo_um"] == 12
