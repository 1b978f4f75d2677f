from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fakes import ArraySlide
from makers import make_svs
from run_files import new_run, squares
from stage import Ears, Loop

from pathoview.core.affine import Affine
from pathoview.core.pyramid import TileKey
from pathoview.layers.file_layer import Guess
from pathoview.layers.heatmap_source import HeatmapSource
from pathoview.layers.layer import Layer
from pathoview.layers.slide_source import SlideSource
from pathoview.session.commands import command, run_command
from pathoview.session.session import Session

OpenSlide = Callable[[Path], None]


def picture(name: str) -> Layer:
    return Layer(name, SlideSource(ArraySlide(np.full((100, 100, 3), 200, np.uint8))))


def names(session: Session) -> list[str]:
    return [layer.name for layer in session.layers]


@pytest.fixture
def opened(session: Session, open_slide_of: OpenSlide, tmp_path: Path) -> Session:
    open_slide_of(make_svs(tmp_path / "one.svs"))
    return session


@pytest.fixture
def three(opened: Session) -> Session:
    """The slide, and two layers in front of it."""
    for name in ("a", "b"):
        opened.layer_desk.add(picture(name))
    return opened


def test_adding_removing_ordering_and_naming_are_steps_that_can_be_taken_back(
    three: Session,
) -> None:
    desk, layers, history = three.layer_desk, three.layers, three.history
    a, b = layers[1], layers[2]
    desk.move(b, 1)
    desk.rename(a, " heat ")
    desk.remove(b)
    assert names(three) == ["Slide", "heat"]
    assert history.undo_name == "Remove b"
    for expected in (["Slide", "b", "heat"], ["Slide", "b", "a"], ["Slide", "a", "b"]):
        history.undo()
        assert names(three) == expected
    history.undo()
    history.undo()
    assert names(three) == ["Slide"]
    for _step in range(5):
        history.redo()
    assert names(three) == ["Slide", "heat"]


def test_the_slide_stays_at_the_back(three: Session) -> None:
    desk, layers = three.layer_desk, three.layers
    base, front = layers[0], layers[2]
    step = three.history.undo_name
    desk.remove(base)
    desk.move(base, 2)
    assert layers[0] is base
    assert three.history.undo_name == step
    desk.move(front, -5)
    assert layers.index(front) == 1
    assert layers[0] is base
    base.visible = False
    assert not layers[0].visible


def test_what_changes_nothing_is_no_step(three: Session) -> None:
    desk, layers = three.layer_desk, three.layers
    step = three.history.undo_name
    desk.move(layers[2], 7)
    desk.rename(layers[1], "a")
    desk.rename(layers[1], "  ")
    assert three.history.undo_name == step


def test_a_name_is_given_once(three: Session) -> None:
    three.layer_desk.add(picture("a"))
    assert names(three)[-1] == "a 2"
    three.layer_desk.rename(three.layers[3], "b")
    assert names(three)[-1] == "b 2"


def test_a_layer_that_comes_is_chosen_and_its_neighbour_when_it_goes(three: Session) -> None:
    heard: list[str] = []
    three.active_layer_changed.connect(
        lambda: heard.append(three.active_layer.name if three.active_layer else "")
    )
    assert three.active_layer is three.layers[2]
    three.layer_desk.remove(three.layers[2])
    three.undo()
    three.layer_desk.active = three.layers[1]
    three.layer_desk.remove(three.layers[1])
    three.close_slide()
    assert heard[:4] == ["a", "b", "a", "b"]
    assert heard[-1] == ""
    assert three.active_layer is None


def test_a_layer_of_a_run_takes_the_run_with_it_and_comes_back_to_its_place(
    opened: Session, loop: Loop, open_slide_of: OpenSlide
) -> None:
    assert opened.slide is not None
    path = opened.slide.path
    with new_run(opened.slide, state="done") as run:
        run.add_tile(0, 0, squares([(10, 10)]))
    opened.close_slide()
    open_slide_of(path)
    loop.run_until(lambda: opened.results and opened.results.statistics.n)
    opened.layer_desk.add(picture("heat"))
    nuclei = opened.layers[1]
    opened.layer_desk.remove(nuclei)
    assert not opened.runs
    assert names(opened) == ["Slide", "heat"]
    opened.undo()
    assert len(opened.runs) == 1
    assert opened.layers[1] is nuclei


def test_tiles_of_a_removed_layer_are_forgotten_and_those_of_a_returning_one_read(
    three: Session, loop: Loop
) -> None:
    scheduler, source = three.scheduler, three.layers[1].source
    key = TileKey(len(source.pyramid.levels) - 1, 0, 0)
    loop.run_until(lambda: scheduler.get(source, key) is not None)
    three.layer_desk.remove(three.layers[1])
    assert scheduler.get(source, key) is None
    three.undo()
    loop.run_until(lambda: scheduler.get(source, key) is not None)


def test_commands_work_on_the_chosen_layer(three: Session) -> None:
    a, b = three.layers[1], three.layers[2]
    assert not command("layer.up").enabled(three)
    run_command(three, "layer.down")
    assert names(three) == ["Slide", "b", "a"]
    assert not command("layer.down").enabled(three)
    run_command(three, "layer.up")
    run_command(three, "layer.previous")
    assert three.active_layer is a
    run_command(three, "layer.toggle")
    assert not a.visible
    run_command(three, "layer.solo")
    assert [layer.visible for layer in three.layers] == [False, True, False]
    run_command(three, "layer.solo")
    assert [layer.visible for layer in three.layers] == [True, False, True]
    run_command(three, "layer.blend_next")
    assert (a.blend, b.blend) == ("multiply", "normal")
    run_command(three, "layer.remove")
    assert names(three) == ["Slide", "b"]
    run_command(three, "layer.previous")
    assert three.active_layer is three.layers[0]
    assert not command("layer.remove").enabled(three)
    run_command(three, "layer.next")
    assert three.active_layer is b


# -- layers from files ---------------------------------------------------------------------------


def saved(folder: Path, array: np.ndarray) -> Path:
    path = folder / "made.npy"
    np.save(path, array)
    return path


FLOATS = np.linspace(0, 1, 96 * 128, dtype=np.float32).reshape(96, 128)


def test_a_file_that_tells_all_is_opened_at_once_and_can_be_taken_back(
    opened: Session, loop: Loop, tmp_path: Path
) -> None:
    opened.layer_desk.open(saved(tmp_path, FLOATS))
    loop.run_until(lambda: len(opened.layers) == 2)
    layer = opened.layers[1]
    assert isinstance(layer.source, HeatmapSource)
    assert layer.source.placement == Affine.scaled(8)
    assert opened.active_layer is layer
    opened.undo()
    assert names(opened) == ["Slide"]
    opened.redo()
    assert opened.layers[1] is layer


def test_a_file_that_does_not_tell_its_place_is_asked_about(
    opened: Session, loop: Loop, tmp_path: Path
) -> None:
    asked: list[Guess] = []
    opened.layer_desk.unsure.connect(asked.append)
    path = saved(tmp_path, FLOATS[:, :50])
    opened.layer_desk.open(path)
    loop.run_until(lambda: asked)
    assert asked[0].placement is None
    opened.layer_desk.open_as(path, "heatmap", Affine.scaled(2))
    loop.run_until(lambda: len(opened.layers) == 2)


def test_a_file_that_is_no_picture_becomes_a_notice(
    opened: Session, ears: Ears, loop: Loop, tmp_path: Path
) -> None:
    (tmp_path / "text.npy").write_text("no numbers")
    opened.layer_desk.open(tmp_path / "text.npy")
    loop.run_until(lambda: ears.notices)
    assert "text.npy" in ears.notices[0].text
    assert ears.notices[0].action == ("Open another file", "layer.open")
    opened.layer_desk.open_as(saved(tmp_path, FLOATS), "labels", Affine())
    loop.run_until(lambda: len(ears.notices) == 2)
    assert "whole numbers" in ears.notices[1].text


def test_a_file_that_comes_after_the_slide_has_gone_is_not_shown(
    opened: Session, loop: Loop, tmp_path: Path
) -> None:
    opened.layer_desk.open_as(saved(tmp_path, FLOATS), "heatmap", Affine())
    opened.close_slide()
    loop.run_for(0.3)
    assert not len(opened.layers)
