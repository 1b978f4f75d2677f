"""The report of a slide: read, saved as HTML or PDF, and printed."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from PySide6.QtPrintSupport import QPrintDialog, QPrinter
from PySide6.QtWidgets import QDialog, QTextBrowser, QWidget

from pathoview.core.translation import _
from pathoview.session.notices import from_error
from pathoview.session.session import Session
from pathoview.session.slide_report_desk import SlideReportPage
from pathoview.ui.dialogs.told import ToldDialog
from pathoview.ui.report_document import ReportDocument, print_report, write_pdf
from pathoview.ui.widgets import button

_SIZE = (860, 820)
_MARGIN_PX = 24
_PAPER = "QTextBrowser { background: #fafafa; border: none; }"
"""Light, as it will be printed."""


class SlideReportDialog(ToldDialog):
    """Has the report of the open slide told, and shows it."""

    found: QTextBrowser | None
    kinds = _("PDF (*.pdf);;HTML (*.html)")

    def __init__(self, session: Session, parent: QWidget | None) -> None:
        self._session = session
        self._desk = session.exchange.report
        target = session.study_files.suggested_folder / "report.pdf"
        super().__init__(_("Slide report"), self._desk, target, parent)
        self.print = button(_("Print…"), self._ask_printer)
        self.resize(*_SIZE)
        self.tell(self._desk.tell, self.print)

    def _refresh(self) -> None:
        super()._refresh()
        self.print.setEnabled(self._desk.page is not None)

    def _shown(self, page: SlideReportPage) -> QTextBrowser:
        browser = QTextBrowser()
        browser.setAccessibleName(_("Slide report"))
        browser.setStyleSheet(_PAPER)
        document = ReportDocument(page.html)
        document.setParent(browser)
        document.setDocumentMargin(_MARGIN_PX)
        browser.setDocument(document)
        return browser

    def _write(self, path: Path) -> None:
        page = self._desk.page
        if page is not None and path.suffix.lower() == ".pdf":
            self._desk.save(path, partial(write_pdf, page.html, page.title))
        else:
            super()._write(path)

    def _ask_printer(self) -> None:
        printer = QPrinter(QPrinter.PrinterMode.HighResolution)
        dialog = QPrintDialog(printer, self)
        dialog.accepted.connect(partial(self._print, printer))
        QDialog.open(dialog)  # the printer's own wants the slot by its name

    def _print(self, printer: QPrinter) -> None:
        page = self._desk.page
        if page is not None:
            work = partial(print_report, page.html, printer)
            self._session.scheduler.submit(work, self._on_printed)

    def _on_printed(self, _done: None, error: BaseException | None) -> None:
        if error is not None:
            self._session.notice.emit(from_error(error))
