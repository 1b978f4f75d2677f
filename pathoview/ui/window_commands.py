"""Answers to the commands that need a window: dialogs, panels, quitting."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QApplication, QFileDialog

from pathoview.core.paths import resources_folder
from pathoview.core.translation import _
from pathoview.layers.file_layer import Guess
from pathoview.session.exchange_desk import ImportQuestion
from pathoview.session.notices import Notice
from pathoview.session.opener import SLIDE_SUFFIXES
from pathoview.session.session import Session
from pathoview.ui import theme
from pathoview.ui.annotation_commands import annotation_answers
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.model_commands import model_answers
from pathoview.ui.object_commands import object_answers
from pathoview.ui.place_commands import place_answers
from pathoview.ui.study_commands import study_answers

if TYPE_CHECKING:
    from pathoview.ui.main_window import MainWindow

_SLIDES = " ".join(f"*{suffix}" for suffix in SLIDE_SUFFIXES)
_LAYERS = f"*.npy *.ome.tif *.ome.tiff {_SLIDES}"
_ANNOTATIONS = (
    "*.geojson *.json *.geojson.gz *.json.gz *.zip *.xml *.ndpa *.roi *.csv *.tsv *.txt "
    "*.png *.tif *.tiff"
)


class WindowCommands:
    """Listens to `Session.command_requested`."""

    def __init__(self, session: Session, window: MainWindow) -> None:
        self._session = session
        self._window = window
        self._answers: Mapping[str, Callable[[], object]] = {
            "file.open": self._open,
            "file.open_clip": self._open_clip,
            "file.demo": self._open_demo,
            "file.import": self._import,
            "file.export": self._export,
            "file.export_tiles": self._export_tiles,
            "file.report": self._report,
            "file.settings": self._settings,
            "file.quit": window.close,
            "edit.copy_workflow": window.history.copy_workflow,
            "view.scale": self._scale,
            "layer.open": self._open_layer,
            "layer.rename": self._rename_layer,
            "analyze.run": self._analyze,
            "evaluate.show": self._evaluate,
            "teach.panel": lambda: window.docks.bring_front("teach"),
            "teach.start": self._teach,
            "review.tiles": lambda: window.docks.bring_front("tiles"),
            "window.panels": window.toggle_panels,
            "window.full_screen": self._full_screen,
            "window.reset": window.reset_layout,
            "window.theme": self._switch_theme,
            "window.commands": self._palette,
            "help.guide": self._guide,
            "help.keys": self._keys,
            "help.log": self._log,
            "help.about": self._about,
            **place_answers(session, window, self._show),
            **annotation_answers(session, window, self._show),
            **model_answers(session, window, self._show),
            **object_answers(session, window, self._show),
            **study_answers(session, window, self._show),
        }

    @property
    def answered(self) -> frozenset[str]:
        """Ids of all commands that get an answer here."""
        return frozenset(self._answers)

    def answer(self, command_id: str) -> None:
        """Do what a command of the window means."""
        self._answers[command_id]()

    def _open(self) -> None:
        filters = ";;".join([_("Slides ({types})").format(types=_SLIDES), _("All files (*)")])
        self._ask_file(_("Open slide"), filters, self._session.open)

    def _open_clip(self) -> None:
        """Ask for a folder whose pictures are the frames of one clip."""
        self._ask_file(_("Open folder as clip"), "", self._session.open, is_folder=True)

    def _open_demo(self) -> None:
        found = sorted((resources_folder() / "demo").glob("*.svs"))
        if found:
            self._session.open(found[0])
        else:
            self._session.notice.emit(
                Notice(
                    _("The demo slide is not installed. Open a slide of your own."),
                    "warning",
                    (_("Open slide…"), "file.open"),
                )
            )

    def _import(self) -> None:
        kinds = _("Annotations ({types})").format(types=_ANNOTATIONS)
        filters = ";;".join([kinds, _("All files (*)")])
        self._ask_file(_("Import"), filters, self._session.exchange.import_file)

    def _ask_file(
        self,
        title: str,
        filters: str,
        take: Callable[[Path], object],
        *,
        is_folder: bool = False,
    ) -> None:
        dialog = QFileDialog(self._window, title, self._session.settings.last_folder, filters)
        mode = QFileDialog.FileMode
        dialog.setFileMode(mode.Directory if is_folder else mode.ExistingFile)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.fileSelected.connect(lambda name: take(Path(name)))
        dialog.open()

    def _open_layer(self) -> None:
        filters = ";;".join([_("Pictures ({types})").format(types=_LAYERS), _("All files (*)")])
        self._ask_file(_("Open as layer"), filters, self._session.layer_desk.open)

    def ask_about_layer(self, guess: Guess) -> None:
        """Ask what a file is that does not tell it."""
        from pathoview.ui.dialogs.open_layer import OpenLayerDialog

        self._show(OpenLayerDialog(self._session, guess, self._window))

    def ask_about_import(self, question: ImportQuestion) -> None:
        """Ask what an annotation file does not say."""
        from pathoview.ui.dialogs.import_options import ImportOptionsDialog

        self._show(ImportOptionsDialog(self._session, question, self._window))

    def _rename_layer(self) -> None:
        self._window.docks.bring_front("layers")
        self._window.layers.rename()

    def _analyze(self) -> None:
        """Start what the panel says; a panel that is not seen is shown first."""
        if self._window.docks.is_seen("analyze"):
            self._window.analyze.start()
        else:
            self._window.docks.bring_front("analyze")
            self._window.analyze.run.setFocus()

    def _teach(self) -> None:
        """Start what the panel says; a panel that is not seen is shown first."""
        is_seen = self._window.docks.is_seen("teach")
        self._window.docks.bring_front("teach")
        if is_seen and self._window.teach.run.isEnabled():
            self._window.teach.start()
        else:
            self._window.teach.run.setFocus()

    # Dialogs are imported when they are opened: the window's start does not wait for them.

    def _evaluate(self) -> None:
        from pathoview.ui.dialogs.evaluate import EvaluateDialog

        self._show(EvaluateDialog(self._session, self._window))

    def _export(self) -> None:
        from pathoview.ui.dialogs.export import ExportDialog

        self._show(ExportDialog(self._session, self._window))

    def _export_tiles(self) -> None:
        from pathoview.ui.dialogs.export_tiles import ExportTilesDialog

        self._show(ExportTilesDialog(self._session, self._window))

    def _report(self) -> None:
        from pathoview.ui.dialogs.slide_report import SlideReportDialog

        self._show(SlideReportDialog(self._session, self._window))

    def _settings(self) -> None:
        from pathoview.ui.dialogs.settings import SettingsDialog

        self._show(SettingsDialog(self._session, self._window))

    def _scale(self) -> None:
        from pathoview.ui.dialogs.scale import ScaleDialog

        dialog = ScaleDialog(self._session, self._window)
        dialog.rejected.connect(self._on_scale_put_off)
        self._show(dialog)

    def _on_scale_put_off(self) -> None:
        slide = self._session.slide
        if slide is not None and slide.info.mpp is None:
            self._session.notice.emit(
                Notice(
                    _("The slide has no scale yet: it can be looked at, not analyzed."),
                    "warning",
                    (_("State the scale…"), "view.scale"),
                )
            )

    def _full_screen(self) -> None:
        self._window.full_screen.toggle()

    def _switch_theme(self) -> None:
        settings = self._session.settings
        settings.theme = "dark" if settings.theme == "light" else "light"
        settings.save()
        application = QApplication.instance()
        assert isinstance(application, QApplication)
        theme.apply_theme(application, settings.theme)
        self._window.actions_by_id.refresh()

    def _palette(self) -> None:
        from pathoview.ui.dialogs.palette import CommandPalette

        self._show(CommandPalette(self._session, self._window.keymap, self._window))

    def _guide(self) -> None:
        from pathoview.ui.dialogs.guide import GuideDialog

        self._show(GuideDialog(self._window.keymap, self._window))

    def _keys(self) -> None:
        from pathoview.ui.dialogs.keys import KeysDialog

        self._show(KeysDialog(self._window.keymap, self._session.settings, self._window))

    def _log(self) -> None:
        from pathoview.ui.dialogs.log import LogDialog

        self._show(LogDialog(self._window))

    def _about(self) -> None:
        from pathoview.ui.dialogs.about import AboutDialog

        self._show(AboutDialog(self._window))

    def _show(self, dialog: Dialog) -> None:
        """Show a dialog without blocking; one of the same kind is closed first."""
        for other in self._window.findChildren(type(dialog)):
            if other is not dialog:
                other.close()
        dialog.show()
        dialog.raise_()
        dialog.activateWindow()
