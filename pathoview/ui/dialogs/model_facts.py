"""The card of a model, as people read it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QLineEdit, QVBoxLayout, QWidget

from pathoview.core.translation import _, ngettext
from pathoview.session.model_desk import ModelCard, is_non_commercial
from pathoview.ui import theme
from pathoview.ui.panels.curves import metric_title
from pathoview.ui.text import duration_text
from pathoview.ui.widgets import Sign, clear_layout, label, row

_MOST_DATA = 10
ORIGINS = {
    "bundled": _("came with the program"),
    "trained": _("trained here"),
    "imported": _("imported"),
}
_KINDS = {
    "instance": _("outlines nuclei"),
    "pixel": _("maps tissue"),
    "object": _("tells nuclei apart"),
    "bag": _("tells whole slides apart"),
}
_SPLITS = {"train": _("learned from"), "val": _("measured on"), "test": _("tested on")}


class ModelFacts(QWidget):
    """Name, warning, and a table of everything that is known."""

    def __init__(self, rename: Callable[[str], None]) -> None:
        """``rename`` is called with what the person wrote."""
        super().__init__()
        self.title = QLineEdit()
        self.title.setAccessibleName(_("Name of the model"))
        self.title.editingFinished.connect(lambda: rename(self.title.text()))
        self.badge = QWidget()
        self._badge_text = label(_("Not for commercial use: see the licences."), "warning")
        line = row(Sign("warning", "warning"), self._badge_text)
        line.setStretchFactor(self._badge_text, 1)
        self.badge.setLayout(line)
        self._facts = QGridLayout()
        self._facts.setHorizontalSpacing(2 * theme.GRID)
        self._facts.setVerticalSpacing(theme.GRID)
        self._facts.setColumnStretch(1, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(theme.GRID, 0, theme.GRID, 0)
        layout.setSpacing(theme.GRID)
        layout.addWidget(self.title)
        layout.addWidget(self.badge)
        layout.addLayout(self._facts)
        layout.addStretch(1)

    def show_card(self, card: ModelCard, method: str) -> None:
        """Show a model; ``method`` is what its method is called."""
        self.title.setText(card.title)
        self.title.setReadOnly(card.origin == "bundled")
        self.badge.setVisible(is_non_commercial(card))
        clear_layout(self._facts)
        for line, (name, value) in enumerate(facts(card, method)):
            name_label = label(name, "muted")
            name_label.setWordWrap(False)
            name_label.setAlignment(Qt.AlignmentFlag.AlignTop)
            self._facts.addWidget(name_label, line, 0)
            self._facts.addWidget(label(value, selectable=True), line, 1)


def facts(card: ModelCard, method: str) -> list[tuple[str, str]]:
    """Return (name, value) of everything that is said of a model."""
    known = {
        _("Method"): f"{method}, {_(_KINDS.get(card.kind, card.kind))}",
        _("Classes"): ", ".join(one.name for one in card.classes),
        _("Resolution"): _resolution(card),
        _("Stains"): ", ".join(card.stains),
        _("Quality"): "\n".join(_metrics(card)),
        _("Looks at"): "\n".join(_importances(card)),
        _("Learned from"): "\n".join(_labels(card)),
        _("Made"): _made(card),
        _("Licence"): card.licence or _("not stated"),
        _("Licence of the data"): card.data_licence,
        _("Began with"): "\n".join(_parents(card)),
        _("Warns"): _("of slides that look unlike its training data") if card.familiarity else "",
        _("Data"): "\n".join(_data(card)),
        _("Notes"): card.notes,
        _("Id"): card.id,
    }
    return [(name, value) for name, value in known.items() if value]


def _metrics(card: ModelCard) -> Iterator[str]:
    for name, value in card.metrics.items():
        if "." in name:  # of what ran beside it: told with the results
            continue
        low, high = card.intervals.get(name, (None, None))
        interval = "" if low is None else f" ({low:.3f} – {high:.3f})"
        yield f"{metric_title(name)} {value:.3f}{interval}"
    if card.metrics:
        yield _("on data that were held back")


def _labels(card: ModelCard) -> Iterator[str]:
    for name, n in card.labels.items():
        text = ngettext("{n:,} label", "{n:,} labels", n).format(n=n)
        yield f"{name}: {text}" if name else text


def _resolution(card: ModelCard) -> str:
    if card.mpp:
        return _("{mpp:.3g} µm per px").format(mpp=card.mpp)
    is_of_whole = card.settings.get("encoder", {}).get("of_whole")
    return _("whole pictures, at any scale") if is_of_whole else _("whole frames of clips")


def _importances(card: ModelCard) -> Iterator[str]:
    """Yield which part each kind of number has in what a forest asks, the largest first."""
    said: dict[str, float] = card.settings.get("importances", {})
    for name, share in sorted(said.items(), key=lambda one: -one[1]):
        yield f"{name} {share:.0%}"


def _made(card: ModelCard) -> str:
    parts = [card.created[:16].replace("T", " "), _(ORIGINS[card.origin])]
    if card.seconds:
        parts.append(_("in {time}").format(time=duration_text(card.seconds)))
    if card.round:
        parts.append(_("round {n}").format(n=card.round))
    parts.append(_("seed {n}").format(n=card.seed))
    return " · ".join(filter(None, parts))


def _parents(card: ModelCard) -> Iterator[str]:
    for one in card.parents:
        yield f"{one.name} ({one.licence or _('licence not stated')})"


def _data(card: ModelCard) -> Iterator[str]:
    """Yield the images, by their pseudonyms."""
    for one in card.data[:_MOST_DATA]:
        said = [_(_SPLITS.get(one.split, one.split))]
        if one.n_labels:
            said.append(ngettext("{n} label", "{n} labels", one.n_labels).format(n=one.n_labels))
        if one.held_back_l0:
            said.append(_held_back(len(one.held_back_l0)))
        if one.licence:
            said.append(one.licence)
        yield f"{one.name}: {', '.join(said)}"
    more = len(card.data) - _MOST_DATA
    if more > 0:
        yield ngettext("and {n} more", "and {n} more", more).format(n=more)


def _held_back(n: int) -> str:
    text = ngettext("measured on {n} block of it", "measured on {n} blocks of it", n)
    return text.format(n=n)
