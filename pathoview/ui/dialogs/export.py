"""Asks what is written where, and in which form."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtWidgets import QCheckBox, QComboBox, QFormLayout, QRadioButton, QWidget

from pathoview.annotations.dialects import geojson
from pathoview.annotations.dialects.formats import DIALECTS
from pathoview.core.params import form_rows
from pathoview.core.translation import _
from pathoview.session.exchange_desk import RUN_FORMATS, area_params
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.dialogs.output_dialog import OutputDialog, name_hint, suggested_folder
from pathoview.ui.forms import ParamForm
from pathoview.ui.text import area_text, count_text, tiles_text
from pathoview.ui.widgets import column, label

_PLAIN, _PACKED = ".geojson", ".geojson.gz"


class ExportDialog(OutputDialog):
    """One file and a few choices, remembered for the next time."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(session, _("Export"), parent)
        chosen = session.settings.export
        self.what = self._whats()
        self.only_chosen = QCheckBox(_("Only the annotations that are chosen"))
        self.only_chosen.setEnabled(session.annotations.n_selected > 0)
        self.format = QComboBox()
        self.format.setAccessibleName(_("Format"))
        for dialect in DIALECTS:
            if dialect.can_write:
                self.format.addItem(dialect.title, dialect)
        for picture in session.exchange.pictures:
            self.format.addItem(picture.title, picture)
        names = [self.format.itemData(place).name for place in range(self.format.count())]
        name = chosen.format if chosen.format in names else geojson.NAME
        self.format.setCurrentIndex(names.index(name))
        self.collection = QRadioButton(_("FeatureCollection (QuPath and most other programs)"))
        self.array = QRadioButton(_("Bare array of features"))
        self.collection.setChecked(chosen.collection)
        self.array.setChecked(not chosen.collection)
        self.array.setToolTip(_("Nothing can be stamped on it: no version, no research-use note"))
        self.measurements = QCheckBox(_("With measurements"))
        self.measurements.setChecked(chosen.measurements)
        self.gzip = QCheckBox(_("Compressed (.geojson.gz)"))
        self.gzip.setChecked(chosen.gzip)
        self.map_form = ParamForm(form_rows(area_params(self._gives)))
        self.map_form.set_values(chosen.areas(self._gives))
        self._of_geojson = column(self.collection, self.array, self.measurements, self.gzip)
        self.file.setText(str(self._suggestion()))
        form = QFormLayout()
        form.setSpacing(theme.GRID)
        self._what_name = label(_("What"))
        form.addRow(self._what_name, self.what)
        form.addRow("", self.only_chosen)
        form.addRow(_("Format"), self.format)
        self._lay_out(
            [form, name_hint(), self.file_row, self.problem], [self._of_geojson, self.map_form]
        )
        self._refresh()
        self.gzip.toggled.connect(self._on_form_changed)
        self.format.currentIndexChanged.connect(self._on_form_changed)
        self.what.currentIndexChanged.connect(self._refresh)
        self.only_chosen.toggled.connect(self._refresh)

    def _whats(self) -> QComboBox:
        """Return the choice of what is written: of two things, or the one there is."""
        n_drawn = self._session.exchange.n_annotations
        run = self._session.results
        box = QComboBox()
        box.setAccessibleName(_("What"))
        drawn = _("Annotations ({n})").format(n=count_text(n_drawn))
        if n_drawn and run is not None:
            box.addItem(_("Annotations and results"), "both")
        if n_drawn or run is None:
            box.addItem(drawn, "annotations")
        if run is not None:
            n = count_text(run.statistics.n + len(run.features))
            if run.map is not None:
                n = area_text(run.map.area_mm2)
            elif run.attention is not None:
                n = tiles_text(run.attention.n_tiles)
            elif run.synthesis is not None:
                n = area_text(run.synthesis.area_mm2)
            text = _("Results: {title} ({n})").format(title=run.record.title, n=n)
            box.addItem(text, "results")
        box.setCurrentIndex(max(0, box.findData(self._session.settings.export.what)))
        return box

    def _refresh(self, *_changed: object) -> None:
        self._of_geojson.setVisible(self._is_geojson)
        what = self.what.currentData()
        for widget in (self._what_name, self.what):
            widget.setVisible(not self._is_picture)
        self.only_chosen.setVisible(what != "results" and not self._is_picture)
        # Of all but maps of classes only what is outlined can be set; they are painted as they are.
        is_shaped = not self._is_picture and what != "annotations"
        is_set = is_shaped or (self._is_picture and self._gives == "pixel")
        self.map_form.setVisible(self._session.exchange.has_map and is_set)

    @property
    def _gives(self) -> str:
        """Of what kind the results are."""
        run = self._session.results
        return "" if run is None else run.record.gives

    @property
    def _is_picture(self) -> bool:
        """Whether the map itself is written, and nothing else."""
        return self.format.currentData() in RUN_FORMATS

    @property
    def _is_geojson(self) -> bool:
        return bool(self.format.currentData().name == geojson.NAME)

    def _write(self, path: Path) -> None:
        options = self._session.settings.export
        options.what = self.what.currentData()
        options.format = self.format.currentData().name
        options.collection = self.collection.isChecked()
        options.measurements = self.measurements.isChecked()
        options.gzip = self.gzip.isChecked()
        if self._session.exchange.has_map:
            said = area_params(self._gives).parse(self.map_form.values()).model_dump()
            options.areas(self._gives).update(said)
        only_chosen = self.only_chosen.isVisibleTo(self) and self.only_chosen.isChecked()
        self._session.exchange.export(path, options, only_chosen=only_chosen)

    @property
    def _suffix(self) -> str:
        if not self._is_geojson:
            return str(self.format.currentData().suffixes[0])
        return _PACKED if self.gzip.isChecked() else _PLAIN

    def _suggestion(self) -> Path:
        slide, suffix = self._session.slides.shown_path, self._suffix
        is_slide = f"{slide.stem}{suffix}" == slide.name  # a label image beside a TIFF
        name = f"{slide.stem}{'-labels' if is_slide else ''}{suffix}"
        return suggested_folder(self._session) / name

    def _on_form_changed(self, *_changed: object) -> None:
        """Give the name the ending of the format."""
        path = Path(self.file.text())
        stem = path.name.removesuffix(".gz").removesuffix(_PLAIN)
        endings = {ending for dialect in DIALECTS for ending in dialect.suffixes}
        endings |= {ending for picture in RUN_FORMATS for ending in picture.suffixes}
        known = [ending for ending in endings if stem.endswith(ending)]
        stem = stem.removesuffix(max(known, key=len, default=""))
        self.file.setText(str(path.with_name(stem + self._suffix)))
        if self._session.path == Path(self.file.text()):
            self.file.setText(str(self._suggestion()))
        self._refresh()

    def _kinds(self) -> str:
        dialect = self.format.currentData()
        types = " ".join(f"*{ending}" for ending in dialect.suffixes)
        return f"{dialect.title} ({types})"

    def _on_file_chosen(self, name: str) -> None:
        if self._is_geojson:
            self.gzip.setChecked(name.endswith(".gz"))
        super()._on_file_chosen(name)
