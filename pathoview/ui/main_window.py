"""The window: menus, tool bar, docks around the canvas, jobs below.

What a person can do is the table `session.commands.COMMANDS`; commands that need a window are
answered by `ui.window_commands`.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import cast

from PySide6.QtCore import Qt
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import (
    QLabel,
    QMainWindow,
    QMenu,
    QToolBar,
)

from pathoview.core.translation import _
from pathoview.session.commands import COMMANDS, run_command
from pathoview.session.keymap import KeyMap
from pathoview.session.notices import Notice
from pathoview.session.session import Session
from pathoview.ui import icons
from pathoview.ui.actions import Actions
from pathoview.ui.annotation_menu import AnnotationMenu
from pathoview.ui.closing import ClosingGuard
from pathoview.ui.dialogs.research_use import ResearchUseSheet
from pathoview.ui.docks import Docks
from pathoview.ui.flicker_key import FlickerKey
from pathoview.ui.full_screen import FullScreen
from pathoview.ui.notice_bar import NoticeStack
from pathoview.ui.panels.analyze import AnalyzePanel
from pathoview.ui.panels.classes import ClassesPanel
from pathoview.ui.panels.history import HistoryPanel
from pathoview.ui.panels.jobs import JobsStrip
from pathoview.ui.panels.layers import LayersPanel
from pathoview.ui.panels.objects import ObjectsPanel
from pathoview.ui.panels.places import PlacesPanel
from pathoview.ui.panels.results import ResultsPanel
from pathoview.ui.panels.review import ReviewPanel
from pathoview.ui.panels.slide_info import SlideInfoPanel
from pathoview.ui.panels.slides import SlidesPanel
from pathoview.ui.panels.teach import TeachPanel
from pathoview.ui.panels.tiles import TilesPanel
from pathoview.ui.panels.timeline import TimelinePanel
from pathoview.ui.recent_menu import RecentMenu
from pathoview.ui.saving_dot import SavingDot
from pathoview.ui.selection_key import SelectionKey
from pathoview.ui.text import size_text
from pathoview.ui.tool_strip import ToolStrip, beside
from pathoview.ui.toolbar import MainToolBar
from pathoview.ui.view_grid import ViewGrid
from pathoview.ui.widgets import label
from pathoview.ui.window_commands import WindowCommands

_MENUS = (
    ("File", _("&File")),
    ("Study", _("&Study")),
    ("Edit", _("&Edit")),
    ("View", _("&View")),
    ("Go", _("&Go")),
    ("Layer", _("&Layer")),
    ("Annotate", _("A&nnotate")),
    ("Analyze", _("&Analyze")),
    ("Learn", _("Lea&rn")),
    ("Window", _("&Window")),
    ("Help", _("&Help")),
)
_SEPARATED = frozenset(
    {
        "study.new",
        "slides.list",
        "slides.reviewed",
        "slides.import",
        "study.merge",
        "file.import",
        "file.settings",
        "file.quit",
        "results.remove",
        "review.find",
        "view.copy",
        "view.left",
        "view.detections",
        "view.scale",
        "go.coordinates",
        "bookmark.add",
        "annotate.delete",
        "annotate.select_all",
        "screening.toggle",
        "turn.right_90",
        "compare.one",
        "compare.curtain",
        "quality.show",
        "layer.toggle",
        "layer.up",
        "teach.start",
        "teach.apply",
        "help.about",
    }
)
"""Commands that have a line above them in their menu."""


class MainWindow(QMainWindow):
    """Shows one session."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session
        self._results_path = self._shown_slide = self._shown_study = cast("object", None)
        self.setWindowIcon(icons.app_icon())
        self.setAcceptDrops(True)
        self.views = ViewGrid(session, self)
        self.canvas = self.views.canvases[0]
        self.installEventFilter(self.canvas.drops)  # files dropped beside the canvas count too
        self.notices = NoticeStack(self.views, self._on_notice_action)
        self.research_use = self._research_use_sheet()
        self.analyze = AnalyzePanel(session)
        self.teach = TeachPanel(session)
        self.results = ResultsPanel(session)
        self.review = ReviewPanel(session)
        self.tiles, self.timeline = TilesPanel(session), TimelinePanel(session)
        self.layers = LayersPanel(session)
        self.slide_info = SlideInfoPanel(session)
        self.places = PlacesPanel(session)
        self.slides = SlidesPanel(session)
        self.classes = ClassesPanel(session)
        self.history = HistoryPanel(session)
        self.objects = ObjectsPanel(session)
        self.jobs = JobsStrip(session)
        self.keymap = KeyMap(session.settings.keys)
        self.commands = WindowCommands(session, self)
        self.actions_by_id = Actions(session, self.keymap, self, lambda: self.views.canvases)
        self.annotation_menu = AnnotationMenu(session, self.actions_by_id, self.views)
        self._build_tool_bars()
        self.docks = Docks(self)
        self._fill_docks()
        self._jobs_bar = self._build_jobs_bar()
        self.closing = ClosingGuard(session, self)
        self._build_menus()
        self._slide_facts = self._build_status_bar()
        self.full_screen = FullScreen(
            self,
            self.views,
            session,
            self.docks,
            (self.menuBar(), self.tools, self.strip, self.statusBar()),
        )
        self.flicker_key = FlickerKey(session, self.keymap, self.views)
        self.selection_key = SelectionKey(session, self.keymap, self.views)
        self._connect()
        self._restore_layout()
        self._on_slide_changed()

    def _fill_docks(self) -> None:
        self.docks.fill(
            "left",
            (("slides", _("Slides"), self.slides), ("history", _("History"), self.history)),
            (("classes", _("Classes"), self.classes),),
        )
        self.docks.fill(
            "bottom",
            (("objects", _("Objects"), self.objects),),
            (("timeline", _("Timeline"), self.timeline),),
        )
        self.docks.fill(
            "right",
            (
                ("layers", _("Layers"), self.layers),
                ("slide", _("Slide"), self.slide_info),
                ("places", _("Places"), self.places),
            ),
            (
                ("analyze", _("Analyze"), self.analyze),
                ("teach", _("Teach"), self.teach),
                ("results", _("Results"), self.results),
                ("review", _("Review"), self.review),
                ("tiles", _("Tiles"), self.tiles),
            ),
        )
        self.docks.arrange()
        self.timeline.wanted.connect(partial(self.docks.bring_front, "timeline"))

    # -- building ------------------------------------------------------------------------------

    def _build_tool_bars(self) -> None:
        self.tools = MainToolBar(self.session, self.actions_by_id, self)
        self.addToolBar(self.tools)
        self.strip = ToolStrip(self.session, self.actions_by_id, self)
        self.setCentralWidget(beside(self.strip, self.views))

    def _build_jobs_bar(self) -> QToolBar:
        bar = QToolBar(_("Jobs"), self)
        bar.setObjectName("jobs")
        bar.setMovable(False)
        bar.addWidget(self.jobs)
        bar.toggleViewAction().setEnabled(False)
        self.addToolBar(Qt.ToolBarArea.BottomToolBarArea, bar)
        bar.hide()
        return bar

    def _build_menus(self) -> None:
        settings, open_file = self.session.settings, self.session.open
        self.recent_menu = RecentMenu(
            _("Open recent"),
            lambda: [] if self.session.slides.is_blinded else settings.recent_files,
            *(open_file, self),
        )
        self.recent_studies = RecentMenu(
            _("Open recent study"), lambda: settings.recent_studies, open_file, self
        )
        recent = {"file.open": self.recent_menu, "study.open": self.recent_studies}
        for name, title in _MENUS:
            menu = self.menuBar().addMenu(title)
            menu.aboutToShow.connect(self.actions_by_id.refresh)
            for command in COMMANDS:
                if command.menu == name:
                    if command.id in _SEPARATED:
                        menu.addSeparator()
                    place = _submenu(menu, command.submenu) if command.submenu else menu
                    place.addAction(self.actions_by_id[command.id])
                    if command.id in recent:
                        menu.addMenu(recent[command.id])
            if name == "Window":
                menu.addSeparator()
                menu.addActions([dock.toggleViewAction() for dock in self.docks.values()])

    def _build_status_bar(self) -> QLabel:
        facts = label("", "muted")
        facts.setWordWrap(False)
        self.statusBar().setSizeGripEnabled(False)
        self.statusBar().addPermanentWidget(facts)
        self.saving = SavingDot(self.session, partial(run_command, self.session))
        self.statusBar().addPermanentWidget(self.saving)
        return facts

    def _research_use_sheet(self) -> ResearchUseSheet | None:
        settings = self.session.settings
        return None if settings.accepted_research_use else ResearchUseSheet(settings, self.views)

    def _connect(self) -> None:
        session = self.session
        refresh = self.actions_by_id.refresh
        for changed in (
            session.slide_changed,
            session.layers_changed,
            session.active_layer_changed,
            session.runs_changed,
            session.selection_changed,
            session.tool_changed,
            session.history.changed,
            session.places.bookmarks.changed,
            session.places.grid.changed,
            session.places.screening.changed,
            session.views.changed,
            session.overlay.changed,
            session.toolbox.kit.changed,
            session.studies.changed,
            session.slides.changed,
            session.teaching.changed,
            session.teaching.rounds_changed,
            session.review.changed,
        ):
            changed.connect(refresh)
        session.slide_changed.connect(self._on_slide_changed)
        session.studies.changed.connect(self._on_study_changed)
        session.slides.changed.connect(self._say_title)
        session.opening_changed.connect(self._say_tool)
        session.runs_changed.connect(self._on_runs_changed)
        session.selection_changed.connect(self._on_selection_changed)
        session.tool_changed.connect(self._say_tool)
        session.toolbox.kit.changed.connect(self._say_tool)
        session.notice.connect(self._on_notice)
        session.scale_needed.connect(self._on_scale_needed)
        session.layer_desk.unsure.connect(self.commands.ask_about_layer)
        session.exchange.options_needed.connect(self.commands.ask_about_import)
        session.command_requested.connect(self.commands.answer)
        self.views.changed.connect(self.actions_by_id.apply_keys)
        self.jobs.shown_changed.connect(self._jobs_bar.setVisible)
        self.jobs.results_requested.connect(lambda: self.docks.bring_front("results"))

    # -- what the session says -----------------------------------------------------------------

    def _on_slide_changed(self) -> None:
        slide = self.session.slide
        if slide is not self._shown_slide:
            self._shown_slide = slide
            self.notices.clear()
        if slide is None:
            self._slide_facts.setText("")
        else:
            facts = [size_text(slide.info.width, slide.info.height)]
            facts.append(
                _("{n:.4g} µm/px").format(n=slide.mpp) if slide.info.mpp else _("no scale")
            )
            self._slide_facts.setText("  ·  ".join(facts))
        self._say_title()
        self._say_tool()

    def _say_title(self) -> None:
        session = self.session
        parts = (session.slides.open_name, session.study_files.name, "PathoView")
        self.setWindowTitle(" · ".join(part for part in parts if part))

    def _on_study_changed(self) -> None:
        """Forget what was said of another study."""
        study = self.session.studies.study if self.session.studies.is_named else None
        if study is not self._shown_study:
            self._shown_study = study
            self.notices.clear(lasting=study is None)
        self._say_title()

    def _on_runs_changed(self) -> None:
        """Bring the results to the front when a run is shown that was not there before.

        What the tiles tell of it is seen in their own panel, if that is in front.
        """
        run = self.session.results
        path = run.path if run is not None else None
        is_seen = run is not None and run.attention is not None and self.docks.is_seen("tiles")
        if path is not None and path != self._results_path and not is_seen:
            self.docks.raise_if_shown("results")
        self._results_path = path

    def _on_selection_changed(self) -> None:
        # In the panel of review one sees what is chosen, too.
        if self.session.selection is not None and not self.docks.is_seen("review"):
            self.docks.raise_if_shown("results")
        self._say_tool()

    def _on_scale_needed(self, _slide: object) -> None:
        self.commands.answer("view.scale")

    def _on_notice(self, notice: Notice) -> None:
        notice = replace(notice, text=self.session.slides.shown(notice.text))
        if not self.jobs.take(notice):
            self.notices.add(notice)

    def _on_notice_action(self, notice: Notice) -> None:
        if notice.action is not None:
            run_command(self.session, notice.action[1], notice.argument)

    def _say_tool(self) -> None:
        if self.session.is_opening:
            text = _("Opening the slide…")
        elif self.session.slide is None:
            text = _("Open a slide to begin")
        elif self.session.tool == "align":
            text = self.session.toolbox.alignment.prompt
        elif self.session.tool == "region":
            text = _("Drag a rectangle: the region to analyze. Esc cancels.")
        else:
            drawing = self.session.toolbox.drawing
            text = "" if drawing is None else drawing.prompt
        self.statusBar().showMessage(text)

    # -- layout --------------------------------------------------------------------------------

    def toggle_panels(self) -> None:
        """Hide all panels; show those again that were hidden so."""
        if not self.docks.toggle_all():
            self.views.active.setFocus()

    def reset_layout(self) -> None:
        """Put panels and bars where they are at the first start."""
        self.full_screen.leave()
        self.docks.arrange()
        self.tools.show()
        self.strip.show()

    def _restore_layout(self) -> None:
        self.docks.restore(self.session.settings)
        for bar in (self.menuBar(), self.tools, self.strip, self.statusBar()):
            bar.show()
        self._jobs_bar.hide()

    # -- events --------------------------------------------------------------------------------

    def closeEvent(self, event: QCloseEvent) -> None:
        """Ask while something runs or is not saved; then end everything."""
        if not self.closing.may_close():
            event.ignore()
            return
        self.full_screen.leave()
        self.docks.save(self.session.settings)
        self.session.close()
        event.accept()


def _submenu(menu: QMenu, title: str) -> QMenu:
    """Return the menu of that title in a menu, made where there is none yet."""
    for known in menu.findChildren(QMenu, title, Qt.FindChildOption.FindDirectChildrenOnly):
        return known
    made = menu.addMenu(_(title))
    made.setObjectName(title)
    return made
