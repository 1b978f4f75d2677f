"""Examples are matched to what a run has found, or what is found around them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from makers import he_scene, make_plain
from run_files import new_run, squares
from teaching import CLASSES, centers, teach_study

from pathoview.core.progress import SilentProgress
from pathoview.methods.model import read_model
from pathoview.methods.object_features import MEASUREMENTS
from pathoview.methods.registry import METHODS
from pathoview.slides.opening import open_slide
from pathoview.study.results import RunFile
from pathoview.tasks import analyze, classify_objects, object_examples, train
from pathoview.tasks.object_examples import object_run
from pathoview.tasks.training_data import TrainingSource, open_training_data

SPEC = METHODS.get("object_classifier")
AREA = MEASUREMENTS.index("Area µm²")


def trained(study: Path, output: Path) -> Any:
    order = {"method": SPEC.name, "study": str(study), "output": str(output)}
    train.run(order, SilentProgress())
    return read_model(output)


def test_examples_of_a_study_become_a_model_that_is_applied(tmp_path: Path) -> None:
    study, slide = teach_study(tmp_path, "objects")
    analyze.run({"slide": str(slide)}, SilentProgress())
    model = trained(study, tmp_path / "model.safetensors")
    assert [one.name for one in model.card.classes] == [one.name for one in CLASSES]
    assert model.card.kind == "object"
    assert model.card.metrics["macro_f1"] > 0.8
    said = {"slide": str(slide), "model": str(tmp_path / "model.safetensors")}
    result = classify_objects.run(said, SilentProgress())
    with RunFile.open(Path(result["run_file"])) as run:
        found = run.all()
    area = found.measurements["Area µm²"]
    sizes = [float(np.median(area[found.class_index == index])) for index in (0, 1)]
    assert sizes[0] > sizes[1]


def test_measurements_are_those_of_the_newest_run(tmp_path: Path) -> None:
    study, slide = teach_study(tmp_path, "objects")
    with open_slide(slide) as opened:
        with new_run(opened, state="done", n_objects=400, started="2020-01-01") as old:
            old.add_tile(0, 0, measured(2.0))
        with new_run(opened, state="done", n_objects=400, started="2021-01-01") as new:
            new.add_tile(0, 0, measured(7.0))
        with new_run(opened, state="running", n_objects=400, started="2022-01-01") as other:
            other.add_tile(0, 0, measured(9.0))
    model = trained(study, tmp_path / "model.safetensors")
    assert model.tensors["mean"][AREA] == pytest.approx(7.0)


def measured(area: float) -> Any:
    table = squares([(x, y) for x in range(0, 320, 16) for y in range(0, 320, 16)], 15)
    return replace(table, measurements={"Area µm²": np.full(len(table), area, np.float32)})


def test_without_a_run_nuclei_are_found_around_examples_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, _slide = teach_study(tmp_path, "objects")
    asked: list[bool] = []
    real = object_examples.detect

    def watched(slide: Any, built: Any, check: Any, is_wanted: Any) -> Any:
        def noted(core: Any) -> bool:
            asked.append(is_wanted(core.moved(100_000, 0)))
            return bool(is_wanted(core))

        return real(slide, built, check, noted)

    monkeypatch.setattr(object_examples, "detect", watched)
    model = trained(study, tmp_path / "model.safetensors")
    assert 15 < model.tensors["mean"][AREA] < 60
    assert asked
    assert not any(asked)


def test_only_objects_near_examples_are_kept(tmp_path: Path) -> None:
    study, slide = teach_study(tmp_path, "objects")
    with open_slide(slide) as opened, new_run(opened, state="done", n_objects=2) as run:
        run.add_tile(0, 0, squares([(100, 100), (90_000, 100)]))
    with open_training_data(TrainingSource(study=str(study)), SPEC, SilentProgress()) as ready:
        (image,) = ready.data.images
        assert image.objects is not None
        assert len(image.objects) == 1


def test_runs_without_detections_are_passed_over(tmp_path: Path) -> None:
    _study, slide = teach_study(tmp_path, "objects")
    with open_slide(slide) as opened:
        assert object_run(opened) is None
        with new_run(opened, state="done", gives="pixel", n_objects=3):
            pass
        with new_run(opened, state="done", n_objects=0):
            pass
        assert object_run(opened) is None
        with new_run(opened, state="done", n_objects=1) as run:
            path = run.path
        assert object_run(opened) == path


def test_what_a_folder_says_in_tables_is_learned_as_well(tmp_path: Path) -> None:
    for folder in ("images", "labels"):
        (tmp_path / folder).mkdir()
    for seed in (5, 6):
        scene = he_scene(320, 320, seed=seed)
        make_plain(tmp_path / "images" / f"{seed}.png", scene.rgb)
        sizes = np.bincount(scene.labels.ravel())[1:]
        sizes = sizes[sizes > 0]
        lines = [
            f"{point.x},{point.y},{'large' if size > np.median(sizes) else 'small'}"
            for point, size in zip(centers(scene), sizes, strict=True)
        ]
        (tmp_path / "labels" / f"{seed}.csv").write_text("\n".join(["x,y,class", *lines]))
    order = {
        "method": SPEC.name,
        "images": str(tmp_path / "images"),
        "labels": str(tmp_path / "labels"),
        "mpp": 0.5,
        "output": str(tmp_path / "model.safetensors"),
    }
    train.run(order, SilentProgress())
    model = read_model(tmp_path / "model.safetensors")
    assert [one.name for one in model.card.classes] == ["large", "small"]
    assert model.card.metrics["accuracy"] > 0.8
    assert np.isfinite(model.tensors["mean"]).all()
    assert model.tensors["scale"][AREA] > 0
