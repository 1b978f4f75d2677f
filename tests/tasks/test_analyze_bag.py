"""What is said of whole slides: probabilities, tiles, and nothing where there is no tissue."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from bag_methods import ENCODER, TILE_PX, BrightTiles, FakeFeatures, known_bags, planted, request
from makers import make_svs
from test_analyze import Listener

from pathoview.core.errors import Cancelled, InputError, RunError, UsageError
from pathoview.core.progress import SilentProgress
from pathoview.methods.spec import BagFound
from pathoview.study.bag_rows import BagTiles
from pathoview.study.records import RunRecord
from pathoview.study.results import RunFile
from pathoview.study.slide_prediction import SlidePrediction
from pathoview.tasks import analyze, analyze_bag, features
from pathoview.tasks.analyze_and_export import AnalyzeOrder, analyze_and_export

SIDE = 2 * TILE_PX
"""Of a tile, level-0 px: slides have 0.5 µm per px, tiles 1."""
COLUMN, ROW = 4, 2


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> tuple[Path, FakeFeatures]:
    return known_bags(monkeypatch, tmp_path)


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """10 × 6 tiles, the outermost ones glass, one of them bright."""
    rgb = planted(10 * SIDE, 6 * SIDE, COLUMN, ROW, SIDE, glass_px=SIDE)
    return make_svs(tmp_path_factory.mktemp("slides") / "one.svs", rgb)


def outcome(result: dict[str, Any]) -> tuple[RunRecord, BagTiles]:
    with RunFile.open(Path(result["run_file"])) as run:
        tiles = run.bag_rows().read()
        assert tiles is not None
        return run.record, tiles


def test_the_bright_tile_counts_most_and_the_slide_is_tumor(
    slide: Path, known: tuple[Path, FakeFeatures]
) -> None:
    listener = Listener()
    result = analyze_bag.run(request(slide, known[0]), listener)
    assert result["predicted"] == "Tumor"
    assert result["n_tiles"] == 8 * 4
    top = result["top_tiles"][0]
    assert (top["x_l0"], top["y_l0"]) == (COLUMN * SIDE, ROW * SIDE)
    assert (top["width_l0"], top["height_l0"]) == (SIDE, SIDE)
    assert top["attention"] > 10 > 1 > result["top_tiles"][1]["attention"]
    assert top["evidence"]["Tumor"] > 0.9
    record, tiles = outcome(result)
    assert len(tiles) == 32
    assert tiles.attention.sum() == pytest.approx(1, abs=1e-5)
    assert record.probabilities == pytest.approx(tuple(result["probabilities"].values()))
    assert [data["run_file"] for data in listener.of_kind("started")] == [result["run_file"]]


def test_the_record_tells_what_is_needed_to_repeat_it(
    slide: Path, known: tuple[Path, FakeFeatures]
) -> None:
    record, _tiles = outcome(analyze_bag.run(request(slide, known[0]), SilentProgress()))
    assert (record.gives, record.state, record.method) == ("bag", "done", "bright_tiles")
    assert (record.model, record.model_title) == ("b0" * 16, "Bright or not")
    assert record.context["encoder"]["weights"] == ENCODER.weights
    assert (record.scale_l0, record.grid_px, record.tile_px) == (SIDE, (10, 6), TILE_PX)
    assert record.area_mm2 >= 32 * (SIDE * 0.5 / 1000) ** 2
    assert record.seconds > 0
    assert record.versions["numpy"] == np.__version__
    said = SlidePrediction.of(record)
    assert (said.threshold, said.auroc, said.auroc_interval) == (0.3, 0.91, (0.85, 0.96))


def test_the_threshold_of_the_card_decides_between_two_classes(
    slide: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    model, _features = known_bags(monkeypatch, tmp_path, threshold=0.9999)
    result = analyze_bag.run(request(slide, model), SilentProgress())
    assert result["probabilities"]["Tumor"] > 0.5
    assert result["predicted"] == "Benign"
    model, _features = known_bags(monkeypatch, tmp_path, threshold=None)
    assert analyze_bag.run(request(slide, model), SilentProgress())["predicted"] == "Tumor"


def test_a_slide_without_tissue_has_no_score(
    known: tuple[Path, FakeFeatures], tmp_path: Path
) -> None:
    empty = make_svs(tmp_path / "empty.svs", np.full((512, 640, 3), 244, np.uint8))
    result = analyze_bag.run(request(empty, known[0]), SilentProgress())
    assert result["state"] == "done"
    assert (result["probabilities"], result["predicted"], result["n_tiles"]) == (None, None, 0)
    assert "No tissue" in result["why_not"]
    record, tiles = outcome(result)
    assert (record.probabilities, len(tiles)) == ((), 0)


def test_a_region_is_predicted_from_its_tiles_alone(
    slide: Path, known: tuple[Path, FakeFeatures]
) -> None:
    region = [SIDE, SIDE, 2 * SIDE, 2 * SIDE]
    result = analyze_bag.run(request(slide, known[0], region_l0=region), SilentProgress())
    assert (result["n_tiles"], result["predicted"]) == (4, "Benign")
    _record, tiles = outcome(result)
    assert {*zip(tiles.columns.tolist(), tiles.rows.tolist(), strict=True)} == {
        *((1, 1), (1, 2), (2, 1), (2, 2))
    }


def test_tiles_overlap_where_that_is_asked(
    slide: Path, known: tuple[Path, FakeFeatures], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, described = known
    asked: list[float] = []

    def extract(slide: Any, order: features.FeatureOrder, *args: Any, **said: Any) -> Path:
        asked.append(order.overlap)
        return described.extract(slide, order, *args, **said)

    monkeypatch.setattr(features, "extract", extract)
    result = analyze_bag.run(request(slide, model, params={"overlap": 0.5}), SilentProgress())
    record, _tiles = outcome(result)
    assert asked == [0.5]
    assert (record.cell_l0, record.grid_px) == ((SIDE / 2, SIDE / 2), (20, 12))
    assert record.context["encoder"]["overlap"] == 0.5


def test_a_run_that_was_stopped_goes_on_in_its_own_file(
    slide: Path, known: tuple[Path, FakeFeatures], monkeypatch: pytest.MonkeyPatch
) -> None:
    model, described = known
    listener = Listener()
    whole = BrightTiles.predict

    def stopped(self: BrightTiles, features: Any) -> BagFound:
        raise Cancelled

    monkeypatch.setattr(BrightTiles, "predict", stopped)
    with pytest.raises(Cancelled):
        analyze_bag.run(request(slide, model), listener)
    path = listener.of_kind("started")[0]["run_file"]
    with RunFile.open(Path(path)) as run:
        assert run.record.state == "cancelled"
    monkeypatch.setattr(BrightTiles, "predict", whole)
    result = analyze_bag.run(request(slide, model, resume=True), SilentProgress())
    assert (result["run_file"], result["state"]) == (path, "done")
    assert described.n_described == 1


def test_other_weights_than_those_that_were_learned_with_are_refused(
    slide: Path, known: tuple[Path, FakeFeatures]
) -> None:
    model, described = known
    described.weights = "w1"
    with pytest.raises(InputError, match="other weights"):
        analyze_bag.run(request(slide, model), SilentProgress())


def test_what_is_no_method_for_slides_or_says_nonsense_is_refused(
    slide: Path, known: tuple[Path, FakeFeatures], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with pytest.raises(UsageError, match="does not tell whole slides apart"):
        analyze_bag.run({"slide": str(slide), "method": "nuclei_watershed"}, SilentProgress())
    with pytest.raises(UsageError, match="does not analyze slides"):
        analyze.run(request(slide, known[0]), SilentProgress())

    def broken(self: BrightTiles, features: Any) -> BagFound:
        nothing = np.full((len(features), 2), np.nan, np.float32)
        return BagFound(nothing[0], nothing[:, 0], nothing)

    monkeypatch.setattr(BrightTiles, "predict", broken)
    with pytest.raises(RunError, match="each class and tile"):
        analyze_bag.run(request(slide, known[0]), SilentProgress())
    model, _features = known_bags(monkeypatch, tmp_path, encoder={"name": "mean"})
    with pytest.raises(InputError, match="what described its tiles"):
        analyze_bag.run(request(slide, model), SilentProgress())


def test_the_command_line_s_order_prints_and_writes_what_was_asked(
    slide: Path, known: tuple[Path, FakeFeatures], tmp_path: Path
) -> None:
    order = AnalyzeOrder.checked(
        model=str(known[0]), region=None, mpp=None, parameters=(), resume=False
    )
    targets = {"output": tmp_path / "one.geojson", "overview": tmp_path / "one.png"}
    result = analyze_and_export(slide, order, **targets, progress=SilentProgress())
    first, shares, top, *_rest = result["summary"].splitlines()
    assert first.startswith("one.svs: Tumor, from 32 tiles in")
    assert "Tumor from 0.300 on" in shares
    assert f"tile at {COLUMN * SIDE}, {ROW * SIDE}" in top
    assert all(path.stat().st_size for path in targets.values())
