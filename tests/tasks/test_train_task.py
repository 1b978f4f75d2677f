"""From labels to a model with its card, and from the model to a result."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from teaching import CLASSES, teach_study

from pathoview.core.errors import Cancelled, InputError, StorageError, UsageError
from pathoview.core.files import storage_error
from pathoview.core.geometry import Rect
from pathoview.core.paths import data_folder
from pathoview.core.progress import Control, SilentProgress
from pathoview.methods import model as model_files
from pathoview.methods.library import SCRATCH, bundled_path, library
from pathoview.methods.model import read_card, read_model
from pathoview.methods.registry import METHODS
from pathoview.study.results import RunFile
from pathoview.tasks import analyze, train

QUICK = {"n_trees": 10}


class Listening(SilentProgress):
    def __init__(self, control: Control | None = None) -> None:
        super().__init__(control)
        self.events: list[tuple[str, Mapping[str, Any]]] = []

    def event(self, kind: str, data: Mapping[str, Any]) -> None:
        self.events.append((kind, data))


def order(study: Path, **more: Any) -> dict[str, Any]:
    return {"method": "pixel_forest", "params": QUICK, "study": str(study), **more}


def states() -> list[Path]:
    folder = data_folder() / "training"
    return list(folder.iterdir()) if folder.exists() else []


def test_labels_of_a_study_become_a_model_that_tells_where_it_is_from(tmp_path: Path) -> None:
    study, slide = teach_study(tmp_path, "scribbles")
    output = tmp_path / "model.safetensors"
    result = train.run(
        order(study, output=str(output), seed=7, licence="CC0", round=2), SilentProgress()
    )
    card = read_model(output).card
    assert result["model"] == str(output)
    assert result["id"] == card.id
    assert card.title.endswith("round 2")
    assert [one.name for one in card.classes] == [one.name for one in CLASSES]
    assert card.labels == {"Nucleus": 6, "Tissue": 6}
    assert [(one.n_labels, one.licence) for one in card.data] == [(12, "CC0")]
    assert (card.seed, card.licence, card.fit_params["n_trees"]) == (7, "CC0", 10)
    assert card.study_id
    assert card.versions["pathoview"]
    assert slide.name not in card.model_dump_json()
    assert not states()


def test_what_was_held_back_stands_in_the_card(tmp_path: Path) -> None:
    study, _slide = teach_study(tmp_path, "scribbles")
    params = {"n_steps": 1, "n_self_steps": 0, "batch": 1, "patch_px": 32}
    said = order(study, method="scribble_segmentation", params=params)
    (used,) = read_model(Path(train.run(said, SilentProgress())["model"])).card.data
    assert used.split == "train"
    assert used.held_back_l0
    assert all(width > 0 and height > 0 for _x, _y, width, height in used.held_back_l0)


def test_a_model_is_applied_and_named_in_the_run(tmp_path: Path) -> None:
    study, slide = teach_study(tmp_path, "scribbles")
    train.run(order(study), SilentProgress())
    (entry,) = [one for one in library() if one.card.method == "pixel_forest"]
    request = {"slide": str(slide), "model": entry.path.stem}
    result = analyze.run(request, SilentProgress())
    with RunFile.open(Path(result["run_file"])) as run:
        assert run.record.model == entry.card.id
        assert run.record.model_path == str(entry.path)
        assert len(run.record.class_areas_mm2) == 2
        assert min(run.record.class_areas_mm2) > 0


def test_the_overlay_is_drawn_where_the_person_looks(tmp_path: Path) -> None:
    study, slide = teach_study(tmp_path, "scribbles")
    progress = Listening()
    progress.control.focus_l0 = Rect(50, 60, 100, 80)
    train.run(order(study, preview={"slide": str(slide)}), progress)
    shown = [data for kind, data in progress.events if kind == "preview"]
    assert shown
    with RunFile.open(Path(shown[-1]["run_file"])) as run:
        assert run.record.kind == "preview"
        assert run.record.region_l0 == (50, 60, 100, 80)


def test_a_full_disk_at_the_end_keeps_what_was_learned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study, _slide = teach_study(tmp_path, "scribbles")

    def full(path: Path) -> None:
        raise storage_error(path, OSError(errno.ENOSPC, "no space left"))

    with monkeypatch.context() as patch:
        patch.setattr(model_files, "replacing", full)
        with pytest.raises(StorageError, match="disk is full"):
            train.run(order(study), SilentProgress())
    assert not [one for one in library() if one.card.method == "pixel_forest"]


def test_the_same_order_gives_the_same_weights(tmp_path: Path) -> None:
    study, _slide = teach_study(tmp_path, "scribbles")
    models = []
    for name in ("a", "b"):
        output = tmp_path / f"{name}.safetensors"
        train.run(order(study, output=str(output)), SilentProgress())
        models.append(read_model(output))
    first, second = models
    assert first.card.id != second.card.id
    for name in first.tensors:
        assert np.array_equal(first.tensors[name], second.tensors[name])


def test_a_study_without_labels_is_refused_in_words(tmp_path: Path) -> None:
    study, _slide = teach_study(tmp_path, "scribbles")
    with pytest.raises(UsageError, match="does not learn"):
        train.run({**order(study), "method": "nuclei_watershed", "params": {}}, SilentProgress())
    with pytest.raises(UsageError, match="class"):
        train.run(order(study, classes=["Unheard of"]), SilentProgress())
    empty, _slide = teach_study(tmp_path / "empty", "nothing")
    with pytest.raises(InputError, match="no labels") as caught:
        train.run(order(empty), SilentProgress())
    assert caught.value.hint


def test_training_goes_on_from_the_model_that_came_with_a_method_unless_told_otherwise() -> None:
    spec = METHODS.get("nuclei_unet")
    known = read_card(bundled_path("nuclei_unet")).id
    begun = [train.beginning(start, spec) for start in ("", known, SCRATCH)]
    assert [None if one is None else one.card.id for one in begun] == [known, known, None]
    assert train.beginning("", METHODS.get("point_nuclei")) is None


def test_of_one_class_all_others_are_background(tmp_path: Path) -> None:
    study, _slide = teach_study(tmp_path, "scribbles")
    result = train.run(order(study, classes=["Nucleus"]), SilentProgress())
    card = read_model(Path(result["model"])).card
    assert [one.name for one in card.classes] == ["Background", "Nucleus"]


def test_a_training_is_stopped(tmp_path: Path) -> None:
    study, _slide = teach_study(tmp_path, "scribbles")
    control = Control()
    control.cancel()
    with pytest.raises(Cancelled):
        train.run(order(study), SilentProgress(control))
