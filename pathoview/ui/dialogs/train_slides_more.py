"""What seldom has to be said of a training on labels of slides, folded away until asked for."""

from __future__ import annotations

from collections.abc import Mapping

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QToolButton, QVBoxLayout, QWidget

from pathoview.core.translation import _, ngettext
from pathoview.session.slide_learning import SlideLearning
from pathoview.session.slide_plan import COARSER, SlideMore
from pathoview.session.viewport import OBJECTIVE_MPP
from pathoview.ui import theme
from pathoview.ui.forms import ParamForm
from pathoview.ui.text import magnification_text
from pathoview.ui.wheel import ignore_wheel
from pathoview.ui.widgets import column, label, row, shrinkable

_SAME = 1e-3
"""Scales that differ by a smaller share are the same."""


class TrainSlidesMore(QWidget):
    """Magnifications, how it is measured, where it begins, and the parameters of the method."""

    changed = Signal()

    def __init__(self, learning: SlideLearning, parameters: Mapping[str, ParamForm]) -> None:
        """``parameters``: of each method, by its name."""
        super().__init__()
        self._learning = learning
        self._parameters = parameters
        self.toggle = QToolButton()
        self.toggle.setCheckable(True)
        self.toggle.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
        self.coarser = {factor: QCheckBox() for factor in COARSER}
        self.form = ParamForm(learning.more_form)
        self.sites = label("", "muted")
        self.begin_with = shrinkable(QComboBox())
        ignore_wheel(self.begin_with)
        self.begin_with.setAccessibleName(_("Begins with"))
        self.anew = QCheckBox(_("Forget what a stopped training has learned"))
        self._lay_out()
        self._help()
        self._connect()
        self.unfold(False)

    def _lay_out(self) -> None:
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(theme.GRID)
        self.body = column(
            label(_("Each tile is also looked at from further away, at"), "muted"),
            row(*self.coarser.values(), 1),
            self.form,
            self.sites,
            row(label(_("Begins with")), self.begin_with, 1),
            self.anew,
            label(_("Parameters of the method"), "heading"),
            *self._parameters.values(),
        )
        layout.addLayout(row(self.toggle, 1))
        layout.addWidget(self.body)

    def _help(self) -> None:
        for box in self.coarser.values():
            box.setToolTip(
                _("More of what surrounds a tile is seen. Describing tiles takes longer each time.")
            )
        self.begin_with.setToolTip(
            _("A model of the same method, classes and encoder that has learned from other slides.")
        )
        self.anew.setToolTip(_("Do not go on with the folds of a training that was stopped."))

    def _connect(self) -> None:
        self.toggle.toggled.connect(self.unfold)
        self.form.changed.connect(self.changed)
        self.begin_with.currentIndexChanged.connect(lambda _place: self.changed.emit())
        for box in self.coarser.values():
            box.toggled.connect(lambda _on: self.changed.emit())

    # -- what is chosen --------------------------------------------------------------------------

    @property
    def more(self) -> SlideMore:
        return SlideMore.parse(self.form.values())

    @property
    def start(self) -> str:
        """A model to go on from; empty: from scratch."""
        return str(self.begin_with.currentData() or "")

    def scales(self, mpp: float) -> tuple[float, ...]:
        """Return µm per px of each magnification; the first is that of the grid."""
        factors = [factor for factor, box in self.coarser.items() if box.isChecked()]
        return (mpp, *(round(mpp * factor, 3) for factor in factors))

    def restore(self, scales: list[float], said: Mapping[str, object]) -> None:
        """Show what was chosen last."""
        self.form.set_values(said)
        for factor, box in self.coarser.items():
            ratios = [one / scales[0] for one in scales[1:]]
            box.setChecked(any(abs(one / factor - 1) < _SAME for one in ratios))
        self.unfold(not self._is_usual)

    @property
    def _is_usual(self) -> bool:
        return self.form.is_default and not any(box.isChecked() for box in self.coarser.values())

    # -- what is shown ---------------------------------------------------------------------------

    def unfold(self, is_open: bool) -> None:
        """Show all of it, or hide it."""
        self.toggle.setChecked(is_open)
        arrow = Qt.ArrowType.DownArrow if is_open else Qt.ArrowType.RightArrow
        self.toggle.setArrowType(arrow)
        self.toggle.setText(_("More") if is_open else _("More…"))
        self.body.setVisible(is_open)

    def show_scale(self, mpp: float) -> None:
        """Say what the further magnifications are."""
        for factor, box in self.coarser.items():
            coarse = mpp * factor
            power = magnification_text(OBJECTIVE_MPP / coarse)
            box.setText(_("{power} ({mpp:g} µm per px)").format(power=power, mpp=coarse))

    def show_method(self, method: str) -> None:
        """Show the parameters of a method, and what it can go on from."""
        for name, form in self._parameters.items():
            form.setVisible(name == method)
        chosen = self.begin_with.currentData()
        self.begin_with.blockSignals(True)
        self.begin_with.clear()
        for start, name in self._learning.beginnings(method).items():
            self.begin_with.addItem(name, start)
        self.begin_with.setCurrentIndex(max(0, self.begin_with.findData(chosen)))
        self.begin_with.blockSignals(False)

    def show_sites(self, sites: Mapping[str, int], n_classes: int) -> None:
        """Say how many slides are of which site, and whether there is something to cut."""
        self.form.editor("threshold").setEnabled(n_classes == 2)
        known = [f"{name} {n:,}" for name, n in sorted(sites.items()) if name]
        said = []
        if known:
            said.append(
                _("A fold for each site, with its slides: {sites}.").format(sites=", ".join(known))
            )
        n = sites.get("", 0)
        if n:
            text = ngettext(
                "{n:,} slide without a site is always learned from, and never measured.",
                "{n:,} slides without a site are always learned from, and never measured.",
                n,
            )
            said.append(text.format(n=n))
        self.sites.setText(" ".join(said))
        self.sites.setVisible(self.more.hold_out == "sites" and bool(said))
