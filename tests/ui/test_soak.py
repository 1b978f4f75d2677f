"""Random gestures on the real window: nothing breaks, nothing is left, nothing grows."""

from __future__ import annotations

import ctypes
import gc
import logging
import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
from hands import CTRL, LEFT, MIDDLE, NONE, SHIFT, drag, is_still, move, wheel
from makers import he_image, make_svs
from PySide6.QtCore import QEvent, QPoint, Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication, QFileDialog, QMenu
from pytestqt.qtbot import QtBot
from shapely.geometry import box

from pathoview.annotations.detections import SUBPIXEL, DetectionClass, Detections
from pathoview.annotations.feature import Feature
from pathoview.core.affine import Affine
from pathoview.layers.class_map_source import ClassMapSource
from pathoview.layers.colormaps import COLORMAPS
from pathoview.layers.detection_source import DetectionSource
from pathoview.layers.feature_source import FeatureSource
from pathoview.layers.heatmap_source import HeatmapSource, HeatmapStyle
from pathoview.layers.layer import BLENDS, Layer
from pathoview.layers.raster import ArrayRaster
from pathoview.session.commands import COMMANDS, run_command
from pathoview.session.pointing import leave
from pathoview.session.session import Session
from pathoview.session.settings import Settings
from pathoview.ui.bridge import Bridge
from pathoview.ui.canvas import Canvas
from pathoview.ui.dialogs.dialog import Dialog
from pathoview.ui.main_window import MainWindow

SEED = 20
N_OBJECTS = 3000
LEFT_OUT = frozenset(
    {
        *("file.quit", "file.close", "file.open", "file.open_clip", "file.demo"),
        *("analyze.run", "analyze.resume", "layer.remove", "results.remove"),
    }
)
"""Commands that would end the walk, start a worker, or leave nothing to walk over."""
KEYS = (
    *(Qt.Key.Key_Left, Qt.Key.Key_Right, Qt.Key.Key_Up, Qt.Key.Key_Down),
    *(Qt.Key.Key_Plus, Qt.Key.Key_Minus, Qt.Key.Key_Escape, Qt.Key.Key_Space),
)
MOST_GROWTH_MIB = 48
"""What the heap of a process may wander by itself."""


class Hands:
    """Does one random thing after another."""

    def __init__(self, window: MainWindow, heatmap: Layer) -> None:
        self._window = window
        self._session = window.session
        self._heatmap = heatmap
        self._dice = random.Random(SEED)
        self._commands = [entry.id for entry in COMMANDS if entry.id not in LEFT_OUT]
        self.done: list[str] = []
        self._deeds: Sequence[tuple[int, Callable[[], None]]] = (
            (20, self._pan),
            (20, self._zoom),
            (6, self._fade),
            (6, self._click),
            (3, self._double_click),
            (8, self._key),
            (6, self._command),
            (4, self._region),
            (4, self._layer),
            (3, self._restyle),
            (4, self._jump),
            (4, self._hover),
        )

    def try_everything(self, wait: Callable[[], None]) -> None:
        """Do all there is: what is made at first use is no growth, however slow the machine."""
        for _weight, deed in self._deeds:
            deed()
            wait()
        for command_id in self._commands:
            self._run(command_id)
            wait()

    def act(self) -> None:
        weights = [weight for weight, _deed in self._deeds]
        (deed,) = self._dice.choices([deed for _weight, deed in self._deeds], weights)
        self.done.append(deed.__name__)
        deed()

    @property
    def _canvas(self) -> Canvas:
        return self._dice.choice([c for c in self._window.findChildren(Canvas) if c.isVisible()])

    def _place(self, canvas: Canvas) -> tuple[int, int]:
        dice = self._dice
        return dice.randrange(5, canvas.width() - 5), dice.randrange(5, canvas.height() - 5)

    def _pan(self) -> None:
        canvas = self._canvas
        stops = [self._place(canvas) for _stop in range(self._dice.randint(2, 5))]
        drag(canvas, *stops, button=self._dice.choice([LEFT, MIDDLE]))

    def _zoom(self) -> None:
        canvas = self._canvas
        if self._dice.random() < 0.3:
            wheel(canvas, self._place(canvas), 0, trackpad_px=self._dice.randint(-60, 60))
        else:
            wheel(canvas, self._place(canvas), self._dice.choice([-3, -1, 1, 1, 2]))

    def _fade(self) -> None:
        canvas = self._canvas
        wheel(canvas, self._place(canvas), self._dice.choice([-2, -1, 1, 2]), CTRL)

    def _click(self) -> None:
        canvas = self._canvas
        modifiers = self._dice.choice([NONE, SHIFT])
        QTest.mouseClick(canvas, LEFT, modifiers, QPoint(*self._place(canvas)))

    def _double_click(self) -> None:
        canvas = self._canvas
        QTest.mouseDClick(canvas, LEFT, NONE, QPoint(*self._place(canvas)))

    def _hover(self) -> None:
        canvas = self._canvas
        move(canvas, QPoint(*self._place(canvas)))

    def _key(self) -> None:
        QTest.keyClick(self._canvas, self._dice.choice(KEYS))

    def _command(self) -> None:
        command_id = self._dice.choice(self._commands)
        self.done.append(command_id)
        self._run(command_id)

    def _run(self, command_id: str) -> None:
        run_command(self._session, command_id)
        self.close_what_opened()

    def close_what_opened(self) -> None:
        """Dialogs and menus block nothing, but would pile up."""
        for kind in (Dialog, QFileDialog):
            for dialog in self._window.findChildren(kind):
                dialog.close()
        popup = QApplication.activePopupWidget()
        if isinstance(popup, QMenu):
            popup.close()

    def _region(self) -> None:
        canvas = self._canvas
        self._session.set_tool("region")
        drag(canvas, self._place(canvas), self._place(canvas))
        leave(self._session)

    def _layer(self) -> None:
        layer = self._dice.choice(list(self._session.layers))
        layer.opacity = self._dice.random()
        layer.blend = self._dice.choice(BLENDS)
        layer.visible = self._dice.random() < 0.8

    def _restyle(self) -> None:
        source = self._heatmap.source
        assert isinstance(source, HeatmapSource)
        low = self._dice.random() / 2
        source.style = HeatmapStyle(
            colormap=self._dice.choice(list(COLORMAPS)),
            limits=(low, low + 0.5),
            interpolate=self._dice.random() < 0.5,
        )

    def _jump(self) -> None:
        slide_l0 = self._session.viewport.slide_l0
        x, y = self._dice.random() * slide_l0.width, self._dice.random() * slide_l0.height
        self._session.viewport.look_at(x, y, 2 ** self._dice.uniform(-4, 2))


def add_layers(session: Session) -> Layer:
    """Lay one of each kind over the slide; return the heatmap."""
    rng = np.random.default_rng(SEED)
    slide_l0 = session.viewport.slide_l0
    size = slide_l0.width, slide_l0.height
    raster = ArrayRaster(rng.random((64, 64)).astype(np.float32))
    heatmap = Layer("Heatmap", HeatmapSource(raster, Affine.scaled(size[0] / 64), *size))
    classes = ArrayRaster(rng.integers(0, 3, (64, 64)).astype(np.uint8))
    class_map = Layer("Classes", ClassMapSource(classes, Affine.scaled(size[0] / 64), *size))
    corners = np.array([(0, 0), (20, 0), (20, 20), (0, 20)])
    points = (rng.uniform((0, 0), size, (N_OBJECTS, 2))[:, None] + corners) * SUBPIXEL
    detections = DetectionSource(*size)
    detections.append(
        Detections(
            points.reshape(-1, 2).astype(np.int32),
            np.arange(N_OBJECTS + 1, dtype=np.int64) * 4,
            rng.integers(0, 256, (N_OBJECTS, 16), dtype=np.uint8),
            np.zeros(N_OBJECTS, np.int16),
            (DetectionClass("Nucleus", (0, 160, 80)),),
            {"Area µm²": rng.random(N_OBJECTS).astype(np.float32)},
        )
    )
    features = FeatureSource(*size, [Feature(box(500, 500, 2500, 1900))])
    for layer in (
        class_map,
        heatmap,
        Layer("Nuclei", detections),
        Layer("Annotations", features),
    ):
        session.layers.add(layer)
        session.scheduler.add(layer.source)
    return heatmap


@pytest.fixture(scope="module")
def large_slide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A slide whose tiles do not all fit into the memory for tiles."""
    image = np.tile(he_image(512, 384), (12, 12, 1))
    return make_svs(tmp_path_factory.mktemp("soak") / "large.svs", image)


@pytest.fixture
def window(qtbot: QtBot, bridge: Bridge) -> Iterator[MainWindow]:
    settings = Settings(accepted_research_use=True, cache_bytes=64 * 2**20)
    window = MainWindow(Session(bridge.post, settings))
    window.resize(1200, 800)
    window.show()
    qtbot.waitExposed(window)
    yield window
    window.close()
    window.deleteLater()


@pytest.mark.parametrize(
    "seconds", [30, pytest.param(600, marks=pytest.mark.slow)], ids=["short", "long"]
)
def test_random_gestures_break_leave_and_grow_nothing(
    seconds: float,
    qtbot: QtBot,
    window: MainWindow,
    large_slide: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    session = window.session
    session.open(large_slide)
    qtbot.waitUntil(lambda: session.slide is not None)
    hands = Hands(window, add_layers(session))
    hands.try_everything(lambda: qtbot.wait(50))
    at_rest(qtbot, window)
    walk(qtbot, hands, seconds / 2)
    before = at_rest(qtbot, window)
    walk(qtbot, hands, seconds / 2)
    after = at_rest(qtbot, window)
    errors = [r.getMessage() for r in caplog.records if r.levelno >= logging.ERROR]
    assert errors == [], hands.done[-20:]
    assert len(hands.done) > seconds
    assert after - before < MOST_GROWTH_MIB


def walk(qtbot: QtBot, hands: Hands, seconds: float) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        hands.act()
        qtbot.wait(8)
    hands.close_what_opened()


def at_rest(qtbot: QtBot, window: MainWindow) -> float:
    """Come back to one view of the whole slide; return the memory in use, MiB."""
    session = window.session
    run_command(session, "compare.one")
    run_command(session, "view.fit")
    qtbot.waitUntil(lambda: is_still(window.canvas, session), timeout=30_000)
    QApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)
    gc.collect()
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)  # else freed memory counts too
    return resident_mib()


def resident_mib() -> float:
    """Return what the process holds of the machine's memory; 0 where that is not known."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except OSError:
        return 0.0
    return pages * 4096 / 2**20
