"""The pathology of a pseudo-healthy method is scored as a map, and shown while it is taught."""

from __future__ import annotations

from pathlib import Path

import pytest
from makers import he_image, make_pyramid_tiff
from synthesis_methods import known_bleach
from test_evaluate_kinds import MPP, score, write_images
from test_train_task import Listening

from pathoview.core.geometry import Rect
from pathoview.methods import registry
from pathoview.methods.model import read_model
from pathoview.study.results import RunFile
from pathoview.tasks import live_preview
from pathoview.tasks.live_preview import LivePreview, PreviewRequest


def test_pathology_is_scored_as_a_map_of_two_classes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = known_bleach(monkeypatch, tmp_path)
    folders = write_images(tmp_path, {"a": 1, "b": 2})
    told = score(**folders, mpp=MPP, model=str(model))
    assert told["kind"] == "pixel"
    assert told["confusion"]["columns"] == ["Background", "Tumor", "other"]
    assert told["f1_pixel"] > 0.4


def test_what_a_training_would_show_is_seen_where_the_person_looks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = known_bleach(monkeypatch, tmp_path)
    monkeypatch.setattr(live_preview, "METHODS", registry.METHODS)
    slide = make_pyramid_tiff(tmp_path / "scene.tif", he_image(900, 700))
    progress = Listening()
    progress.control.focus_l0 = Rect(50, 60, 200, 160)
    with LivePreview(PreviewRequest(slide=str(slide)), progress) as preview:
        preview.show(read_model(model))
    ((kind, said),) = progress.events
    assert kind == "preview"
    with RunFile.open(Path(str(said["run_file"]))) as run:
        assert (run.record.kind, run.record.gives) == ("preview", "synthesis")
        assert run.record.region_l0 == (50, 60, 200, 160)
        assert run.synthesis_rows().counts().n_px == 100 * 80
