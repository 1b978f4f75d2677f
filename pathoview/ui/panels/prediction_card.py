"""What a method for whole slides says of the slide: probabilities, and what they rest on."""

from __future__ import annotations

from PySide6.QtWidgets import QGridLayout, QProgressBar, QWidget

from pathoview.core.translation import _
from pathoview.layers.attention_source import ATTENTION_MEANING
from pathoview.session.run_attention import SlidePrediction
from pathoview.session.runs import RunView
from pathoview.ui import theme
from pathoview.ui.widgets import ElidedLabel, clear_layout, column, label

_BAR_SHARE = 2
_STEPS = 1000


class PredictionCard(QWidget):
    """One line a class, and below what one should know to believe or doubt it."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._classes = QGridLayout(self)
        self._classes.setContentsMargins(0, 0, 0, 0)
        self._classes.setHorizontalSpacing(theme.GRID)
        self._classes.setVerticalSpacing(theme.GRID // 2)
        self._classes.setColumnStretch(0, 1)
        self._classes.setColumnStretch(1, _BAR_SHARE)
        self._shown: SlidePrediction | None = None

    def show_run(self, run: RunView) -> None:
        """Show the prediction of a run, if it has one yet."""
        said = SlidePrediction.of(run.record)
        if said == self._shown:
            return
        self._shown = said
        clear_layout(self._classes)
        for row, (name, share) in enumerate(said.by_name().items()):
            self._add_class(row, name, share)
        if said.probabilities:
            facts = column(*(label(text, "muted") for text in _facts(said)), spacing=2)
            self._classes.addWidget(facts, len(said.classes), 0, 1, 3)

    def _add_class(self, row: int, name: str, share: float) -> None:
        bar = QProgressBar()
        bar.setTextVisible(False)
        bar.setRange(0, _STEPS)
        bar.setValue(round(_STEPS * share))
        figure = label(f"{share:.1%}", selectable=True)
        figure.setWordWrap(False)
        bar.setAccessibleName(_("Probability of {name}").format(name=name))
        for place, widget in enumerate((ElidedLabel(name), bar, figure)):
            self._classes.addWidget(widget, row, place)


def headline(said: SlidePrediction) -> str:
    """Return the class that is predicted, or all that are, or that there is no prediction."""
    return said.answer or _("No prediction")


def _facts(said: SlidePrediction) -> list[str]:
    """Return sentences about a prediction."""
    facts = []
    if said.threshold is not None and len(said.classes) == 2:
        text = _("{name} from {threshold:.1%} on: chosen on validation slides.")
        facts.append(text.format(name=said.classes[1].name, threshold=said.threshold))
    if said.thresholds:
        each = zip(said.classes, said.thresholds, strict=False)
        told = ", ".join(f"{one.name} {least:.1%}" for one, least in each)
        facts.append(_("Said from: {told}; chosen on validation slides.").format(told=told))
    if said.auroc is not None:
        facts.append(_model_text(said.auroc, said.auroc_interval))
    return [*facts, f"{ATTENTION_MEANING}."]


def _model_text(auroc: float, interval: tuple[float, float] | None) -> str:
    """Return how well the model parted slides that it had not seen."""
    if interval is None:
        return _("AUROC of the model: {auroc:.2f}, interval not known").format(auroc=auroc)
    return _("AUROC of the model: {auroc:.2f} (95 %: {low:.2f}–{high:.2f})").format(
        auroc=auroc, low=interval[0], high=interval[1]
    )
