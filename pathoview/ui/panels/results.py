"""The Results panel: what was found, how it is spread, and the nucleus that was clicked."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QTimer
from PySide6.QtGui import QColor
from PySide6.QtWidgets import QComboBox, QGridLayout, QLabel, QVBoxLayout, QWidget

from pathoview.annotations.detections import DetectionClass
from pathoview.core.statement import RESEARCH_USE
from pathoview.core.translation import _, ngettext
from pathoview.session.commands import run_command
from pathoview.session.run_attention import SlidePrediction, no_tissue_text
from pathoview.session.run_maps import ClassArea
from pathoview.session.run_synthesis import RunSynthesis
from pathoview.session.runs import ClassCount, RunView, Statistics
from pathoview.session.session import Session
from pathoview.ui import icons, theme
from pathoview.ui.dialogs.color import Rgb, ask_color
from pathoview.ui.panels.histogram import Histogram
from pathoview.ui.panels.prediction_card import PredictionCard, headline
from pathoview.ui.panels.run_list import RunList
from pathoview.ui.panels.selection_card import SelectionCard
from pathoview.ui.text import (
    area_text,
    count_text,
    density_text,
    objects_text,
    tiles_text,
    value_text,
)
from pathoview.ui.wheel import ignore_wheel
from pathoview.ui.widgets import (
    ElidedLabel,
    button,
    clear_layout,
    column,
    icon_button,
    label,
    line,
    scrolled,
    shrinkable,
)

_PAUSE_MS = 400
"""While a run goes on, the panel is renewed no more often than that."""


class ResultsPanel(QWidget):
    """Tells about the run that was shown last."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._session = session
        self._empty = label(_("No results yet. Click Analyze, or import a file."), "muted")
        self.count = label("", "figure")
        self.density = label("", "muted")
        self._classes = QGridLayout()
        self._classes.setHorizontalSpacing(theme.GRID)
        self._classes.setVerticalSpacing(theme.GRID // 2)
        self._classes.setColumnStretch(1, 1)
        self.measurement = QComboBox()
        self.measurement.setAccessibleName(_("Measurement of the histogram"))
        shrinkable(self.measurement)
        ignore_wheel(self.measurement)
        self.histogram = Histogram()
        self.selection = SelectionCard()
        self.prediction = PredictionCard(session)
        self.runs = RunList()
        self._spread = column(line(), self.measurement, self.histogram)
        self._filled = self._build_filled()
        self._foot = self._build_foot()
        content = column(self._empty, self._filled, 1, margin=theme.GRID + 4)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        self._area = scrolled(content)
        layout.addWidget(self._area, 1)
        layout.addWidget(self._foot)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(_PAUSE_MS)
        self._timer.timeout.connect(self._on_pause_over)
        self._is_stale = False
        self.measurement.currentIndexChanged.connect(self._show_histogram)
        self.runs.remove_requested.connect(self._remove)
        session.runs_changed.connect(self._on_runs_changed)
        session.selection_changed.connect(self._on_selection_changed)
        session.overlay.changed.connect(self._on_runs_changed)
        self._refresh()

    def _build_foot(self) -> QWidget:
        self.export = button(
            _("Export…"),
            lambda: run_command(self._session, "file.export"),
            "export",
            primary=True,
        )
        self.take_regions = button(
            _("To annotations"),
            lambda: run_command(self._session, "annotate.take_regions"),
            "annotation",
        )
        self.take_regions.setToolTip(_("Copy the outlined regions, to be corrected"))
        self.compare = button(
            _("Compare by curtain"), lambda: run_command(self._session, "compare.healthy"), "views"
        )
        self.compare.setToolTip(_("The pseudo-healthy picture left, the slide right; X flickers"))
        self.review_tiles = button(
            _("Review tiles"), lambda: run_command(self._session, "review.tiles"), "points"
        )
        self.note = label(_("Research use only"), "muted")
        self.note.setToolTip(RESEARCH_USE)
        parts = (self.note, self.compare, self.take_regions, self.review_tiles, self.export)
        return column(*parts, margin=theme.GRID + 4)

    def _build_filled(self) -> QWidget:
        head = column(self.count, self.density, spacing=0)
        classes = QWidget()
        classes.setLayout(self._classes)
        self._classes.setContentsMargins(0, 0, 0, 0)
        return column(
            head,
            classes,
            self.prediction,
            self.selection,
            self._spread,
            line(),
            label(_("Runs on this slide"), "heading"),
            self.runs,
        )

    def _on_runs_changed(self) -> None:
        """Renew at once when nothing was renewed lately, else a little later."""
        self._is_stale = True
        if not self._timer.isActive():
            self._on_pause_over()

    def _on_pause_over(self) -> None:
        if self._is_stale:
            self._is_stale = False
            self._refresh()
            self._timer.start()

    def _refresh(self) -> None:
        run = self._session.results
        self._empty.setVisible(run is None)
        self._filled.setVisible(run is not None)
        self._foot.setVisible(run is not None)
        if run is None:
            return
        statistics = run.statistics
        self.count.setText(_n_found(run))
        self.density.setText(_("so far") if run.is_growing else _where_found(run))
        self.selection.setVisible(run.record.has_objects)
        self.prediction.setVisible(run.attention is not None)
        self.prediction.show_run(run)
        self.review_tiles.setVisible(run.attention is not None and run.attention.n_tiles > 0)
        self.compare.setVisible(run.synthesis is not None)
        self.take_regions.setVisible(self._session.exchange.has_map)
        self.take_regions.setEnabled(not run.is_growing)
        self._show_classes(run, statistics)
        self._show_measurements(run)
        self.runs.show_runs(tuple(self._session.runs))

    def _show_classes(self, run: RunView, statistics: Statistics) -> None:
        clear_layout(self._classes)
        if run.map is not None:
            lines = [self._area_line(entry) for entry in run.map.areas]
        else:
            lines = [self._count_line(entry, statistics) for entry in statistics.classes]
        for row, widgets in enumerate(lines):
            for column_index, widget in enumerate(widgets):
                self._classes.addWidget(widget, row, column_index)

    def _count_line(self, entry: ClassCount, statistics: Statistics) -> tuple[QWidget, ...]:
        figures = [label(count_text(entry.n), selectable=True)]
        if len(statistics.classes) > 1:
            figures.append(label(f"{entry.n / statistics.n:.0%}", "muted"))
            figures.append(label(density_text(entry.per_mm2), "muted"))
        return self._class_line(entry.detection_class, figures)

    def _area_line(self, entry: ClassArea) -> tuple[QWidget, ...]:
        area = label(area_text(entry.area_mm2), selectable=True)
        return self._class_line(entry.detection_class, [area, label(f"{entry.share:.1%}", "muted")])

    def _class_line(
        self, kind: DetectionClass | None, figures: Sequence[QLabel]
    ) -> tuple[QWidget, ...]:
        name = kind.name if kind else _("Unclassified")
        color = QColor(*kind.color) if kind else self._unclassified
        swatch = icon_button("fill", _("Colour of {name}…").format(name=name))
        swatch.setIcon(icons.swatch(color))
        swatch.clicked.connect(partial(self._ask_color, kind))
        for figure in figures:
            figure.setWordWrap(False)
        return (swatch, ElidedLabel(name), *figures)

    def _ask_color(self, kind: DetectionClass | None, _checked: bool = False) -> None:
        if kind is None:
            ask_color(self, self._session.settings.overlay.color, self._recolor_unclassified)
        else:
            ask_color(self, kind.color, partial(self._recolor, kind.name))

    def _recolor_unclassified(self, color: Rgb) -> None:
        self._session.overlay.set_color(color)

    def _recolor(self, name: str, color: Rgb) -> None:
        for run in self._session.runs:
            run.source.recolor_class(name, color)
            if run.map is not None:
                run.map.recolor_class(name, color)
        self._refresh()

    def _show_measurements(self, run: RunView) -> None:
        names = list(run.measurement_names)
        shown = [self.measurement.itemText(index) for index in range(self.measurement.count())]
        if names != shown:
            kept = self.measurement.currentText()
            self.measurement.blockSignals(True)
            self.measurement.clear()
            self.measurement.addItems(names)
            self.measurement.setCurrentIndex(max(0, self.measurement.findText(kept)))
            self.measurement.blockSignals(False)
        self._spread.setVisible(bool(names))
        self._show_histogram()

    def _show_histogram(self) -> None:
        run = self._session.results
        name = self.measurement.currentText()
        if run is not None and name:
            self.histogram.show_values(name, run.column(name))
            self._mark_selected()

    def _on_selection_changed(self) -> None:
        chosen = self._session.selection
        self.selection.show_selection(chosen, self._unclassified)
        self._mark_selected()
        if chosen is not None:
            self._area.verticalScrollBar().setValue(0)

    @property
    def _unclassified(self) -> QColor:
        """Colour of objects without a class."""
        return QColor(*self._session.settings.overlay.color)

    def _mark_selected(self) -> None:
        chosen = self._session.selection
        value = chosen.measurements.get(self.measurement.currentText()) if chosen else None
        self.histogram.mark(value)

    def _remove(self, run: RunView) -> None:
        self._session.remove_run(run)


def _n_found(run: RunView) -> str:
    if run.attention is not None:
        return "…" if run.is_growing else headline(SlidePrediction.of(run.record))
    if run.map is not None:
        return _("{area} mapped").format(area=area_text(run.map.area_mm2))
    if run.synthesis is not None:
        area = area_text(run.synthesis.pathology_mm2())
        return _("{area} taken for pathology").format(area=area)
    n = run.statistics.n
    if run.record.kind == "import":
        return objects_text(n + len(run.features))
    return ngettext("{n} nucleus", "{n} nuclei", n).format(n=count_text(n))


def _where_found(run: RunView) -> str:
    statistics = run.statistics
    if run.map is not None:
        return _("Each pixel counts for its likeliest class.")
    if run.attention is not None:
        return _what_predicted(run, run.attention.n_tiles)
    if run.synthesis is not None:
        return _what_differs(run.synthesis)
    if statistics.per_mm2 is None:
        return _("The analysed area is not known.")
    return _("{density} · {area} of tissue").format(
        density=density_text(statistics.per_mm2), area=area_text(statistics.area_mm2)
    )


def _what_predicted(run: RunView, n_tiles: int) -> str:
    """Return what the prediction rests on; without tissue, why there is none."""
    if run.record.state != "done":
        return _("The slide has not been predicted yet.")
    if not n_tiles:
        return no_tissue_text()
    if run.record.is_of_whole:
        return ngettext(
            "{n} patch of the whole picture", "{n} patches of the whole picture", n_tiles
        ).format(n=count_text(n_tiles))
    if run.record.mpp is None:
        return ngettext("{n} frame", "{n} frames", n_tiles).format(n=count_text(n_tiles))
    return _("{tiles} · {area} of tissue").format(
        tiles=tiles_text(n_tiles), area=area_text(run.record.area_mm2)
    )


def _what_differs(made: RunSynthesis) -> str:
    """Return how much the slide differs from its picture, and what that says."""
    counts = made.counts
    share = counts.n_pathology() / max(1, counts.n_px)
    figures = _(
        "{share:.1%} of {area}. Mean difference in it {inside}, elsewhere {outside} grey levels."
    ).format(
        share=share,
        area=area_text(made.area_mm2),
        inside=value_text(counts.mean_inside),
        outside=value_text(counts.mean_outside),
    )
    return figures + " " + _("The picture shows what the model would have to remove: no diagnosis.")
