"""What this program is, its version, its licences, and what it must not be used for."""

from __future__ import annotations

import platform
from importlib import metadata

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from pathoview import __version__
from pathoview.core.statement import RESEARCH_USE
from pathoview.core.translation import _
from pathoview.ui import theme
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.widgets import Sign, column, label, row

_SIGN_PX = 56
_WIDTH = 520
_PARTS = (
    ("PySide6-Essentials", "LGPL-3.0"),
    ("pyqtgraph", "MIT"),
    ("openslide-python", "LGPL-2.1"),
    ("tifffile", "BSD-3-Clause"),
    ("imagecodecs", "BSD-3-Clause"),
    ("numpy", "BSD-3-Clause"),
    ("scipy", "BSD-3-Clause"),
    ("scikit-image", "BSD-3-Clause"),
    ("opencv-python-headless", "Apache-2.0"),
    ("pillow", "MIT-CMU"),
    ("pyvips", "MIT"),
    ("shapely", "BSD-3-Clause"),
    ("pydantic", "MIT"),
    ("psygnal", "BSD-3-Clause"),
    ("orjson", "MPL-2.0, Apache-2.0 or MIT"),
    ("torch", "BSD-3-Clause"),
)


class AboutDialog(Dialog):
    """Version, statement, parts."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(_("About PathoView"), parent)
        sign = Sign("pathoview", side_px=_SIGN_PX)
        words = column(
            label("PathoView", "title"),
            label(_("Version {version} · Apache License 2.0").format(version=__version__), "muted"),
            1,
            spacing=4,
        )
        head = row(sign, words, spacing=2 * theme.GRID)
        head.setStretchFactor(words, 1)
        self.body.addLayout(head)
        self.body.addWidget(label(RESEARCH_USE))
        self.body.addWidget(label(_("Made of"), "heading"))
        parts = QPlainTextEdit(parts_text())
        parts.setReadOnly(True)
        parts.setAccessibleName(_("Libraries and their licences"))
        parts.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse
            | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.body.addWidget(parts, 1)
        self.add_close()
        self.setMinimumSize(_WIDTH, _WIDTH)


def parts_text() -> str:
    """Return one line a library: name, version, licence."""
    lines = [f"Python {platform.python_version()} · PSF-2.0"]
    for name, licence in _PARTS:
        try:
            version = metadata.version(name)
        except metadata.PackageNotFoundError:
            version = _("not installed")
        lines.append(f"{name} {version} · {licence}")
    return "\n".join(lines)
