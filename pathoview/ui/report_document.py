"""A report, one HTML file with its pictures inside, as a document that Qt shows and prints."""

from __future__ import annotations

import base64
from pathlib import Path

from PySide6.QtCore import QBuffer, QIODevice, QUrl
from PySide6.QtGui import QImage, QPagedPaintDevice, QPageSize, QPdfWriter, QTextDocument

from pathoview.core.files import replacing

_DATA = "data:"


class ReportDocument(QTextDocument):
    """Takes pictures from the addresses that hold them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.setHtml(html)

    def loadResource(self, kind: int, name: QUrl | str) -> object:
        """Return the picture that an address holds; nothing is ever fetched."""
        address = name if isinstance(name, str) else name.toString()
        if not address.startswith(_DATA):
            return None
        return QImage.fromData(base64.b64decode(address.partition(",")[2]))


def print_report(html: str, device: QPagedPaintDevice) -> None:
    """Print a report. Any thread may."""
    ReportDocument(html).print_(device)


def write_pdf(html: str, title: str, path: Path) -> None:
    """Write a report as PDF, A4, whole or not at all; raise `StorageError`. Any thread may."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QPdfWriter(buffer)
    writer.setPageSize(QPageSize(QPageSize.PageSizeId.A4))
    writer.setTitle(title)
    writer.setCreator("PathoView")
    print_report(html, writer)
    del writer  # the file ends when its writer does
    with replacing(path) as file:
        file.write(buffer.data().data())
