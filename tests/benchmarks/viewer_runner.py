"""Does the same things in napari or in PathoView, and tells what they took: `bench_napari.py`.

``python viewer_runner.py PROGRAM SLIDE N_POLYGONS SIDE`` runs in a process of its own, by the
interpreter to which the program belongs, on a screen of its own. A line of JSON is printed when a
step begins and when it ends. What a step takes is told by what is seen: the first and the last
time that the picture was painted because of it.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PySide6.QtCore import QEvent, QEventLoop, QObject, QSize, QTimer
from PySide6.QtGui import QImage
from PySide6.QtWidgets import QApplication, QWidget

STARTED = time.perf_counter()
CANVAS_PX = (1920, 1080)
N_VERTICES = 16
RADIUS_PX = 12
SCALE = 0.25
"""Canvas px per level-0 px while polygons are looked at."""
PAN_PX, PAN_STEPS = (48, 20), 40
QUIET_S = 0.15
"""When nothing was painted for so long and nothing is being read, the picture is whole."""
NOTHING_PAINTED_S = 5.0
PATCH_PX = 96

Polygons = npt.NDArray[np.float64]
"""(n, vertex, 2): x and y, level-0 px."""


class Program(ABC):
    """A viewer with a canvas of `CANVAS_PX`, and when that was painted."""

    def __init__(self) -> None:
        self.paints: list[float] = []
        """When each painting was over and on the screen, by the clock."""

    def note_paint(self) -> None:
        self.paints.append(time.perf_counter())

    @property
    @abstractmethod
    def widget(self) -> QWidget: ...

    @abstractmethod
    def open(self, path: Path) -> None: ...

    @abstractmethod
    def look_at(self, x_l0: float, y_l0: float, scale: float) -> None: ...

    @abstractmethod
    def add(self, polygons: Polygons) -> None: ...

    @abstractmethod
    def choose(self, n: int) -> None:
        """Make ready to remove the first polygons that are left."""

    @abstractmethod
    def remove(self) -> None: ...

    def is_busy(self) -> bool:
        return False


class Napari(Program):
    """Levels as dask arrays over tifffile's zarr store, as napari's guide has it."""

    def __init__(self) -> None:
        super().__init__()
        import napari

        self._viewer = napari.Viewer()
        self._canvas = self._viewer.window._qt_viewer.canvas.native
        fit_canvas(self._canvas)
        self._canvas.frameSwapped.connect(self.note_paint)

    @property
    def widget(self) -> QWidget:
        return self._canvas

    def open(self, path: Path) -> None:
        import dask.array
        import tifffile
        import zarr

        group = zarr.open(tifffile.imread(path, aszarr=True), mode="r")
        names = sorted(group.array_keys(), key=int)
        levels = [dask.array.from_zarr(group[name]) for name in names]
        self._viewer.add_image(levels, multiscale=True, rgb=True, contrast_limits=(0, 255))

    def look_at(self, x_l0: float, y_l0: float, scale: float) -> None:
        self._viewer.scene.camera.center = (0, y_l0, x_l0)
        self._viewer.scene.camera.zoom = scale

    def add(self, polygons: Polygons) -> None:
        self._shapes = self._viewer.add_shapes(
            list(polygons[..., ::-1]),
            shape_type="polygon",
            edge_width=4,
            edge_color="red",
            face_color="transparent",
        )

    def choose(self, n: int) -> None:
        self._shapes.selected_data = set(range(n))

    def remove(self) -> None:
        self._shapes.remove_selected()


class PathoView(Program):
    """The window with its session; outlines as a table of detections."""

    def __init__(self) -> None:
        super().__init__()
        from pathoview.session.session import Session
        from pathoview.session.settings import Settings
        from pathoview.ui import theme
        from pathoview.ui.bridge import Bridge
        from pathoview.ui.main_window import MainWindow

        application = QApplication.instance()
        assert isinstance(application, QApplication)
        settings = Settings(accepted_research_use=True)
        theme.apply_theme(application, settings.theme)
        self._session = Session(Bridge().post, settings)
        self._window = MainWindow(self._session)
        self._window.show()
        self._canvas = self._window.canvas
        fit_canvas(self._canvas)
        self._filter = PaintFilter(self)
        self._canvas.installEventFilter(self._filter)

    @property
    def widget(self) -> QWidget:
        return self._canvas

    def open(self, path: Path) -> None:
        self._session.open(path)

    def look_at(self, x_l0: float, y_l0: float, scale: float) -> None:
        self._canvas.viewport.look_at(x_l0, y_l0, scale)

    def add(self, polygons: Polygons) -> None:
        from pathoview.annotations.detections import SUBPIXEL, DetectionClass, Detections
        from pathoview.layers.detection_source import DetectionSource
        from pathoview.layers.layer import Layer

        n, size_l0 = len(polygons), self._canvas.viewport.slide_l0
        table = Detections(
            np.rint(polygons.reshape(-1, 2) * SUBPIXEL).astype(np.int32),
            np.arange(n + 1, dtype=np.int64) * N_VERTICES,
            np.random.default_rng(0).integers(0, 256, (n, 16), dtype=np.uint8),
            np.zeros(n, np.int16),
            (DetectionClass("Polygon", (255, 0, 0)),),
            {},
        )
        self._source = DetectionSource(size_l0.width, size_l0.height)
        self._source.add(table)
        self._session.layers.add(Layer("Polygons", self._source))
        self._session.scheduler.add(self._source)

    def choose(self, n: int) -> None:
        self._chosen = self._source.detections.ids[:n]

    def remove(self) -> None:
        self._source.drop(self._chosen)

    def is_busy(self) -> bool:
        return self._session.slide is None or not self._canvas.is_settled


class PaintFilter(QObject):
    """Sees that the canvas is painted; the picture is on the screen when the event is over."""

    def __init__(self, program: Program) -> None:
        super().__init__()
        self._program = program

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Paint:
            QTimer.singleShot(0, self._program.note_paint)
        return False


def wait(ms: int) -> None:
    loop = QEventLoop()
    QTimer.singleShot(ms, loop.quit)
    loop.exec()


def fit_canvas(canvas: QWidget) -> None:
    """Make the window so large that its canvas has the wanted size."""
    for _attempt in range(5):
        wait(50)
        window = canvas.window()
        window.resize(window.size() + QSize(*CANVAS_PX) - canvas.size())


def is_picture(widget: QWidget) -> bool:
    """Whether stained tissue, pink and violet, is on the screen."""
    window = widget.window()
    middle = widget.mapTo(window, widget.rect().center())
    patch = middle.x(), middle.y(), PATCH_PX, PATCH_PX
    shot = widget.screen().grabWindow(window.winId(), *patch).toImage()
    image = shot.convertToFormat(QImage.Format.Format_RGB32)
    blue, green, red, _x = np.frombuffer(image.constBits(), np.uint8).reshape(-1, 4).astype(int).T
    return bool(np.mean((red > green + 20) & (blue > green + 10)) > 0.5)


class Steps:
    """Takes the steps one after the other."""

    def __init__(self, program: Program) -> None:
        self._program = program

    def settled(self, start: float, *, needs_picture: bool = False) -> tuple[float, float]:
        """Wait until the picture is whole; return seconds to its first and last painting."""
        program = self._program
        first, n_seen = 0.0, 0
        while True:
            wait(2)
            paints = [paint for paint in program.paints if paint > start]
            if len(paints) > n_seen and not first:
                n_seen = len(paints)
                if not needs_picture or is_picture(program.widget):
                    first = paints[-1 if needs_picture else 0]
            now = time.perf_counter()
            is_quiet = now - (paints[-1] if paints else start) > QUIET_S
            if first and is_quiet and not program.is_busy():
                return first - start, paints[-1] - start
            if not needs_picture and not paints and now - start > NOTHING_PAINTED_S:
                raise RuntimeError("nothing was painted")

    def take(
        self, act: Callable[..., None], *arguments: object, needs_picture: bool = False
    ) -> dict[str, float]:
        start = time.perf_counter()
        act(*arguments)
        first, last = self.settled(start, needs_picture=needs_picture)
        return {"first_s": first, "whole_s": last}

    def look(self, x_l0: float, y_l0: float) -> dict[str, float]:
        return self.take(self._program.look_at, x_l0, y_l0, SCALE)

    def pan(self, x_l0: float, y_l0: float) -> dict[str, float]:
        """Move step by step; each waits for the one before."""
        taken = []
        for step in range(1, PAN_STEPS + 1):
            dx, dy = (n * step / SCALE for n in PAN_PX)
            taken.append(self.look(x_l0 + dx, y_l0 + dy))
        self.look(x_l0, y_l0)
        firsts, wholes = ([one[name] for one in taken] for name in ("first_s", "whole_s"))
        return {
            "first_s": float(np.median(firsts)),
            "first_p95_s": float(np.percentile(firsts, 95)),
            "whole_s": float(np.median(wholes)),
            "whole_p95_s": float(np.percentile(wholes, 95)),
        }


def polygons_over(side_l0: int, n: int) -> Polygons:
    """Return polygons all over the slide, the first ones in the middle, where one looks."""
    rng = np.random.default_rng(0)
    angles = np.linspace(0, 2 * np.pi, N_VERTICES, endpoint=False)
    rings = RADIUS_PX * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    centers = rng.uniform(RADIUS_PX, side_l0 - RADIUS_PX, (n, 2))
    centers = centers[np.argsort(np.hypot(*(centers - side_l0 / 2).T))]
    return centers[:, None] + rng.uniform(0.7, 1.3, (n, N_VERTICES, 1)) * rings


def nothing() -> None:
    """What some steps need to be made ready."""


def say(step: str, **numbers: float) -> None:
    print(json.dumps({"step": step, **numbers}), flush=True)


def main() -> None:
    name, path, n_polygons, side_l0 = sys.argv[1:]
    application = QApplication.instance() or QApplication([])
    say("start")
    program: Program = Napari() if name == "napari" else PathoView()
    width, height = program.widget.size().toTuple()
    say("start", whole_s=time.perf_counter() - STARTED, width=width, height=height)
    steps = Steps(program)
    side, n = int(side_l0), int(n_polygons)
    middle = side / 2, side / 2
    polygons = polygons_over(side, n)
    for step, prepare, take in (
        ("open", nothing, lambda: steps.take(program.open, Path(path), needs_picture=True)),
        ("pan, slide alone", lambda: steps.look(*middle), lambda: steps.pan(*middle)),
        ("add polygons", nothing, lambda: steps.take(program.add, polygons)),
        ("pan, with polygons", nothing, lambda: steps.pan(*middle)),
        ("remove 1", lambda: program.choose(1), lambda: steps.take(program.remove)),
        ("remove 1,000", lambda: program.choose(1000), lambda: steps.take(program.remove)),
    ):
        say(step)
        prepare()
        wait(300)
        say(step, **take())
    say("memory", peak_mib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)
    assert application is not None
    sys.stdout.flush()
    os._exit(0)  # closing asks questions and saves layouts; neither is measured


if __name__ == "__main__":
    main()
