"""Takes the pictures of the guide: the real window, the demo slide, a real analysis.

    python resources/guide/make_screenshots.py

Runs without a screen. For the picture of pseudo-healthy tissue a model is trained, which takes a
few minutes. Nothing of the machine or its user gets into a picture: settings and results are kept
in a temporary folder, and the one path that is shown is a made-up one.
"""

from __future__ import annotations

import math
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")

import numpy as np
import shapely
from annotate_pictures import AnnotatePictures
from case_pictures import CasePictures
from made_pictures import MadePictures
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtGui import QPixmap
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QWidget

from pathoview.core.affine import Affine
from pathoview.core.errors import RunError
from pathoview.jobs.runner import Job, JobRunner
from pathoview.layers.heatmap_source import HeatmapSource
from pathoview.layers.layer import Layer
from pathoview.layers.raster import ArrayRaster
from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.session.settings import Settings
from pathoview.ui import icons, theme
from pathoview.ui.bridge import Bridge
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.dialogs.export import ExportDialog
from pathoview.ui.dialogs.slide_report import SlideReportDialog
from pathoview.ui.main_window import MainWindow

IMAGES = Path(__file__).parent / "images"
SIZE = (1440, 900)
PATIENCE_S = 120.0
REST_S = 0.7
EPIDERMIS_L0 = (1180.0, 880.0)
EPIDERMIS_STROKE_L0 = ((1240.0, 700.0), (1250.0, 900.0))
DERMIS_STROKE_L0 = ((900.0, 1000.0), (880.0, 1300.0))
STROKE_L0 = 40.0
SQUARE_PX = 50


class Photographer:
    """One window, and what is done with it from picture to picture."""

    def __init__(self, application: QApplication) -> None:
        self._application = application
        bridge = Bridge()
        self.runner = JobRunner(bridge.post)
        self.session = Session(bridge.post, Settings(author="Ada"), self.runner)
        self.window = MainWindow(self.session)
        self.window.resize(*SIZE)
        self.window.show()
        self.runner.warm_up()

    def wait(self, is_so: Callable[[], bool], patience_s: float = PATIENCE_S) -> None:
        """Let the window live until something is so."""
        deadline = time.monotonic() + patience_s
        while not is_so():
            if time.monotonic() > deadline:
                raise RunError("the window did not get there in time")
            self._application.processEvents()
            time.sleep(0.005)

    def rest(self, seconds: float = REST_S) -> None:
        """Wait until all tiles are drawn, and a moment more."""
        until = time.monotonic() + seconds
        self.wait(lambda: time.monotonic() > until)
        self.wait(lambda: self.session.scheduler.n_pending == 0 and self.window.canvas.is_settled)
        self._application.processEvents()

    def take(self, name: str, widget: QWidget | None = None) -> None:
        """Write a picture; one with an ending of its own, of tissue, may be a JPEG."""
        self.save((widget or self.window).grab(), name)

    @staticmethod
    def save(picture: QPixmap, name: str) -> None:
        file = name if "." in name else f"{name}.png"
        picture.save(str(IMAGES / file), quality=85)
        print(file)

    def dialog(self, name: str, command_id: str) -> None:
        """Take the picture of a dialog and close it."""
        run_command(self.session, command_id)
        (dialog,) = [found for found in self.window.findChildren(Dialog) if found.isVisible()]
        if isinstance(dialog, ExportDialog):
            dialog.file.setText("/home/you/slides/CMU-1-Small-Region.geojson")
        self.rest()
        self.take(name, dialog)
        dialog.close()
        self.rest(0.1)

    def first_start(self) -> None:
        self.rest()
        self.take("first-start")
        if self.window.research_use is not None:
            self.window.research_use.accept()

    def open_demo(self) -> None:
        run_command(self.session, "file.demo")
        self.wait(lambda: self.session.slide is not None)
        self.rest()
        self.take("slide-opened")

    def analyze(self) -> None:
        QTest.mouseClick(self.window.analyze.run, Qt.MouseButton.LeftButton)
        job: Job = self.session.jobs[-1]
        self.wait(lambda: job.fraction > 0.4 or job.is_over)
        job.pause()
        self.rest()
        self.take("analysis-running")
        job.resume()
        self.wait(lambda: job.is_over)

    def look_at_results(self) -> None:
        results = self.session.results
        if results is None:
            raise RunError("the demo slide gave no results")
        centres = results.source.detections.centroids_l0()
        nearest = ((centres - EPIDERMIS_L0) ** 2).sum(axis=1).argmin()
        x_l0, y_l0 = (float(value) for value in centres[nearest])
        self.session.viewport.look_at(x_l0, y_l0, 1.6)
        self.rest()
        x_view, y_view = self.session.viewport.to_view(x_l0, y_l0)
        place = QPoint(round(x_view), round(y_view))
        QTest.mouseClick(self.window.canvas, Qt.MouseButton.LeftButton, pos=place)
        self.wait(lambda: self.session.selection is not None)
        self.rest()
        self.take("results")

    def tell_the_report(self) -> None:
        run_command(self.session, "file.report")
        dialog = self.window.findChildren(SlideReportDialog)[-1]
        self.wait(lambda: dialog.found is not None)
        self.rest()
        self.take("slide-report.jpg", dialog)
        dialog.close()

    def lay_a_heatmap(self) -> Layer:
        """Count nuclei in squares of 50 px, as a layer over the slide."""
        slide_l0, results = self.session.viewport.slide_l0, self.session.results
        if results is None:
            raise RunError("the demo slide gave no results")
        x, y = results.source.detections.centroids_l0().T
        shape = math.ceil(slide_l0.height / SQUARE_PX), math.ceil(slide_l0.width / SQUARE_PX)
        edges = [np.arange(n + 1) * SQUARE_PX for n in shape]
        counts = np.histogram2d(y, x, edges)[0].astype(np.float32)
        counts[counts == 0] = np.nan
        placement = Affine.scaled(SQUARE_PX)
        source = HeatmapSource(ArrayRaster(counts), placement, slide_l0.width, slide_l0.height)
        layer = Layer("Nuclei in a square of 25 µm", source, opacity=0.55)
        self.session.layer_desk.add(layer)
        self.session.layer_desk.active = layer
        return layer

    def look_at_layers(self) -> None:
        self.session.clear_selection()
        heatmap = self.lay_a_heatmap()
        run_command(self.session, "view.detections")
        self.window.docks.bring_front("layers")
        self.session.viewport.look_at(*EPIDERMIS_L0, 0.7)
        self.rest()
        self.take("layers.jpg")
        run_command(self.session, "compare.curtain")
        self.rest()
        self.take("curtain.jpg", self.window.views)
        run_command(self.session, "compare.curtain")
        run_command(self.session, "compare.two")
        self.session.views.all[1].set_shown(heatmap, False)
        self.rest()
        self.take("two-views.jpg", self.window.views)
        run_command(self.session, "compare.one")
        run_command(self.session, "view.detections")

    def look_turned(self) -> None:
        self.session.viewport.set_turn(30, is_flipped=False)
        run_command(self.session, "view.grid")
        self.rest()
        self.take("turned.jpg", self.window.views)
        run_command(self.session, "view.grid")
        run_command(self.session, "turn.reset")
        self.session.undo()

    def screen(self) -> None:
        """Walk over some fields; what was seen is tinted."""
        screening = self.session.places.screening
        screening.settings.magnification = 20.0
        run_command(self.session, "screening.toggle")
        self.wait(lambda: screening.is_active)
        for _field in range(4):
            self.rest()
            run_command(self.session, "screening.next")
        self.rest()
        self.window.docks.bring_front("places")
        self.session.viewport.zoom(0.4)
        self.rest()
        self.take("screening.jpg")
        run_command(self.session, "screening.toggle")
        self.window.docks.bring_front("layers")

    def teach(self) -> None:
        """Teach by strokes, live: epidermis and what lies below it."""
        session, teaching = self.session, self.session.teaching
        run_command(session, "teach.panel")
        teaching.choose_method("pixel_forest")
        session.viewport.look_at(*EPIDERMIS_L0, 0.5)
        answers: list[str] = []
        for number, line_l0 in ((1, EPIDERMIS_STROKE_L0), (2, DERMIS_STROKE_L0)):
            session.annotations.choose_class(number)
            shape = shapely.LineString(line_l0).buffer(STROKE_L0 / 2)
            session.annotations.draw(shape, "Stroke", "scribble")
        teaching.start({})
        self.wait(lambda: teaching.is_live)
        assert teaching.job is not None
        teaching.job.event.connect(lambda kind, _data: answers.append(kind))
        self.wait(lambda: "answer" in answers)
        self.rest(4.0)
        self.take("teach.jpg")
        job = teaching.job
        teaching.stop()
        self.wait(lambda: job.is_over)
        session.undo()
        session.undo()

    def look_in_the_light(self) -> None:
        run_command(self.session, "window.theme")
        self.session.viewport.fit()
        self.rest()
        self.take("light.jpg")
        run_command(self.session, "window.theme")

    def recolour(self) -> None:
        overlay = self.session.settings.overlay
        overlay.mode, overlay.measurement = "measurement", "Hematoxylin mean"
        overlay.fill = True
        self.session.overlay.apply()
        self.window.docks.bring_front("slide")
        self.session.viewport.fit()
        self.rest()
        self.take("coloured-by-measurement")


def main() -> None:
    """Take all pictures."""
    IMAGES.mkdir(exist_ok=True)
    application = QApplication([])
    application.setWindowIcon(icons.app_icon())
    theme.apply_theme(application)
    at_work = Photographer(application)
    at_work.first_start()
    at_work.open_demo()
    at_work.analyze()
    at_work.look_at_results()
    at_work.tell_the_report()
    at_work.dialog("export", "file.export")
    at_work.dialog("guide", "help.guide")
    at_work.dialog("scale", "view.scale")
    at_work.look_at_layers()
    at_work.look_turned()
    at_work.screen()
    at_work.look_in_the_light()
    at_work.teach()
    at_work.dialog("keys", "help.keys")
    at_work.recolour()
    run_command(at_work.session, "view.detections")
    AnnotatePictures(at_work).take_all()
    MadePictures(at_work).take_all()
    CasePictures(at_work).take()
    at_work.window.close()
    at_work.window.deleteLater()
    application.sendPostedEvents(None, QEvent.Type.DeferredDelete)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        os.environ["PATHOVIEW_HOME"] = home
        main()
