"""Controls of what a run makes of tissue as if it were healthy: threshold, comparison, areas."""

from __future__ import annotations

from dataclasses import replace

from pathoview.core.translation import _
from pathoview.layers.synthesis_source import DifferenceSource, PathologySource
from pathoview.session.commands import command, run_command
from pathoview.session.session import Session
from pathoview.ui.panels.layer_controls.controls import Controls, NumberSlider
from pathoview.ui.text import area_text, value_text
from pathoview.ui.widgets import button, label

_COMPARE, _TAKE = "compare.healthy", "annotate.take_regions"


class CompareControls(Controls):
    """One button to the curtain between the slide and its pseudo-healthy picture."""

    def __init__(self, session: Session) -> None:
        super().__init__(session)
        self.compare = button(_("Compare by curtain"), self._toggle, "views")
        self.compare.setCheckable(True)
        self.compare.setToolTip(_("The pseudo-healthy picture left, the slide right; X flickers"))
        self.box.addWidget(self.compare)
        self.refresh()

    def _toggle(self) -> None:
        run_command(self._session, _COMPARE)
        self.refresh()

    def _show(self) -> None:
        switch = command(_COMPARE)
        self.compare.setEnabled(switch.enabled(self._session))
        self.compare.setChecked(bool(switch.checked and switch.checked(self._session)))


class ThresholdControls(Controls):
    """From where on something counts, how much that is, and its way into annotations."""

    def __init__(self, session: Session, source: PathologySource | DifferenceSource) -> None:
        super().__init__(session)
        self._source = source
        self.threshold = NumberSlider(_("Threshold"), 0.0, source.highest, value_text)
        self.area = label("", "muted")
        self.take = button(_("Areas to annotations"), self._take, "annotation")
        self.take.setToolTip(_("Outline what lies above the threshold, to be corrected"))
        self.box.addLayout(self.threshold.line)
        self.box.addWidget(self.area)
        self.box.addWidget(self.take)
        self.threshold.valueChanged.connect(self._on_moved)
        self.refresh()

    def _show(self) -> None:
        threshold = self._source.style.threshold or 0.0
        self.threshold.set_number(threshold)
        area, share = self._source.area_above(threshold)
        words = _("{area} from there on, {share:.1%} of what was analysed")
        self.area.setText(words.format(area=area_text(area), share=share))
        run = self._session.results
        is_newest = run is not None and self._source in [one.source for one in run.layers]
        self.take.setEnabled(is_newest and run is not None and not run.is_growing)

    def _on_moved(self) -> None:
        if not self._is_refreshing:
            self._source.style = replace(self._source.style, threshold=self.threshold.number)
            self.refresh()

    def _take(self) -> None:
        threshold = self._source.style.threshold or 0.0
        self._session.settings.export.synthesis.update(self._source.outlined_from(threshold))
        run_command(self._session, _TAKE)
