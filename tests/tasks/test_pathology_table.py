"""A pseudo-healthy run in figures: for all of it, and for each region that was drawn."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from makers import he_image, make_pyramid_tiff
from raster_runs import seen_at_once
from studies import draw
from synthesis_methods import known_bleach
from test_analyze_synthesis import made_of

from pathoview.annotations.change import Change
from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.feature import Feature
from pathoview.core.errors import UsageError
from pathoview.core.progress import SilentProgress
from pathoview.evaluation.synthesis import identity
from pathoview.methods.model import Model, read_model, write_model
from pathoview.slides.opening import open_slide
from pathoview.study.results import RunFile
from pathoview.tasks import analyze, export_file

BOX_L0 = (300, 300, 900, 700)


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("slides") / "scene.tiff"
    return make_pyramid_tiff(path, he_image(1500, 1100, glass_px=200))


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    return known_bleach(monkeypatch, tmp_path)


@pytest.fixture
def run_file(slide: Path, model: Path) -> str:
    order = {"slide": str(slide), "model": str(model), "tile_px": 256, "n_computers": 1}
    return str(analyze.run(order, SilentProgress())["run_file"])


def study_of(slide: Path, folder: Path) -> Path:
    """A study with an area, a line, and an area on glass."""
    with open_slide(slide) as opened:
        name = opened.content_hash
    drawn = [
        Feature(
            shapely.box(*BOX_L0), name="Gland", classification=DetectionClass("Tumor", (1, 2, 3))
        ),
        Feature(shapely.LineString([(0, 0), (900, 900)])),
        Feature(shapely.box(0, 0, 60, 60)),
    ]
    draw(folder / "study.pvstudy", Change.adding(drawn), slide=name)
    return folder / "study.pvstudy"


def table(slide: Path, run_file: str, output: Path, **more: Any) -> Sequence[Mapping[str, str]]:
    order = {"run_file": run_file, "output": str(output), "format": "pathology-table"}
    result = export_file.run(order | {"slide": str(slide)} | more, SilentProgress())
    lines = list(csv.DictReader(output.read_text("utf-8-sig").splitlines()))
    assert result["n_objects"] == len(lines)
    return lines


def test_regions_are_told_in_figures(slide: Path, run_file: str, tmp_path: Path) -> None:
    study = study_of(slide, tmp_path)
    whole, gland, glass = table(slide, run_file, tmp_path / "a.csv", study=str(study))
    patch, tissue = seen_at_once(slide)
    made = made_of(patch)
    with RunFile.open(Path(run_file)) as run:
        record = run.record
    assert record.mpp is not None
    pixel_mm2 = (record.mpp / 1000) ** 2
    assert float(whole["Pathology mm²"]) == pytest.approx(record.pathology_mm2)
    assert float(whole["Analysed mm²"]) == pytest.approx(np.count_nonzero(tissue) * pixel_mm2)
    assert (gland["Region"], gland["Class"]) == ("Gland", "Tumor")
    x, y, right, bottom = (round(side / record.scale_l0) for side in BOX_L0)
    part = slice(y, bottom), slice(x, right)
    is_sick = made.pathology[part] >= 0.5
    apart = np.abs(patch[part].astype(float) - made.picture[part]).mean(axis=2)
    assert float(gland["Analysed mm²"]) == pytest.approx(is_sick.size * pixel_mm2)
    assert float(gland["Share of pathology"]) == pytest.approx(is_sick.mean(), rel=0.01)
    assert float(gland["Mean difference"]) == pytest.approx(apart.mean(), rel=0.02)
    inside, outside = (
        float(gland[f"Mean difference {where}"]) for where in ("in pathology", "elsewhere")
    )
    assert inside > 5 * outside
    assert float(gland["Identity"]) == pytest.approx(
        identity(patch[part], made.picture[part], is_sick), abs=0.02
    )
    assert gland["Healthiness"] == ""
    assert (glass["Analysed mm²"], glass["Identity"], glass["Region"]) == ("0", "", "Region 3")


def judge_of(model: Path, mpp: float = 1.0) -> Path:
    """The same eyes under another name."""
    said = read_model(model)
    card = said.card.model_copy(update={"id": "b2" * 16, "mpp": mpp})
    path = model.with_name(f"judge{mpp}.safetensors")
    write_model(path, Model(card, said.tensors))
    return path


def test_another_model_tells_healthiness(
    slide: Path, model: Path, run_file: str, tmp_path: Path
) -> None:
    (whole,) = table(slide, run_file, tmp_path / "a.csv", judge=str(judge_of(model)))
    patch, tissue = seen_at_once(slide)
    made = made_of(patch)
    again = made_of(np.where(tissue[..., None], made.picture, patch))
    n_before = np.count_nonzero((made.pathology >= 0.5) & tissue)
    n_after = np.count_nonzero((again.pathology >= 0.5) & tissue)
    assert float(whole["Healthiness"]) == pytest.approx(1 - n_after / n_before)
    assert float(whole["Healthiness"]) > 0.9


def test_who_cannot_judge_is_refused(
    slide: Path, model: Path, run_file: str, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="cannot judge it"):
        table(slide, run_file, tmp_path / "a.csv", judge=str(model))
    with pytest.raises(UsageError, match="does not find “Tumor” at 1 µm"):
        table(slide, run_file, tmp_path / "a.csv", judge=str(judge_of(model, 2.0)))
    assert not (tmp_path / "a.csv").exists()
