"""What a method for whole slides says of the slide: probabilities, and what they rest on."""

from __future__ import annotations

from functools import partial

from PySide6.QtWidgets import QGridLayout, QProgressBar, QToolButton, QWidget

from pathoview.core.translation import _
from pathoview.layers.attention_source import ATTENTION_MEANING
from pathoview.session.run_attention import RunAttention, SlidePrediction
from pathoview.session.runs import RunView
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.widgets import ElidedLabel, clear_layout, column, eye_button, label

_BAR_SHARE = 2
_STEPS = 1000


class PredictionCard(QWidget):
    """One line a class, whose eye shows its map, and below what one should know to doubt it."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self.eyes: dict[str, QToolButton] = {}
        """Of the classes that have a map."""
        self._classes = QGridLayout(self)
        self._classes.setContentsMargins(0, 0, 0, 0)
        self._classes.setHorizontalSpacing(theme.GRID)
        self._classes.setVerticalSpacing(theme.GRID // 2)
        self._classes.setColumnStretch(1, 1)
        self._classes.setColumnStretch(2, _BAR_SHARE)
        self._attention: RunAttention | None = None
        self._shown: SlidePrediction | None = None
        session.layers_changed.connect(self._refresh_eyes)
        session.layers.repainted.connect(self._refresh_eyes)

    def show_run(self, run: RunView) -> None:
        """Show the prediction of a run, if it has one yet."""
        said = SlidePrediction.of(run.record)
        if (run.attention, said) == (self._attention, self._shown):
            return
        self._attention, self._shown = run.attention, said
        clear_layout(self._classes)
        self.eyes = {}
        for row, (name, share) in enumerate(said.by_name().items()):
            self._add_class(row, name, share)
        if said.probabilities:
            facts = column(*(label(text, "muted") for text in _facts(said)), spacing=2)
            self._classes.addWidget(facts, len(said.classes), 0, 1, 4)
        self._refresh_eyes()

    def _add_class(self, row: int, name: str, share: float) -> None:
        bar = QProgressBar()
        bar.setTextVisible(False)
        bar.setRange(0, _STEPS)
        bar.setValue(round(_STEPS * share))
        figure = label(f"{share:.1%}", selectable=True)
        figure.setWordWrap(False)
        bar.setAccessibleName(_("Probability of {name}").format(name=name))
        made = self._attention
        if made is not None and name in made.class_names:
            eye = self.eyes[name] = eye_button(
                _("Show how much tiles speak for {name}, in place of attention").format(name=name)
            )
            eye.toggled.connect(partial(self._on_eye, name))
            self._classes.addWidget(eye, row, 0)
        for place, widget in enumerate((ElidedLabel(name), bar, figure), 1):
            self._classes.addWidget(widget, row, place)

    def _on_eye(self, name: str, on: bool) -> None:
        made = self._attention
        if made is not None and on != (made.shown == name):
            self._session.overlay.show_evidence(made, name if on else "")

    def _refresh_eyes(self) -> None:
        """Open the eye of the class whose map is seen."""
        made = self._attention
        for name, eye in self.eyes.items():
            eye.setChecked(made is not None and made.shown == name)


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
