"""The Review panel: correct what was found, and answer where an answer teaches most."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QComboBox,
    QProgressBar,
    QPushButton,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from pathoview.core.translation import _, ngettext
from pathoview.session.commands import command, run_command
from pathoview.session.review_desk import ReviewDesk
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.wheel import ignore_wheel
from pathoview.ui.widgets import (
    button,
    card,
    column,
    icon_button,
    label,
    line,
    row,
    scrolled,
    shrinkable,
)

_REASONS = {
    "confidence": _("Objects that the run is least sure of"),
    "disagreement": _("Objects that two runs disagree on"),
    "map": _("Fields where classes are close"),
}
_HOW = _(
    "Click a nucleus, or go round several with S held. Digits give a class, J merges, K and a line "
    "across splits. The brush in a class corrects a map."
)


class ReviewPanel(QWidget):
    """Three answers with a key each, the question, and how far one is."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.chosen = label("", "heading")
        self.accept = self._answer("review.accept", _("Accept"), "done")
        self.delete = self._answer("annotate.delete", _("No nucleus"), "trash")
        self.unsure = self._answer("annotate.uncertain", _("Unsure"), "help")
        self.merge = self._answer("review.merge", _("Merge"), "link")
        answers = column(
            row(self.accept, self.delete, spacing=theme.GRID // 2),
            row(self.unsure, self.merge, spacing=theme.GRID // 2),
            spacing=theme.GRID // 2,
        )
        self.reason = QComboBox()
        self.reason.setAccessibleName(_("What is asked about"))
        shrinkable(self.reason)
        ignore_wheel(self.reason)
        self.reason.activated.connect(self._on_reason)
        run = partial(run_command, session)
        self.search = button(_("Find places"), partial(run, "review.find"), "nucleus-pick")
        self.map = button(_("Map of uncertainty"), partial(run, "review.map"), "heatmap")
        self.where = label("", "heading")
        self.where.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.why = label("", "muted")
        self.bar = QProgressBar()
        self.bar.setAccessibleName(_("Places answered"))
        self.bar.setTextVisible(False)
        self.previous = self._arrow("review.previous", "arrow-left")
        self.next = self._arrow("review.next", "arrow-right")
        steps = row(self.previous, self.where, self.next)
        steps.setStretchFactor(self.where, 1)
        self.question = card(steps, self.why, self.bar)
        self.nothing = label("", "muted")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        parts = (
            *(self.chosen, answers, self.question, line()),
            *(label(_("What to label next"), "heading"), self.nothing, self.reason),
            *(row(self.search, self.map, 1), line(), label(_HOW, "muted"), 1),
        )
        layout.addWidget(scrolled(column(*parts, margin=theme.GRID + 4)))
        self._desk = session.review
        self._desk.changed.connect(self.refresh)
        self.refresh()

    def _answer(self, command_id: str, text: str, icon: str) -> QPushButton:
        key = command(command_id).shortcut.partition(";")[0]
        made = button(f"{text}  {key}", partial(run_command, self._session, command_id), icon)
        made.setAccessibleName(text)
        made.setToolTip(_(command(command_id).title))
        made.setFocusPolicy(Qt.FocusPolicy.TabFocus)  # a click leaves the canvas its keys
        return made

    def _arrow(self, command_id: str, icon: str) -> QToolButton:
        known = command(command_id)
        text = f"{_(known.title)} ({known.shortcut})"
        made = icon_button(icon, text, partial(run_command, self._session, command_id))
        made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        return made

    def _on_reason(self) -> None:
        self._desk.choose_reason(self.reason.currentData())

    def refresh(self) -> None:
        """Show what is chosen and what is asked now."""
        self._refresh_answers()
        reasons = list(self._desk.reasons)
        shown = [self.reason.itemData(index) for index in range(self.reason.count())]
        if reasons != shown:
            self.reason.clear()
            for reason in reasons:
                self.reason.addItem(_(_REASONS[reason]), reason)
        self.reason.setCurrentIndex(max(0, self.reason.findData(self._desk.reason)))
        self.reason.setVisible(len(reasons) > 1)
        self.nothing.setText(_nothing_text(self._desk, self._session))
        self.nothing.setVisible(bool(self.nothing.text()))
        self.search.setVisible(bool(reasons))
        self.search.setEnabled(not self._desk.is_searching)
        self.map.setVisible("confidence" in reasons)
        self._refresh_question()

    def _refresh_answers(self) -> None:
        n = self._desk.corrections.n_chosen
        self.chosen.setText(_chosen_text(n, self._session.annotations.n_selected))
        can_answer = self._desk.can_answer
        for made in (self.accept, self.delete, self.unsure):
            made.setEnabled(can_answer)
        self.merge.setEnabled(n > 1)
        is_map = self._desk.queue.reason == "map" and not n
        self.delete.setText(f"{_('Wrong') if is_map else _('No nucleus')}  Del")

    def _refresh_question(self) -> None:
        desk = self._desk
        n = len(desk.queue.places)
        self.question.setVisible(n > 0)
        if not n:
            return
        text = _("{n} of {count}  ·  {answered} answered")
        where = desk.queue.index + 1
        self.where.setText(text.format(n=where, count=n, answered=desk.n_answered))
        self.why.setText(why_text(desk))
        self.previous.setEnabled(desk.queue.index > 0)
        self.bar.setRange(0, n)
        self.bar.setValue(desk.n_answered)


def _chosen_text(n_detections: int, n_annotations: int) -> str:
    said = []
    if n_detections:
        words = ngettext("{n:,} detection", "{n:,} detections", n_detections)
        said.append(words.format(n=n_detections))
    if n_annotations:
        words = ngettext("{n:,} annotation", "{n:,} annotations", n_annotations)
        said.append(words.format(n=n_annotations))
    return _("{what} chosen").format(what=", ".join(said)) if said else _("Nothing chosen")


def why_text(desk: ReviewDesk) -> str:
    """Return why the place is asked about, in words."""
    place, run = desk.place, desk.run_of_place
    if place is None:
        return ""
    if run is None:
        return _("The run that is asked about is not shown.")
    if not desk.is_walking:
        return _("Here you were last. C goes on.")
    if desk.is_answered(place):
        return _("You have answered this one.")
    if desk.queue.reason == "map":
        text = _(
            "Here the two likeliest classes are close: doubt {doubt:.0%} on average. The map says "
            "“{name}”. Accept, give another class by its digit, or say that it is wrong."
        )
        return text.format(doubt=place.value, name=place.class_name)
    if desk.queue.reason == "disagreement":
        text = _("“{title}” has found a nucleus here, the run it is compared with has not.")
        return text.format(title=run.record.title)
    text = _("The method is {sure:.0%} sure of this nucleus: less than of any other nearby.")
    return text.format(sure=place.value)


def _nothing_text(desk: ReviewDesk, session: Session) -> str:
    if session.results is None:
        return _("Apply a model, or analyze, first: then places are asked about here.")
    if not desk.reasons:
        return _(
            "This run does not say how sure it is. A model that was taught does; or show the run "
            "of another method too, and they are compared."
        )
    return ""
