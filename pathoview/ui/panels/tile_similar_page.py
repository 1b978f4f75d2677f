"""The tiles that look most like the chosen one, on the slides of the study."""

from __future__ import annotations

from PySide6.QtWidgets import QVBoxLayout, QWidget

from pathoview.core.translation import _, ngettext
from pathoview.session.session import Session
from pathoview.session.similar_tiles import Similar, SimilarTile
from pathoview.ui.panels.tile_gallery import TileEntry, TileGallery
from pathoview.ui.panels.tile_pictures import TilePictures
from pathoview.ui.text import tiles_text
from pathoview.ui.widgets import button, label


class TileSimilarPage(QWidget):
    """A button, and a gallery of what was found; a click opens the slide there."""

    def __init__(self, session: Session, pictures: TilePictures) -> None:
        super().__init__()
        self._session = session
        self._similar = session.review.similar
        self.hint = label("", "muted")
        self.search = button(_("Find similar tiles"), self._similar.find, "points", primary=True)
        self.facts = label("", "muted")
        self.gallery = TileGallery(_("Similar tiles"), pictures, n_lines=2)
        self.gallery.chosen.connect(lambda entry: self._similar.go_to(entry.place))
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        for part in (self.hint, self.search, self.facts, self.gallery):
            layout.addWidget(part)
        self._similar.changed.connect(self.refresh)
        session.review.tiles.changed.connect(self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show what was found, and what can be done next."""
        similar = self._similar
        self.hint.setText(self._hint())
        self.search.setEnabled(similar.can_find and not similar.is_busy)
        self.facts.setText(_("Looking…") if similar.is_busy else self._facts())
        self.facts.setVisible(bool(self.facts.text()))
        found = () if similar.answer is None else similar.answer.similar
        entries = [_entry(one) for one in found]
        self.gallery.show_entries(entries, self._chosen(found))
        self.gallery.setVisible(bool(found))

    def _hint(self) -> str:
        if not self._similar.can_find:
            return _("Click a tile on the slide or in the gallery: then tiles like it are found.")
        return _("By the features that an encoder sees, on all slides of the study.")

    def _facts(self) -> str:
        answer = self._similar.answer
        problem = self._session.slides.shown(self._similar.problem)
        return problem if answer is None else _facts(answer)

    def _chosen(self, found: tuple[SimilarTile, ...]) -> int | None:
        slide, rect_l0 = self._session.slide, self._session.review.tiles.chosen_l0
        key = "" if slide is None else slide.content_hash
        for row, one in enumerate(found):
            if (one.slide_hash, one.place.rect_l0) == (key, rect_l0):
                return row
        return None


def _entry(one: SimilarTile) -> TileEntry:
    words = _("{pseudonym}, similarity {value:.3f}, x {x:,.0f}, y {y:,.0f} px").format(
        pseudonym=one.pseudonym, value=one.similarity, x=one.x_l0, y=one.y_l0
    )
    return TileEntry(one.place, f"{one.similarity:.3f}\n{one.pseudonym}", words)


def _facts(answer: Similar) -> str:
    words = ngettext(
        "{tiles} on {n} slide compared.", "{tiles} on {n} slides compared.", answer.n_slides
    )
    said = [words.format(tiles=tiles_text(answer.n_tiles), n=answer.n_slides)]
    if answer.n_without:
        words = ngettext(
            "{n} slide of the study is not described by this encoder: apply the model to it.",
            "{n} slides of the study are not described by this encoder: apply the model to them.",
            answer.n_without,
        )
        said.append(words.format(n=answer.n_without))
    return " ".join(said)
