"""Answers to the commands about models and the device, which need a window."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from pathoview.session.session import Session
from pathoview.ui.dialogs.dialog import Dialog

if TYPE_CHECKING:
    from pathoview.ui.main_window import MainWindow


def model_answers(
    session: Session, window: MainWindow, show: Callable[[Dialog], None]
) -> Mapping[str, Callable[[], object]]:
    """Return what is done for each command, by its id; ``show`` shows a dialog."""

    def show_models() -> None:
        from pathoview.ui.dialogs.models import ModelsDialog

        show(ModelsDialog(session, window))

    def train_on_slides() -> None:
        from pathoview.ui.dialogs.train_slides import TrainSlidesDialog

        show(TrainSlidesDialog(session, window.tiles.pictures, window))

    return {
        "models.show": show_models,
        "slides.train": train_on_slides,
        "models.device": lambda: window.tools.device.open_card(),
    }
