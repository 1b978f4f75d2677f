"""The quality of a slide as layers, and the preview of its stains in other colours."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from makers import he_image, make_svs
from stage import Ears, Loop

from pathoview.layers.class_map_source import ClassMapSource
from pathoview.layers.feature_source import FeatureSource
from pathoview.layers.heatmap_source import HeatmapSource
from pathoview.layers.normalised_source import NormalisedSource
from pathoview.session.commands import run_command
from pathoview.session.session import Session


@pytest.fixture
def penned(tmp_path: Path) -> Path:
    """1,600 × 1,200 px at 1 µm: tissue left, blue ink right."""
    picture = np.full((1200, 1600, 3), 244, np.uint8)
    picture[:, :1100] = he_image(1100, 1200, mpp=1.0)
    picture[300:600, 1250:1500] = (25, 40, 130)
    return make_svs(tmp_path / "a.svs", picture, mpp=1.0)


def blank(tmp_path: Path) -> Path:
    return make_svs(tmp_path / "blank.svs", np.full((600, 800, 3), 244, np.uint8))


def names(session: Session) -> list[str]:
    return [layer.name for layer in session.layers]


def test_quality_becomes_layers_in_one_step_and_a_sentence(
    session: Session,
    loop: Loop,
    ears: Ears,
    open_slide_of: Callable[[Path], None],
    penned: Path,
) -> None:
    open_slide_of(penned)
    before = names(session)
    run_command(session, "quality.show")
    run_command(session, "quality.show")  # once more while it is measured: nothing
    loop.run_until(lambda: len(ears.notices) > 1)
    blur, ink, tissue = [layer.source for layer in tuple(session.layers)[len(before) :]]
    assert isinstance(blur, HeatmapSource)
    assert isinstance(ink, ClassMapSource)
    assert isinstance(tissue, FeatureSource)
    assert ink.class_at(1400, 450) == 1
    assert ink.class_at(500, 450) is None
    assert blur.value_at(500, 450) is not None
    assert blur.value_at(1400, 100) is None
    box = tissue.feature(0).geometry.bounds
    assert box[2] == pytest.approx(1140, abs=20)
    assert "Blue ink" in ears.notices[-1].text
    session.undo()
    assert names(session) == before
    session.redo()
    assert len(names(session)) == len(before) + 3


def test_what_is_doubtful_is_a_warning_without_layers(
    session: Session,
    loop: Loop,
    ears: Ears,
    open_slide_of: Callable[[Path], None],
    tmp_path: Path,
) -> None:
    open_slide_of(blank(tmp_path))
    before = names(session)
    run_command(session, "quality.show")
    loop.run_until(lambda: len(ears.notices) > 1)
    assert ears.notices[-1].level == "warning"
    assert "Hardly any tissue" in ears.notices[-1].text
    assert names(session) == before


def test_a_slide_closed_meanwhile_gets_no_layers(
    session: Session,
    loop: Loop,
    ears: Ears,
    open_slide_of: Callable[[Path], None],
    penned: Path,
    tmp_path: Path,
) -> None:
    open_slide_of(penned)
    run_command(session, "quality.show")
    open_slide_of(blank(tmp_path))
    loop.run_for(0.5)
    assert not any(isinstance(layer.source, HeatmapSource) for layer in session.layers)
    assert len(ears.notices) == 1


def test_the_preview_is_a_layer_behind_a_curtain_and_takes_another_method(
    session: Session,
    loop: Loop,
    ears: Ears,
    open_slide_of: Callable[[Path], None],
    penned: Path,
) -> None:
    open_slide_of(penned)
    run_command(session, "normalise.macenko")
    loop.run_until(lambda: ears.notices)
    layer = session.active_layer
    assert layer is not None
    assert isinstance(layer.source, NormalisedSource)
    assert layer.source.normaliser.used == "macenko"
    assert session.views.active.curtain.left is layer
    assert session.views.active.curtain.is_drawn
    n_layers = len(session.layers)
    run_command(session, "normalise.reinhard")
    loop.run_until(lambda: len(ears.notices) > 1)
    assert len(session.layers) == n_layers
    assert layer.source.normaliser.used == "reinhard"
    assert layer.name == "Normalised: Reinhard"
    session.undo()
    assert layer not in session.layers


def test_a_slide_without_stain_gets_no_preview_but_a_reason(
    session: Session,
    loop: Loop,
    ears: Ears,
    open_slide_of: Callable[[Path], None],
    tmp_path: Path,
) -> None:
    open_slide_of(blank(tmp_path))
    n_layers = len(session.layers)
    run_command(session, "normalise.macenko")
    loop.run_until(lambda: ears.notices)
    assert ears.notices[0].level == "warning"
    assert "too few stained pixels" in ears.notices[0].text
    assert len(session.layers) == n_layers


def test_what_the_study_says_of_the_stain_counts(
    session: Session,
    loop: Loop,
    ears: Ears,
    open_slide_of: Callable[[Path], None],
    penned: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    open_slide_of(penned)
    monkeypatch.setattr("pathoview.session.quality_desk.stain_of", lambda _session: "IHC")
    run_command(session, "normalise.macenko")
    loop.run_until(lambda: ears.notices)
    assert ears.notices[0].level == "error"
    assert "IHC" in ears.notices[0].text
