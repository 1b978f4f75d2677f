"""The slides of the study that a model takes for most like the open one: evidence to look at."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QVBoxLayout, QWidget

from pathoview.core.statement import EVIDENCE_ONLY
from pathoview.core.translation import _, ngettext
from pathoview.session.session import Session
from pathoview.session.similar_cases import CasesFound, SimilarCase
from pathoview.ui.panels.case_gallery import BOX, CaseEntry, CaseGallery
from pathoview.ui.panels.slide_pictures import SlidePictures
from pathoview.ui.widgets import button, label


class CaseSimilarPage(QWidget):
    """A button, pictures of what was found, how far one can trust it; a click opens a slide."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self._session = session
        self._cases = session.review.cases
        self.hint = label("", "muted")
        self.search = button(_("Find similar cases"), self._cases.find, "slides", primary=True)
        self.count = label("", "heading")
        self.origin = button("", self._go_back, "arrow-left")
        self.pictures = SlidePictures(session, self, BOX.width())
        self.gallery = CaseGallery(_("Similar cases"), session, self.pictures)
        self.gallery.chosen.connect(lambda entry: self._cases.open(entry.slide_hash))
        self.facts = label("", "muted")
        self.describe = button("", partial(self._cases.find, describe=True), "analyze")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in (
            *(self.hint, self.search, self.count, self.origin, self.gallery, self.facts),
            *(self.describe, label(EVIDENCE_ONLY, "muted")),
        ):
            layout.addWidget(part)
        self._cases.changed.connect(self.refresh)
        session.review.tiles.changed.connect(self.refresh)
        session.studies.changed.connect(self.refresh)
        session.slide_changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what was found, and what can be done next."""
        cases, answer = self._cases, self._cases.answer
        self.hint.setText(self._hint())
        self.hint.setVisible(answer is None)
        self.search.setVisible(answer is None or cases.can_find)
        self.search.setEnabled(cases.can_find)
        self.count.setText("" if answer is None else answer.words.counts)
        self.facts.setText(self._facts())
        for part in (self.count, self.facts):
            part.setVisible(bool(part.text()))
        found = () if answer is None else answer.similar
        colors = {} if answer is None else answer.colors
        entries = [self._entry(one, colors.get(one.state)) for one in found]
        self.gallery.show_entries(entries, self._opened(found))
        self.gallery.setVisible(bool(found))
        self._refresh_ways_on(answer)

    def _refresh_ways_on(self, answer: CasesFound | None) -> None:
        """Offer the way back to the slide, and to describe what was never described."""
        slide = self._session.slide
        is_elsewhere = slide is None or answer is None or slide.content_hash != answer.slide_hash
        self.origin.setVisible(answer is not None and is_elsewhere)
        if answer is not None:
            self.origin.setText(_("Back to {name}").format(name=self._name(answer.slide_hash)))
        n = 0 if answer is None else answer.n_without
        words = ngettext("Describe {n} more slide", "Describe {n} more slides", n)
        self.describe.setText(words.format(n=n))
        self.describe.setVisible(n > 0)
        self.describe.setEnabled(self._cases.can_find)

    def _go_back(self) -> None:
        if self._cases.answer is not None:
            self._cases.open(self._cases.answer.slide_hash)

    def _hint(self) -> str:
        if self._cases.is_busy:
            return _("Looking…")
        if self._cases.run is None:
            names = ", ".join(f"“{title}”" for title in self._cases.methods)
            words = _(
                "Apply a model of {names} to the slide first: it tells which cases are alike."
            )
            return words.format(names=names)
        if not self._session.studies.is_named:
            return _("Open a study first: similar cases are looked for among its slides.")
        return _("Slides of the study that the model takes for most alike, of other patients.")

    def _facts(self) -> str:
        answer = self._cases.answer
        if answer is None:
            return self._session.slides.shown(self._cases.problem)
        said = (*answer.words.notes, answer.words.precision)
        return self._session.slides.shown("\n".join(filter(None, said)))

    def _entry(self, one: SimilarCase, color: tuple[int, int, int] | None) -> CaseEntry:
        words = _("{name}, similarity {value:.3f}, {state}").format(
            name=self._name(one.slide_hash),
            value=one.similarity,
            state=one.state or _("no label"),
        )
        return CaseEntry(one.slide_hash, one.similarity, one.state, color, words)

    def _name(self, slide_hash: str) -> str:
        """Return what a slide is called in the list of slides."""
        row = self._session.slides.row(slide_hash)
        return slide_hash[:8] if row is None else row.name

    def _opened(self, found: tuple[SimilarCase, ...]) -> int | None:
        slide = self._session.slide
        keys = [one.slide_hash for one in found]
        return keys.index(slide.content_hash) if slide and slide.content_hash in keys else None
