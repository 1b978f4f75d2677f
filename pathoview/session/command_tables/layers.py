"""Commands about the chosen layer, and about layers that come from files."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pathoview.core.translation import _
from pathoview.layers.layer import Layer
from pathoview.layers.warped_source import WarpedSource
from pathoview.session.command import Command, has_layer, has_slide

if TYPE_CHECKING:
    from pathoview.session.session import Session


def _can_remove(session: Session) -> bool:
    layer = session.active_layer
    return layer is not None and session.layer_desk.can_remove(layer)


def _can_align(session: Session) -> bool:
    layer = session.active_layer
    return layer is not None and isinstance(layer.source, WarpedSource)


def _can_move(step: int) -> Callable[[Session], bool]:
    def can_move(session: Session) -> bool:
        layer = session.active_layer
        return layer is not None and session.layer_desk.can_move(layer, step)

    return can_move


def _on_layer(act: Callable[[Session, Layer], object]) -> Callable[[Session], None]:
    """Return what does something with the chosen layer, if there is one."""

    def run(session: Session) -> None:
        if session.active_layer is not None:
            act(session, session.active_layer)

    return run


def _step(session: Session, layer: Layer, step: int) -> None:
    session.layer_desk.move(layer, session.layers.index(layer) + step)


def _is_visible(session: Session) -> bool:
    return session.active_layer is not None and session.active_layer.visible


def _is_solo(session: Session) -> bool:
    return session.active_layer is not None and session.layers.solo is session.active_layer


COMMANDS: tuple[Command, ...] = (
    Command("layer.open", _("Open as layer…"), "Ctrl+Shift+O", "Layer", has_slide),
    Command("layer.rename", _("Rename layer"), "F2", "Layer", has_layer),
    Command(
        "layer.remove",
        _("Remove layer"),
        "",
        "Layer",
        _can_remove,
        _on_layer(lambda s, layer: s.layer_desk.remove(layer)),
    ),
    Command(
        "layer.toggle",
        _("Show layer"),
        "Shift+H",
        "Layer",
        has_layer,
        _on_layer(lambda s, layer: s.layer_desk.toggle(layer)),
        _is_visible,
    ),
    Command(
        "layer.solo",
        _("Show this layer only"),
        "Ctrl+Shift+H",
        "Layer",
        has_layer,
        _on_layer(lambda s, layer: s.layers.toggle_solo(layer)),
        _is_solo,
    ),
    Command(
        "layer.blend_next",
        _("Next way of blending"),
        "Shift+B",
        "Layer",
        has_layer,
        _on_layer(lambda s, layer: s.layer_desk.blend_next(layer)),
    ),
    Command(
        "layer.up",
        _("Bring layer forward"),
        "Alt+Up",
        "Layer",
        _can_move(1),
        _on_layer(lambda s, layer: _step(s, layer, 1)),
    ),
    Command(
        "layer.down",
        _("Send layer backward"),
        "Alt+Down",
        "Layer",
        _can_move(-1),
        _on_layer(lambda s, layer: _step(s, layer, -1)),
    ),
    Command(
        "layer.align",
        _("Align by three landmarks"),
        "",
        "Layer",
        _can_align,
        _on_layer(lambda s, layer: s.toolbox.alignment.start(layer)),
        lambda s: s.tool == "align",
    ),
    Command(
        "layer.next",
        _("Choose the layer above"),
        "Ctrl+Up",
        "Layer",
        has_layer,
        lambda s: s.layer_desk.choose_next(1),
    ),
    Command(
        "layer.previous",
        _("Choose the layer below"),
        "Ctrl+Down",
        "Layer",
        has_layer,
        lambda s: s.layer_desk.choose_next(-1),
    ),
)
