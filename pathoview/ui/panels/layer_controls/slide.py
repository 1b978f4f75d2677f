"""Controls of a slide: brightness, contrast, gamma; one stain alone, or its channels."""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtWidgets import QComboBox

from pathoview.core.translation import _
from pathoview.layers.registered_source import RegisteredSource
from pathoview.layers.slide_source import SlideSource
from pathoview.layers.slide_style import STAIN_VIEWS, SlideStyle
from pathoview.session.session import Session
from pathoview.session.stain_choice import FIXED, StainChoice, choice_of, estimate
from pathoview.ui.panels.layer_controls.controls import Controls, Latest, NumberSlider
from pathoview.ui.wheel import ignore_wheel
from pathoview.ui.widgets import button, column, label, row, shrinkable

_STRONGEST = 3.0
"""Contrast and gamma go from 1/8 to 8 and from 1/4 to 4: two to the power of the slider."""


class SlideControls(Controls):
    """Tone and stains of one slide; methods see its raw pixels all the same."""

    def __init__(
        self, session: Session, source: SlideSource, placed: RegisteredSource | None = None
    ) -> None:
        """``placed`` lays a second slide on the base slide; None: it is the base slide."""
        super().__init__(session)
        self._source = source
        self._placed = placed
        self._offered: list[StainChoice] = []
        self._estimating: Latest[tuple[StainChoice, str]] = Latest(
            session, self, self._on_estimate, self._on_estimate_failed
        )
        self.brightness = NumberSlider(_("Brightness"), -1, 1, lambda n: f"{100 * n:+.0f}")
        self.contrast = NumberSlider(_("Contrast"), -_STRONGEST, _STRONGEST, _factor)
        self.gamma = NumberSlider(_("Gamma"), -2, 2, _factor)
        self.stain = QComboBox()
        self.stain.setAccessibleName(_("What is shown"))
        self.stains = QComboBox()
        self.stains.setAccessibleName(_("Stains"))
        self.estimate = button(_("Estimate stains here"), self._estimate)
        self.estimate.setToolTip(
            _("Take the colours of the stains from the drawn region, else from what is seen")
        )
        self.reset = button(_("Reset"), self._reset, "reset")
        self.note = label("", "muted")
        self.note.hide()
        for box in (self.stain, self.stains):
            shrinkable(box)
            ignore_wheel(box)
        self._lay_out()
        for slider in (self.brightness, self.contrast, self.gamma):
            slider.valueChanged.connect(self._on_tone_moved)
        self.stain.currentIndexChanged.connect(self._on_stain_chosen)
        self.stains.currentIndexChanged.connect(self._on_stains_chosen)
        self.refresh()

    def _lay_out(self) -> None:
        for slider in (self.brightness, self.contrast, self.gamma):
            self.box.addLayout(slider.line)
        shown = row(label(_("Show")), self.stain)
        shown.setStretchFactor(self.stain, 1)
        stains = row(label(_("Stains")), self.stains)
        stains.setStretchFactor(self.stains, 1)
        of_stains = column(shown, stains, self.note)
        self.box.addWidget(of_stains)
        self.box.addLayout(row(self.estimate, 1, self.reset))
        if not self._source.slide.info.is_rgb:
            of_stains.hide()
            self.estimate.hide()

    def _show(self) -> None:
        style = self._source.style
        self.brightness.set_number(style.brightness)
        self.contrast.set_number(math.log2(style.contrast))
        self.gamma.set_number(math.log2(style.gamma))
        self._offer_stains(choice_of(style.stains))
        self.stain.setCurrentIndex(STAIN_VIEWS.index(style.stain))
        self.reset.setEnabled(style != SlideStyle(stains=style.stains))

    def _offer_stains(self, chosen: StainChoice) -> None:
        """Offer the fixed colours and those that were estimated; name what each shows."""
        others = [choice for choice in self._offered if choice not in FIXED][-1:]
        offered = [*FIXED, *([chosen] if chosen not in FIXED else others)]
        if offered != self._offered:
            self._offered = offered
            self.stains.clear()
            self.stains.addItems([choice.name for choice in offered])
        self.stains.setCurrentIndex(offered.index(chosen))
        words = [_("Original colours"), *chosen.stains, _("What is left over")]
        if [self.stain.itemText(index) for index in range(self.stain.count())] != words:
            self.stain.clear()
            self.stain.addItems(words)

    # -- wishes ----------------------------------------------------------------------------------

    def _restyle(self, **changes: Any) -> None:
        if not self._is_refreshing:
            self._source.style = replace(self._source.style, **changes)

    def _on_tone_moved(self) -> None:
        self._restyle(
            brightness=self.brightness.number,
            contrast=2**self.contrast.number,
            gamma=2**self.gamma.number,
        )

    def _on_stain_chosen(self, index: int) -> None:
        self._restyle(stain=STAIN_VIEWS[index])

    def _on_stains_chosen(self, index: int) -> None:
        self._restyle(stains=self._offered[index].matrix)

    def _reset(self) -> None:
        self._source.style = SlideStyle(stains=self._source.style.stains)

    def _estimate(self) -> None:
        place_l0 = self._session.region_l0 or self._session.viewport.visible_l0
        self.estimate.setEnabled(False)
        if self._placed is not None:
            place_l0 = self._placed.placement.inverse().rect(place_l0)
        self._estimating.ask(partial(estimate, self._source, place_l0))

    def _on_estimate(self, found: tuple[StainChoice, str]) -> None:
        choice, problem = found
        text = _("Fixed colours are kept: {why}.").format(why=problem)
        self._say(text if problem else "")
        self._restyle(stains=choice.matrix)

    def _on_estimate_failed(self, error: BaseException) -> None:
        self._say(str(error))

    def _say(self, text: str) -> None:
        self.estimate.setEnabled(True)
        self.note.setText(text)
        self.note.setVisible(bool(text))


def _factor(exponent: float) -> str:
    return f"{2**exponent:.2g}×"
