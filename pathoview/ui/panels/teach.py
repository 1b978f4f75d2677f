"""The Teach panel: what learns, from which labels, and one button; then curves, then *Apply*."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from PySide6.QtCore import QTimer
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import (
    QButtonGroup,
    QCheckBox,
    QComboBox,
    QHBoxLayout,
    QToolButton,
    QWidget,
)

from pathoview.core.translation import _
from pathoview.session.commands import command, run_command
from pathoview.session.object_table import look_at_object
from pathoview.session.session import Session
from pathoview.session.teach_desk import Scope
from pathoview.ui import icons, theme
from pathoview.ui.actions import ICONS
from pathoview.ui.forms import ParamForm
from pathoview.ui.panels.teach_labels import TeachLabels
from pathoview.ui.panels.teach_rounds import TeachRounds
from pathoview.ui.panels.teach_training import TeachTraining
from pathoview.ui.widgets import (
    button,
    column,
    icon_button,
    label,
    line,
    row,
    scrolled,
    shrinkable,
)

_REST_MS = 300
"""Labels are counted, and what is seen is looked at, when the hand has come to rest."""
_READY_AFTER_MS = 500
"""A process is started when the panel is seen, but not while the window is still coming up."""
_PSEUDO = _("Show what it will learn from")
_PSEUDO_BUSY = _("Show what it will learn from: computing…")
_SCOPES: tuple[tuple[Scope, str, str], ...] = (
    ("slide", _("This slide"), _("Only labels of the slide that is open")),
    ("study", _("All slides"), _("Labels of all slides of the study")),
)


class TeachPanel(QWidget):
    """Labels in, a model out, and the overlay of the viewport meanwhile."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._teaching = teaching = session.teaching
        self._forms = {one.name: ParamForm(teaching.form(one)) for one in teaching.methods}
        self.method = self._method_box()
        self._summary = label("", "muted")
        self.scope = _ScopeButtons(teaching.choose_scope)
        self.labels = TeachLabels()
        self.tool = button("", self._take_tool)
        self.pseudo = QCheckBox(_PSEUDO)
        self.pseudo.setToolTip(_("What the method makes of the labels, over what is seen"))
        self.pseudo.clicked.connect(teaching.pseudo.switch)
        self._begin_label = label(_("Begin with"), "heading")
        self.begin_with = shrinkable(QComboBox())
        self.begin_with.setAccessibleName(_("Begin with"))
        self.training = TeachTraining(teaching)
        self.rounds = TeachRounds(teaching, partial(look_at_object, session))
        self._reset = icon_button("reset", _("Defaults"), self._reset_form)
        self._hint = label("", "muted")
        self.run = button(_("Start"), self.start, "teach", primary=True)
        self._build()
        self._timer = self._once_after(_REST_MS, teaching.refresh)
        self._readying = self._once_after(_READY_AFTER_MS, self._get_ready)
        self._looking = self._once_after(_REST_MS, teaching.pseudo.renew)
        self.method.currentIndexChanged.connect(self._on_method_chosen)
        teaching.changed.connect(self._refresh)
        teaching.curve_grew.connect(self.training.show_curve)
        teaching.rounds_changed.connect(self._fill_beginnings)
        teaching.pseudo.changed.connect(self._refresh)
        session.annotations.changed.connect(self._count_soon)
        session.viewport_changed.connect(self._look_soon)
        session.tool_changed.connect(self._refresh)
        self._restore()

    def _once_after(self, milliseconds: int, call: Callable[[], None]) -> QTimer:
        """Return a timer that, started or started again, calls once after a while."""
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.timeout.connect(call)
        return timer

    def _build(self) -> None:
        method_label = label(_("Method"), "heading")
        method_label.setBuddy(self.method)
        self._begin_label.setBuddy(self.begin_with)
        content = column(
            self.training,
            self.rounds,
            line(),
            method_label,
            self.method,
            self._summary,
            row(label(_("Labels"), "heading"), 1, self.scope),
            self.labels,
            row(self.tool, 1),
            self.pseudo,
            self._begin_label,
            self.begin_with,
            row(label(_("Parameters"), "heading"), 1, self._reset),
            *self._forms.values(),
            1,
            margin=theme.GRID + 4,
        )
        foot = column(self._hint, self.run, margin=theme.GRID + 4)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(column(scrolled(content), foot, spacing=0))

    def showEvent(self, event: QShowEvent) -> None:
        """Who looks at the panel will soon press the button: nothing is to be waited for then."""
        super().showEvent(event)
        self._readying.start()

    def _get_ready(self) -> None:
        if not self.visibleRegion().isEmpty():  # it is shown for a moment behind other tabs, too
            self._teaching.get_ready()

    @property
    def form(self) -> ParamForm | None:
        """The form of the chosen method; None: no method learns."""
        return self._forms.get(self.method.currentData())

    @property
    def hint(self) -> str:
        """What keeps the training from starting, in words; empty: nothing does."""
        return self._hint.text()

    def start(self) -> None:
        """Begin a round as the panel says."""
        form = self.form
        if form is not None:
            self._teaching.start(form.values(), self.begin_with.currentData() or "")

    def _count_soon(self) -> None:
        self._timer.start()

    def _look_soon(self) -> None:
        if self._teaching.pseudo.is_on:
            self._looking.start()

    def _take_tool(self) -> None:
        if self._teaching.tool_needed:
            run_command(self._session, self._teaching.tool_needed)

    def _method_box(self) -> QComboBox:
        box = QComboBox()
        box.setAccessibleName(_("Method"))
        for spec in self._teaching.methods:
            box.addItem(spec.title, spec.name)
        return box

    def _restore(self) -> None:
        settings = self._session.settings
        for name, form in self._forms.items():
            form.set_values(settings.teach_params.get(name, {}))
            form.changed.connect(self._on_form_changed)
        chosen = self._teaching.method
        if chosen is not None:
            self.method.setCurrentIndex(self.method.findData(chosen.name))
        self._show_method()
        self._fill_beginnings()
        self._refresh()

    def _on_method_chosen(self) -> None:
        self._teaching.choose_method(self.method.currentData())
        self._readying.start()
        self._show_method()
        self._fill_beginnings()

    def _show_method(self) -> None:
        for form in self._forms.values():
            form.setVisible(form is self.form)
        spec = self._teaching.method
        if spec is not None:
            self._summary.setText(spec.summary)
            self.method.setToolTip(f"<p>{spec.reference}</p>")
        can_go_on = spec is not None and not spec.is_live  # that begins anew with each stroke
        self._begin_label.setVisible(can_go_on)
        self.begin_with.setVisible(can_go_on)
        self._show_reset()

    def _fill_beginnings(self) -> None:
        """List what training can begin with; what was chosen stays chosen, if it is there."""
        chosen = self.begin_with.currentData()
        self.begin_with.clear()
        for start, name in self._teaching.beginnings.items():
            self.begin_with.addItem(name, start)
        self.begin_with.setCurrentIndex(max(0, self.begin_with.findData(chosen)))

    def _on_form_changed(self) -> None:
        """Remember what is set, for the next time too."""
        if self.form is not None:
            chosen = self.method.currentData()
            self._session.settings.teach_params[chosen] = self.form.values()
        self._show_reset()
        self._look_soon()

    def _show_reset(self) -> None:
        self._reset.setEnabled(self.form is not None and not self.form.is_default)

    def _reset_form(self) -> None:
        if self.form is not None:
            self.form.reset()

    def _show_chosen(self) -> None:
        """Show the method that is taught, whoever chose it; it stays while a lesson goes on."""
        chosen = self._teaching.method
        if chosen is not None and chosen.name != self.method.currentData():
            self.method.blockSignals(True)
            self.method.setCurrentIndex(self.method.findData(chosen.name))
            self.method.blockSignals(False)
            self._show_method()
            self._fill_beginnings()
        self.method.setEnabled(not self._teaching.is_teaching)

    def _refresh(self) -> None:
        teaching, session = self._teaching, self._session
        self._show_chosen()
        colors = {one.name: one.color for one in session.annotations.classes}
        self.labels.show_summary(teaching.summary, colors)
        self.scope.choose(teaching.scope, has_study=session.studies.is_named)
        self.training.refresh()
        self._offer_tool()
        self.pseudo.setVisible(teaching.pseudo.can_show)
        self.pseudo.setChecked(teaching.pseudo.is_on)
        self.pseudo.setText(_PSEUDO_BUSY if teaching.pseudo.is_busy else _PSEUDO)
        self.run.setEnabled(not teaching.problem and not teaching.is_teaching)
        self._hint.setText(teaching.problem)
        self._hint.setVisible(bool(teaching.problem))

    def _offer_tool(self) -> None:
        """Offer the tool that draws what is missing, if it is not in hand."""
        command_id = self._teaching.tool_needed
        self.tool.setVisible(bool(command_id))
        if command_id:
            title = _(command(command_id).title)
            self.tool.setText(_("Take the tool: {name}").format(name=title))
            self.tool.setIcon(icons.icon(ICONS[command_id]))


class _ScopeButtons(QWidget):
    """Two buttons of which one is pressed: whose labels are learned from."""

    def __init__(self, on_chosen: Callable[[Scope], None]) -> None:
        super().__init__()
        self._group = QButtonGroup(self)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for number, (name, text, help_text) in enumerate(_SCOPES):
            choice = QToolButton()
            choice.setObjectName(name)
            choice.setText(text)
            choice.setToolTip(help_text)
            choice.setAccessibleName(text)
            choice.setCheckable(True)
            self._group.addButton(choice, number)
            layout.addWidget(choice)
        self._group.idClicked.connect(lambda number: on_chosen(_SCOPES[number][0]))

    def choose(self, scope: Scope, *, has_study: bool) -> None:
        """Press a button without anything happening; without a study there is one slide."""
        names = [name for name, _text, _help in _SCOPES]
        self._group.button(names.index(scope)).setChecked(True)
        whole = self._group.button(names.index("study"))
        whole.setEnabled(has_study)
        reason = _("Needs a study with several slides: open or make one in the Study menu.")
        whole.setToolTip(_SCOPES[names.index("study")][2] if has_study else reason)
