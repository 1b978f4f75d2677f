"""The Analyze panel: which method, where, with which parameters; and one button."""

from __future__ import annotations

from PySide6.QtWidgets import QButtonGroup, QComboBox, QHBoxLayout, QToolButton, QWidget

from pathoview.core.geometry import Rect
from pathoview.core.translation import _
from pathoview.session.session import Session, Where
from pathoview.ui import theme
from pathoview.ui.forms import ParamForm
from pathoview.ui.widgets import button, column, icon_button, label, row, scrolled

_CHOICES = (
    ("slide", _("Whole slide"), _("All tissue of the slide; glass and pen marks are skipped")),
    ("viewport", _("What is seen"), _("Only what the canvas shows now")),
    ("region", _("Rectangle"), _("A rectangle drawn on the slide")),
)


class AnalyzePanel(QWidget):
    """Defaults that work: one click is enough."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._region_l0 = session.region_l0
        self._methods = tuple(session.methods())
        self._forms = [ParamForm(rows) for _spec, rows in self._methods]
        self.method = self._method_box()
        self._summary = label("", "muted")
        self.where = WhereButtons()
        self._hint = label("", "muted")
        self._reset = icon_button("reset", _("Defaults"), self._reset_form)
        self.run = button(_("Analyze"), self.start, "analyze", primary=True)
        self.run.setToolTip(_("Analyze (Ctrl+Return)"))
        method_label = label(_("Method"), "heading")
        method_label.setBuddy(self.method)
        content = column(
            method_label,
            self.method,
            self._summary,
            label(_("Where"), "heading"),
            self.where,
            row(label(_("Parameters"), "heading"), 1, self._reset),
            *self._forms,
            1,
            margin=theme.GRID + 4,
        )
        foot = column(self._hint, self.run, margin=theme.GRID + 4)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(column(scrolled(content), foot, spacing=0))
        self.method.currentIndexChanged.connect(self._on_method_changed)
        self.where.group.idClicked.connect(self._on_where_clicked)
        for form in self._forms:
            form.changed.connect(self._on_form_changed)
        session.slide_changed.connect(self._refresh)
        session.selection_changed.connect(self._on_selection_changed)
        self._restore()

    @property
    def form(self) -> ParamForm:
        return self._forms[self.method.currentIndex()]

    @property
    def hint(self) -> str:
        """What is still missing, in words; empty when nothing is."""
        return self._hint.text()

    def start(self) -> None:
        """Analyze as the panel says; a rectangle that is still missing is asked for."""
        if not self._session.slide:
            return
        where = self._where()
        if where is None:
            self._session.set_tool("region")
            return
        self._remember()
        self._session.analyze(self.method.currentData(), self.form.values(), where)

    def _where(self) -> Where | Rect | None:
        chosen = self.where.chosen
        if chosen == "region":
            return self._session.region_l0
        return "viewport" if chosen == "viewport" else "slide"

    def _method_box(self) -> QComboBox:
        box = QComboBox()
        box.setAccessibleName(_("Method"))
        for spec, _rows in self._methods:
            box.addItem(spec.title, spec.name)
        return box

    def _restore(self) -> None:
        """Take up method and parameters where they were left."""
        settings = self._session.settings
        for (spec, _rows), form in zip(self._methods, self._forms, strict=True):
            form.set_values(settings.method_params.get(spec.name, {}))
        self.method.setCurrentIndex(max(0, self.method.findData(settings.method)))
        self._on_method_changed()

    def _remember(self) -> None:
        settings = self._session.settings
        name = self.method.currentData()
        settings.method = name
        settings.method_params = {**settings.method_params, name: self.form.values()}

    def _on_method_changed(self) -> None:
        for form in self._forms:
            form.setVisible(form is self.form)
        spec, _rows = self._methods[self.method.currentIndex()]
        self._summary.setText(spec.summary)
        self.method.setToolTip(f"<p>{spec.reference}</p>" if spec.reference else "")
        self._on_form_changed()
        self._refresh()

    def _on_form_changed(self) -> None:
        self._reset.setEnabled(not self.form.is_default)

    def _reset_form(self) -> None:
        self.form.reset()

    def _on_where_clicked(self) -> None:
        if self.where.chosen == "region" and self._session.region_l0 is None:
            self._session.set_tool("region")
        self._refresh()

    def _on_selection_changed(self) -> None:
        """A rectangle just drawn is what one wants to analyze."""
        region_l0 = self._session.region_l0
        if region_l0 != self._region_l0:
            self._region_l0 = region_l0
            self.where.choose("slide" if region_l0 is None else "region")
        self._refresh()

    def _refresh(self) -> None:
        session = self._session
        self.run.setEnabled(session.slide is not None)
        if session.slide is None:
            hint = _("Open a slide first.")
        elif self.where.chosen == "region" and session.region_l0 is None:
            hint = _("Draw a rectangle on the slide, then click Analyze.")
        else:
            hint = ""
        self._hint.setText(hint)
        self._hint.setVisible(bool(hint))


class WhereButtons(QWidget):
    """Three buttons of which one is pressed: where to analyze."""

    def __init__(self) -> None:
        super().__init__()
        self.group = QButtonGroup(self)
        self.group.setExclusive(True)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(2)
        for number, (name, text, help_text) in enumerate(_CHOICES):
            choice = QToolButton()
            choice.setObjectName(name)
            choice.setText(text)
            choice.setToolTip(help_text)
            choice.setAccessibleName(text)
            choice.setCheckable(True)
            self.group.addButton(choice, number)
            layout.addWidget(choice)
        layout.addStretch(1)
        self.choose("slide")

    @property
    def chosen(self) -> str:
        return _CHOICES[self.group.checkedId()][0]

    def choose(self, name: str) -> None:
        names = [choice[0] for choice in _CHOICES]
        self.group.button(names.index(name)).setChecked(True)
