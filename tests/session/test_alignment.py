from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from fakes import ArraySlide
from makers import make_svs
from stage import Ears

from pathoview.core.affine import Affine, Point
from pathoview.layers.layer import Layer
from pathoview.layers.registered_source import RegisteredSource
from pathoview.layers.slide_source import SlideSource
from pathoview.session.commands import command, run_command
from pathoview.session.pointing import click, leave
from pathoview.session.session import Session

OpenSlide = Callable[[Path], None]
TRUTH = Affine.scaled(1.1).then(Affine.turned(7)).then(Affine.moved(40, -25))
"""Where the second slide really lies."""
LANDMARKS: tuple[Point, ...] = ((100, 100), (700, 150), (300, 600))
"""On the second slide, its own px."""


@pytest.fixture
def source() -> RegisteredSource:
    inner = SlideSource(ArraySlide(np.full((700, 800, 3), 200, np.uint8)))
    return RegisteredSource(inner, Affine.scaled(1.05), 1024, 768)


@pytest.fixture
def layer(
    session: Session, open_slide_of: OpenSlide, tmp_path: Path, source: RegisteredSource
) -> Layer:
    """The second slide, chosen and half transparent."""
    open_slide_of(make_svs(tmp_path / "one.svs"))
    layer = Layer("Second", source, opacity=0.4)
    session.layer_desk.add(layer)
    return layer


def click_pairs(session: Session, source: RegisteredSource, landmarks: tuple[Point, ...]) -> None:
    """Click each landmark where it is on the base slide, and where the second one shows it."""
    for landmark in landmarks:
        click(session, *TRUTH.point(*landmark))
        click(session, *source.placement.point(*landmark))


def test_three_pairs_of_clicks_lay_the_second_slide_where_it_belongs(
    session: Session, layer: Layer, source: RegisteredSource
) -> None:
    before = source.placement
    run_command(session, "layer.align")
    assert session.tool == "align"
    click_pairs(session, source, LANDMARKS)
    np.testing.assert_allclose(source.placement.matrix(), TRUTH.matrix(), atol=1e-9)
    assert session.tool == "move"
    assert (layer.visible, layer.opacity) == (True, 0.4)
    session.undo()
    assert source.placement == before
    session.redo()
    np.testing.assert_allclose(source.placement.matrix(), TRUTH.matrix(), atol=1e-9)


def test_it_says_what_to_click_and_shows_only_that(session: Session, layer: Layer) -> None:
    alignment, heard = session.toolbox.alignment, []
    session.tool_changed.connect(lambda: heard.append(alignment.prompt))
    alignment.start(layer)
    assert not layer.visible
    click(session, 10, 10)
    assert layer.visible
    assert layer.opacity == 1
    assert alignment.landmarks_l0 == ((10, 10),)
    click(session, 20, 20)
    assert not layer.visible
    assert [" 1 of 3" in text for text in heard] == [True, True, False]
    assert ["Second" in text for text in heard] == [False, True, False]
    assert " 2 of 3" in heard[-1]


def test_landmarks_on_a_line_are_refused_and_nothing_moves(
    session: Session, layer: Layer, source: RegisteredSource, ears: Ears
) -> None:
    before, step = source.placement, session.history.undo_name
    session.toolbox.alignment.start(layer)
    click_pairs(session, source, ((0, 0), (100, 100), (300, 300)))
    assert "one line" in ears.notices[-1].text
    assert source.placement == before
    assert session.history.undo_name == step
    assert session.tool == "move"


@pytest.mark.parametrize("give_up", ["esc", "tool", "remove", "close"])
def test_giving_up_leaves_all_as_it_was(session: Session, layer: Layer, give_up: str) -> None:
    alignment = session.toolbox.alignment
    alignment.start(layer)
    click(session, 10, 10)
    if give_up == "esc":
        leave(session)
    elif give_up == "tool":
        session.set_tool("region")
    elif give_up == "remove":
        session.layer_desk.remove(layer)
    else:
        session.close_slide()
    assert alignment.layer is None
    assert alignment.prompt == ""
    assert alignment.landmarks_l0 == ()
    assert layer.opacity == 0.4
    assert session.tool == ("region" if give_up == "tool" else "move")


def test_only_what_is_placed_can_be_aligned(session: Session, layer: Layer) -> None:
    assert command("layer.align").enabled(session)
    session.layer_desk.active = session.layers[0]
    assert not command("layer.align").enabled(session)
    assert not session.toolbox.alignment.start(session.layers[0])
    assert session.tool == "move"


def test_a_click_with_the_move_tool_selects(session: Session, layer: Layer) -> None:
    click(session, 5, 5)
    assert session.selection is None
    assert session.toolbox.alignment.landmarks_l0 == ()
