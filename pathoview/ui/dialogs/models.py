"""The library of models: what each was learned from, what it is worth, and who may use it."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFileDialog, QListWidget, QListWidgetItem, QSplitter, QWidget

from pathoview.core.translation import _
from pathoview.session.model_desk import (
    ONNX,
    SUFFIX,
    LibraryModel,
    ModelCard,
    is_non_commercial,
)
from pathoview.session.session import Session
from pathoview.ui import icons, theme
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.dialogs.held_out import show_results
from pathoview.ui.dialogs.import_network import ImportNetworkDialog
from pathoview.ui.dialogs.model_facts import ORIGINS, ModelFacts
from pathoview.ui.forms import ParamForm
from pathoview.ui.links import Links
from pathoview.ui.widgets import button, column, label, scrolled

_SIZE = (960, 640)
_LIST_PX = 300


class ModelsDialog(Dialog):
    """A list, and beside it everything that is known of the chosen model."""

    def __init__(self, session: Session, parent: QWidget | None = None) -> None:
        super().__init__(_("Models"), parent)
        self._session = session
        self._desk = session.models
        self.list = QListWidget()
        self.list.setAccessibleName(_("Models"))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.list.currentRowChanged.connect(lambda _place: self._show_chosen())
        self.facts = ModelFacts(self._rename)
        self.form = ParamForm(())
        self._how = column(label(_("When it is applied"), "heading"), margin=theme.GRID)
        self._empty = label(
            _("There is no model yet. Teach a method, or import a model file."), "muted"
        )
        self.body.addWidget(self._empty)
        self.body.addWidget(self._side_by_side(), 1)
        self.apply = button(_("Apply to slide"), self._apply, "analyze", primary=True)
        self.results = button(_("Results…"), self._show_results, "results")
        self.results.setToolTip(_("What it did on slides held out in its cross-validation"))
        self.import_file = button(_("Import…"), self._ask_import, "import")
        self.export = button(_("Export…"), self._ask_export, "export")
        self.remove = button(_("Remove"), self._remove, "trash")
        self.undo = button(_("Bring back"), self._undo, "undo")
        self.undo.hide()
        self._removal = ""
        """The name of the step that removed a model; empty: none was."""
        self.add_buttons(self.import_file, self.export, self.remove, self.undo, 1)
        self.add_buttons(self.results, self.apply)
        self.add_close()
        self.resize(*_SIZE)
        self._links = Links()
        self._links.add(self._desk.changed, self._refresh)
        self._links.add(session.history.changed, self._show_undo)
        self.finished.connect(self._links.cut)
        self._refresh()
        self._desk.refresh()

    def _side_by_side(self) -> QWidget:
        facts = column(scrolled(self.facts), self._how)
        beside = QSplitter()
        for part in (self.list, facts):
            beside.addWidget(part)
        beside.setSizes([_LIST_PX, _SIZE[0] - _LIST_PX])
        beside.setChildrenCollapsible(False)
        return beside

    @property
    def chosen_id(self) -> str:
        """The id of the chosen model; empty: none is."""
        item = self.list.currentItem()
        return "" if item is None else str(item.data(Qt.ItemDataRole.UserRole))

    def _refresh(self) -> None:
        """Show the library as it is now; what was chosen stays chosen."""
        chosen, place = self.chosen_id, max(0, self.list.currentRow())
        self.list.blockSignals(True)
        self.list.clear()
        for number, one in enumerate(self._desk.models):
            self.list.addItem(self._item(one.card))
            if one.card.id == chosen:
                place = number
        self.list.blockSignals(False)
        self.list.setCurrentRow(min(place, self.list.count() - 1))
        self._empty.setVisible(not self._desk.models)
        self._show_chosen()

    def _item(self, card: ModelCard) -> QListWidgetItem:
        facts = [self._desk.method_title(card), _(ORIGINS[card.origin])]
        text = f"{card.title}\n{' · '.join(facts)}"
        item = QListWidgetItem(text)
        if is_non_commercial(card):
            item.setIcon(icons.icon("warning", "warning"))
            item.setToolTip(_("Not for commercial use"))
        item.setData(Qt.ItemDataRole.UserRole, card.id)
        return item

    def _show_chosen(self) -> None:
        model = self._desk.find(self.chosen_id)
        self.facts.setVisible(model is not None)
        if model is not None:
            self.facts.show_card(model.card, self._desk.method_title(model.card))
        self._show_form(model)
        self.export.setEnabled(model is not None)
        self.remove.setEnabled(model is not None and model.card.origin != "bundled")
        self.apply.setEnabled(model is not None and self._desk.can_apply(model.card))
        self.results.setVisible(model is not None and bool(model.card.held_out))

    def _show_form(self, model: LibraryModel | None) -> None:
        """Show what can be set when a model is applied, if anything can be."""
        self.form.deleteLater()
        self.form = ParamForm(() if model is None else self._desk.params_form(model.card))
        layout = self._how.layout()
        assert layout is not None
        layout.addWidget(self.form)
        self._how.setVisible(bool(self.form.values()))

    def _rename(self, title: str) -> None:
        model = self._desk.find(self.chosen_id)
        if model is not None and title.strip() not in ("", model.card.title):
            self._desk.rename(model, title)

    def _apply(self) -> None:
        model = self._desk.find(self.chosen_id)
        if model is not None:
            self._desk.apply(model, self.form.values())
            self.close()

    def _show_results(self) -> None:
        model = self._desk.find(self.chosen_id)
        if model is not None:
            show_results(self._session, model, self.parentWidget())

    def _remove(self) -> None:
        model = self._desk.find(self.chosen_id)
        if model is not None:
            self._desk.remove(model)
            self._removal = self._session.history.undo_name
            self._show_undo()

    def _undo(self) -> None:
        self._session.undo()

    def _show_undo(self) -> None:
        """Offer to bring a model back as long as that is what undo would do."""
        is_last = bool(self._removal) and self._session.history.undo_name == self._removal
        self.undo.setVisible(is_last)

    def _ask_import(self) -> None:
        dialog = self._files(_("Import model"), f"*{SUFFIX} *{ONNX}")
        dialog.setFileMode(QFileDialog.FileMode.ExistingFile)
        dialog.fileSelected.connect(lambda name: self._import(Path(name)))
        dialog.open()

    def _import(self, path: Path) -> None:
        if path.suffix.lower() == ONNX:
            ImportNetworkDialog(self._desk, path, self).open()
        else:
            self._desk.import_file(path)

    def _ask_export(self) -> None:
        model = self._desk.find(self.chosen_id)
        if model is None:
            return
        suffix = ONNX if self._desk.is_network(model.card) else SUFFIX
        dialog = self._files(_("Export model"), f"*{suffix}")
        dialog.setAcceptMode(QFileDialog.AcceptMode.AcceptSave)
        dialog.setDefaultSuffix(suffix.removeprefix("."))
        dialog.selectFile(model.path.with_suffix(suffix).name)
        dialog.fileSelected.connect(lambda name: self._desk.export(model, Path(name)))
        dialog.open()

    def _files(self, title: str, types: str) -> QFileDialog:
        kinds = ";;".join([_("Models ({types})").format(types=types), _("All files (*)")])
        dialog = QFileDialog(self, title, self._session.settings.last_folder, kinds)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        return dialog
