"""Asks how far, in µm where the slide has a scale and in px where not; the answer is remembered."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QDoubleSpinBox, QWidget

from pathoview.annotations.operations import Distance
from pathoview.core.translation import _, ngettext
from pathoview.session.session import Session
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.widgets import button, label, roomy

_WIDTH = 360
_BOUNDS = (0.01, 100_000.0)


class DistanceDialog(Dialog):
    """One number above 0."""

    def __init__(
        self,
        session: Session,
        what: str,
        words: tuple[str, str],
        first: float,
        take: Callable[[Distance], object],
        parent: QWidget | None = None,
    ) -> None:
        """``what`` is remembered by; ``words``: title and question; ``first``: the first time."""
        super().__init__(words[0], parent)
        self._distances = session.settings.distances
        self._take = take
        slide = session.slide
        has_scale = slide is not None and slide.info.mpp is not None
        self._unit = "um" if has_scale else "px"
        self._key = f"{what} {self._unit}"
        self.value = QDoubleSpinBox()
        roomy(self.value)
        self.value.setDecimals(2)
        self.value.setRange(*_BOUNDS)
        self.value.setSuffix(_(" µm") if has_scale else _(" px"))
        self.value.setValue(self._distances.get(self._key, first))
        self.value.setAccessibleName(words[1])
        self.value.selectAll()
        n = session.annotations.n_selected
        self.accept_button = button(
            ngettext("Do it with {n:,} annotation", "Do it with {n:,} annotations", n).format(n=n),
            self.accept,
            primary=True,
        )
        self.accept_button.setDefault(True)
        self.body.addWidget(label(words[1], "title"))
        self.body.addWidget(self.value)
        if not has_scale:
            self.body.addWidget(label(_("The slide has no scale, so it is in slide px."), "muted"))
        self.body.addStretch(1)
        self.add_buttons(1, button(_("Cancel"), self.reject), self.accept_button)
        self.setMinimumWidth(_WIDTH)
        self.value.setFocus()

    def accept(self) -> None:
        """Remember the distance and do what it was asked for."""
        self._distances[self._key] = self.value.value()
        self._take(Distance(self.value.value(), "um" if self._unit == "um" else "px"))
        super().accept()
