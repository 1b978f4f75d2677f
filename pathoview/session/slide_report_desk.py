"""The report of the open slide: asked for, shown, and saved."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pathoview.session import orders
from pathoview.session.page_desk import PageDesk, Shown
from pathoview.session.run_desk import RunDesk

if TYPE_CHECKING:
    from pathoview.session.session import Session


class SlideReportPage(Shown):
    """The report as it is shown and printed."""

    title: str
    """The pseudonym of the slide."""
    html: str
    """It needs no other file."""


class SlideReportDesk(PageDesk[SlideReportPage]):
    """Has one report told at a time."""

    def __init__(self, session: Session, runs: RunDesk) -> None:
        super().__init__(session, runs, SlideReportPage, "slide-report")

    def tell(self) -> None:
        """Begin with the open slide, and the finished results that are shown on it.

        `changed` follows, and `page` or `problem` is there in the end.
        """
        slide, study = self._session.slide, self._session.studies.study
        if slide is None:
            return
        shown = [
            one.record.id
            for one in self._session.runs
            if one.record.kind == "analysis" and one.record.state == "done"
        ]
        is_there = study is not None and (study.file is not None or study.writer.n_waiting)
        path = study.path if study is not None and is_there else None
        order = partial(orders.slide_report, slide, path, shown)
        self.begin(order, reads_study=True)
