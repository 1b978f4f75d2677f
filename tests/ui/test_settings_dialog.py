from __future__ import annotations

from PySide6.QtCore import Qt
from pytestqt.qtbot import QtBot

from pathoview.session.session import Session
from pathoview.session.settings import load_settings
from pathoview.ui.dialogs.settings import SettingsDialog

MIB = 2**20


def test_the_memory_for_tiles_takes_effect_when_it_is_entered(
    qtbot: QtBot, session: Session
) -> None:
    dialog = SettingsDialog(session)
    qtbot.addWidget(dialog)
    dialog.show()
    before = session.memory.max_bytes
    dialog.memory.selectAll()
    qtbot.keyClicks(dialog.memory, "256")
    assert session.memory.max_bytes == before
    qtbot.keyClick(dialog.memory, Qt.Key.Key_Return)
    assert session.memory.max_bytes == 256 * MIB
    dialog.reject()
    assert load_settings().cache_bytes == 256 * MIB
