"""Objects of a run are told apart in a run of their own, however it is stopped and resumed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from makers import he_image, make_pyramid_tiff
from run_files import new_run, squares

from pathoview.annotations.detections import Detections
from pathoview.core.errors import Cancelled, RunError, UsageError
from pathoview.core.progress import Control, SilentProgress
from pathoview.methods.model import Model, ModelCard, ModelClass, write_model
from pathoview.methods.object_features import MEASUREMENTS, PICTURE_FEATURES
from pathoview.slides.opening import open_slide
from pathoview.study.records import RunRecord
from pathoview.study.results import RunFile, find_runs
from pathoview.tasks import analyze, classify_objects

CLASSES = (ModelClass(name="Small", color=(1, 2, 3)), ModelClass(name="Large", color=(4, 5, 6)))
BORDER_UM2 = 30.0


class Listener(SilentProgress):
    def __init__(self, stop_after: int = 0) -> None:
        super().__init__(Control())
        self.events: list[tuple[str, Mapping[str, Any]]] = []
        self.fractions: list[float] = []
        self._stop_after = stop_after

    def report(self, fraction: float, text: str = "", **metrics: float) -> None:
        self.fractions.append(fraction)

    def event(self, kind: str, data: Mapping[str, object]) -> None:
        self.events.append((kind, data))
        if len([one for one in self.events if one[0] == "tile"]) == self._stop_after > 0:
            self.control.cancel()


@pytest.fixture
def slide(tmp_path: Path) -> Path:
    return make_pyramid_tiff(tmp_path / "slide.tif", he_image(512, 384), compression="zlib")


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return written(tmp_path / "size.safetensors")


def written(
    path: Path,
    *,
    features: str = "measurements",
    offset: float = 0.0,
    classes: tuple[ModelClass, ...] = CLASSES,
) -> Path:
    """Write a model that calls everything above `BORDER_UM2` large."""
    n = len(MEASUREMENTS) + (len(PICTURE_FEATURES) if features != "measurements" else 0)
    mean, scale, weights = np.zeros(n), np.zeros(n), np.zeros((n, 2))
    area = MEASUREMENTS.index("Area µm²")
    mean[area], scale[area], weights[area, 1] = BORDER_UM2, 1.0, 1.0
    tensors = {
        "mean": mean.astype(np.float32),
        "scale": scale.astype(np.float32),
        "weights": weights.astype(np.float32),
        "offsets": np.array([0, offset], np.float32),
        "temperature": np.array([4.0]),
    }
    card = ModelCard(
        title="By size",
        method="object_classifier",
        kind="object",
        mpp=0.5,
        classes=classes,
        settings={"features": features, "values": [1, 2]},
    )
    write_model(path, Model(card, tensors))
    return path


def analyzed(slide: Path, **changes: Any) -> Path:
    said = {"slide": str(slide), "tile_px": 128, **changes}
    return Path(analyze.run(said, SilentProgress())["run_file"])


def classified(
    slide: Path, model: Path, progress: SilentProgress | None = None, **changes: Any
) -> dict[str, Any]:
    said = {"slide": str(slide), "model": str(model), "n_computers": 1, **changes}
    return classify_objects.run(said, progress or SilentProgress())


def id_of(path: Path | str) -> str:
    with RunFile.open(Path(path)) as run:
        return run.record.id


def runs_of(slide: Path) -> list[tuple[Path, RunRecord]]:
    with open_slide(slide) as opened:
        return find_runs(opened.content_hash)


def objects(path: Path | str) -> Detections:
    with RunFile.open(Path(path)) as run:
        return run.all()


def test_a_new_run_has_the_same_outlines_with_classes(slide: Path, model: Path) -> None:
    source = analyzed(slide)
    before = source.read_bytes()
    result = classified(slide, model)
    was, now = objects(source), objects(result["run_file"])
    assert result["gives"] == "object"
    assert result["n_objects"] == len(was) == len(now) > 20
    assert np.array_equal(now.points, was.points)
    assert np.array_equal(now.ids, was.ids)
    assert np.array_equal(now.measurements["Area µm²"], was.measurements["Area µm²"])
    is_large = was.measurements["Area µm²"] > BORDER_UM2
    assert 0 < is_large.sum() < len(was)
    assert np.array_equal(now.class_index, is_large.astype(np.int16))
    assert [(one.name, one.color) for one in now.classes] == [
        ("Small", (1, 2, 3)),
        ("Large", (4, 5, 6)),
    ]
    shares = [now.measurements[f"Probability of {one.name}"] for one in CLASSES]
    assert np.allclose(sum(shares), 1, atol=1e-5)
    assert np.array_equal(now.measurements["Confidence"], np.maximum(*shares))
    assert source.read_bytes() == before


def test_its_record_says_whose_objects_by_which_model(slide: Path, model: Path) -> None:
    source = analyzed(slide)
    result = classified(slide, model)
    with RunFile.open(source) as run:
        was = run.record
    with RunFile.open(Path(result["run_file"])) as run:
        record = run.record
    assert (record.gives, record.state, record.kind) == ("object", "done", "analysis")
    assert record.source_run == was.id
    assert record.id != was.id
    assert (record.title, record.method) == ("By size", "object_classifier")
    assert record.model_path == str(model)
    assert record.area_mm2 == was.area_mm2 > 0
    assert record.n_objects == was.n_objects


def test_without_a_run_nuclei_are_found_first(slide: Path, model: Path) -> None:
    listener = Listener()
    result = classified(slide, model, listener)
    assert sorted(record.gives for _path, record in runs_of(slide)) == ["instance", "object"]
    assert result["n_objects"] > 20
    started = [data for kind, data in listener.events if kind == "started"]
    assert [one["run_file"] for one in started] == [result["run_file"]]
    assert listener.fractions == sorted(listener.fractions)


def test_a_run_is_named_by_its_id(slide: Path, model: Path) -> None:
    few = analyzed(slide, region_l0=(0, 0, 256, 384))
    n_few = len(objects(few))
    every = analyzed(slide)
    assert classified(slide, model, run=id_of(few)[:8])["n_objects"] == n_few
    assert n_few < len(objects(every))
    with pytest.raises(UsageError, match="no finished run") as caught:
        classified(slide, model, run="ffffffffffff")
    assert caught.value.hint


def test_what_was_told_before_is_told_anew(slide: Path, model: Path, tmp_path: Path) -> None:
    analyzed(slide)
    first = classified(slide, model)
    others = ModelClass(name="Round"), ModelClass(name="Large")
    other = written(tmp_path / "other.safetensors", offset=1000.0, classes=others)
    second = classified(slide, other, run=id_of(first["run_file"]))
    with RunFile.open(Path(second["run_file"])) as run:
        assert run.record.source_run == id_of(first["run_file"])
    now = objects(second["run_file"])
    assert (now.class_index == 1).all()
    names = [name for name in now.measurements if name.startswith(("Conf", "Prob"))]
    assert names == ["Confidence", "Probability of Round", "Probability of Large"]


def test_only_what_lies_in_the_region(slide: Path, model: Path) -> None:
    source = analyzed(slide)
    result = classified(slide, model, region_l0=(100, 100, 200, 150))
    x, y = objects(source).centroids_l0().T
    n = int(((x >= 100) & (x < 300) & (y >= 100) & (y < 250)).sum())
    assert result["n_objects"] == n > 0
    with RunFile.open(source) as run:
        assert 0 < result["area_mm2"] < run.record.area_mm2


def test_a_stopped_run_goes_on_to_the_same_end(slide: Path, model: Path) -> None:
    source = id_of(analyzed(slide))
    whole = objects(classified(slide, model)["run_file"])
    with pytest.raises(Cancelled):
        classified(slide, model, Listener(stop_after=2), run=source)
    ((path, record),) = [one for one in runs_of(slide) if one[1].state != "done"]
    assert record.state == "cancelled"
    assert 0 < record.n_objects < len(whole)
    result = classified(slide, model, resume=True, run=source)
    assert result["run_file"] == str(path)
    assert result["n_objects"] == len(whole)
    assert np.array_equal(objects(path).ids, whole.ids)
    assert np.array_equal(objects(path).class_index, whole.class_index)


def test_pictures_are_seen_where_the_model_looks_at_them(
    slide: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    analyzed(slide)
    seen: list[int] = []
    real = classify_objects.pictures

    def watched(*said: Any) -> Any:
        found = real(*said)
        seen.append(len(found))
        assert (found < 255).any(axis=(1, 2, 3)).all()
        return found

    monkeypatch.setattr(classify_objects, "pictures", watched)
    n = classified(slide, written(tmp_path / "a.safetensors"))["n_objects"]
    assert not seen
    looking = written(tmp_path / "b.safetensors", features="measurements and picture")
    assert classified(slide, looking)["n_objects"] == n
    assert sum(seen) == n


def test_a_tile_of_many_objects_is_worked_on_in_parts(
    slide: Path, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = classified(slide, model)
    monkeypatch.setattr(classify_objects, "_AT_ONCE", 5)
    with RunFile.open(Path(whole["run_file"])) as run:
        source = run.record.source_run
    parts = classified(slide, model, run=source)
    first, second = objects(whole["run_file"]), objects(parts["run_file"])
    for name, column in first.measurements.items():
        assert np.allclose(column, second.measurements[name], atol=1e-6)


def test_imported_objects_without_measurements_are_told_as_well(slide: Path, model: Path) -> None:
    with open_slide(slide) as opened, new_run(opened, kind="import", state="done") as run:
        run.add_tile(0, 0, squares([(50, 50), (100, 100)]))
        run.update_record(n_objects=2)
    result = classified(slide, model)
    found = objects(result["run_file"])
    assert result["n_objects"] == 2
    assert np.allclose(found.measurements["Confidence"], 0.5)


def test_what_is_no_model_of_objects_is_refused(slide: Path, model: Path) -> None:
    with pytest.raises(UsageError, match="does not tell objects apart"):
        classify_objects.run({"slide": str(slide), "method": "nuclei_watershed"}, SilentProgress())


def test_a_broken_model_fails_with_a_sentence(slide: Path, tmp_path: Path) -> None:
    broken = written(tmp_path / "broken.safetensors", offset=float("nan"))
    with pytest.raises(RunError, match="did not give a probability"):
        classified(slide, broken)
    assert sorted(record.state for _path, record in runs_of(slide)) == ["done", "failed"]
