"""The pictures of the drawing tools and of the study: each tool in hand, on the demo slide.

`make_screenshots.py` takes them, with all others.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

import tifffile
from PySide6.QtCore import QEvent, QPoint, QPointF, QRect, QSize, Qt
from PySide6.QtGui import QMouseEvent, QPainter
from PySide6.QtWidgets import QApplication, QMenu

from pathoview.core.paths import data_folder
from pathoview.session.commands import run_command
from pathoview.session.toolbox import Tool
from pathoview.study.slide_labels import parse_label

if TYPE_CHECKING:
    from make_screenshots import Photographer

Place = tuple[float, float]
"""Level-0 px of the demo slide."""

FOLLICLE, EPIDERMIS, NUCLEI = (1312.0, 2075.0), (1690.0, 2575.0), (1200.0, 872.0)
SHAFT = [
    *((1205, 2075), (1240, 2025), (1285, 1985), (1325, 1985), (1335, 2030), (1310, 2085)),
    *((1275, 2140), (1235, 2165), (1205, 2150), (1195, 2110)),
]
RIDGE = [
    *((1565, 2750), (1572, 2640), (1582, 2535), (1640, 2510), (1678, 2440), (1745, 2426)),
    *((1765, 2470), (1755, 2530), (1705, 2560), (1690, 2630), (1640, 2660), (1610, 2750)),
]
PAPILLA = [(1695, 2605), (1700, 2560), (1740, 2553), (1763, 2580), (1748, 2625), (1715, 2633)]
OVAL = [(1222, 881), (1250, 868), (1227, 915), (1252, 902), (1137, 868), (1137, 895), (1186, 886)]
DARK = [(1220, 828), (1183, 839), (1220, 853), (1201, 854), (1167, 848), (1166, 860), (1231, 838)]
TUMOR, STROMA, IMMUNE, OTHER = 1, 2, 3, 5
SHOT, MENU_SHOT = QSize(352, 240), QSize(680, 630)
"""Size of a picture of the canvas, px."""
LEFT, NONE = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


class Drawer:
    """A hand with a mouse on the canvas of a window."""

    def __init__(self, at_work: Photographer) -> None:
        self.at_work = at_work
        self.session, self.window = at_work.session, at_work.window
        self.canvas = self.window.canvas
        self._at = QPoint()

    def look_at(self, place_l0: Place, scale: float) -> None:
        """Begin a picture: nothing is drawn, the move tool is in hand."""
        self.session.set_tool("move")
        self.session.annotations.select_all()
        self.session.operations.do("delete")
        self.session.viewport.look_at(*place_l0, scale)
        self.at_work.rest(0.1)

    def take_up(self, tool: Tool, class_number: int = TUMOR) -> None:
        self.session.annotations.select(())
        self.session.annotations.choose_class(class_number)
        self.session.set_tool(tool)

    def move(self, place_l0: Place, *, held: bool = False) -> None:
        self._at = QPoint(*map(round, self.session.viewport.to_view(*place_l0)))
        self._send(QEvent.Type.MouseMove, LEFT if held else Qt.MouseButton.NoButton)

    def press(self) -> None:
        self._send(QEvent.Type.MouseButtonPress, LEFT)

    def let_go(self) -> None:
        self._send(QEvent.Type.MouseButtonRelease, Qt.MouseButton.NoButton)
        self.at_work.rest(0.1)

    def _send(self, kind: QEvent.Type, buttons: Qt.MouseButton) -> None:
        changed = Qt.MouseButton.NoButton if kind is QEvent.Type.MouseMove else LEFT
        on_screen = QPointF(self.canvas.mapToGlobal(self._at))
        event = QMouseEvent(kind, QPointF(self._at), on_screen, changed, buttons, NONE)
        QApplication.sendEvent(self.canvas, event)

    def hold(self, places_l0: Sequence[Place]) -> None:
        """Press at the first place and draw along the others."""
        self.move(places_l0[0])
        self.press()
        for start, end in pairwise(places_l0):
            for share in (0.25, 0.5, 0.75, 1.0):
                middle = [a + share * (b - a) for a, b in zip(start, end, strict=True)]
                self.move((middle[0], middle[1]), held=True)

    def draw(self, places_l0: Sequence[Place]) -> None:
        self.hold(places_l0)
        self.let_go()

    def click(self, places_l0: Sequence[Place]) -> None:
        for place in places_l0:
            self.move(place)
            self.press()
            self.let_go()

    def wait_for_tool(self) -> None:
        """Let a tool that reads pixels do all that it was told."""
        tool = self.session.toolbox.drawing
        self.at_work.wait(lambda: tool is None or not tool.is_busy)

    def give_up(self) -> None:
        """Leave what was begun."""
        self.session.toolbox.choose("move")
        self._send(QEvent.Type.MouseButtonRelease, Qt.MouseButton.NoButton)

    def shoot(self, name: str, size: QSize = SHOT, menu: QMenu | None = None) -> None:
        """Write a picture of the middle of the canvas, with a menu that is open over it."""
        self.at_work.rest(0.2)
        rect = QRect(QPoint(), size)
        rect.moveCenter(self.canvas.rect().center())
        picture = self.canvas.grab(rect)
        if menu is not None:
            painter = QPainter(picture)
            painter.drawPixmap(size.width() - menu.width() - 20, 20, menu.grab())
            painter.end()
        self.at_work.save(picture, name)


class AnnotatePictures:
    """All pictures of the pages about labels and studies, in one order that works."""

    def __init__(self, at_work: Photographer) -> None:
        self.at_work = at_work
        self.session, self.window = at_work.session, at_work.window
        self.hand = Drawer(at_work)

    def take_all(self) -> None:
        overview = self.window.canvas.overview
        overview.fold(True)
        for take in (self.draw_shapes, self.paint, self.cut, self.draw_by_pixels, self.choose):
            take()
        overview.fold(False)
        self.draw_everything()
        self.look_at_panels()
        self.gather()

    def draw_shapes(self) -> None:
        hand = self.hand
        hand.look_at(EPIDERMIS, 0.58)
        hand.take_up("polygon")
        hand.click(RIDGE[:7])
        hand.move(RIDGE[8])
        hand.shoot("polygon.jpg")
        hand.give_up()
        hand.look_at(FOLLICLE, 0.62)
        hand.take_up("polygon", STROMA)
        hand.hold(SHAFT[:8])
        hand.shoot("freehand.jpg")
        hand.give_up()
        hand.take_up("ellipse", STROMA)
        hand.hold([(1192, 1972), (1322, 2180)])
        hand.shoot("ellipse.jpg")
        hand.give_up()
        hand.take_up("line")
        hand.hold([(1098, 2090), (1380, 2068)])
        hand.shoot("ruler.jpg")
        hand.give_up()
        hand.take_up("polyline", OTHER)
        hand.draw(
            [(1050, 1930), (1075, 1990), (1050, 2040), (1080, 2090), (1050, 2140), (1085, 2210)]
        )
        hand.draw([(1420, 2190), (1445, 2140), (1415, 2090), (1450, 2040), (1435, 2000)])
        hand.take_up("polyline")
        hand.hold(
            [(1150, 1940), (1130, 1990), (1165, 2040), (1130, 2100), (1170, 2150), (1150, 2210)]
        )
        hand.shoot("scribble.jpg")
        hand.give_up()

    def paint(self) -> None:
        hand = self.hand
        hand.look_at(FOLLICLE, 0.62)
        self.session.toolbox.kit.set_brush(48)
        hand.take_up("brush")
        hand.hold([(1150, 1940), (1140, 2040), (1150, 2120), (1165, 2190), (1230, 2215)])
        hand.shoot("brush.jpg")
        hand.let_go()
        hand.take_up("eraser")
        hand.hold([(1190, 2200), (1230, 2180), (1260, 2230)])
        hand.shoot("eraser.jpg")
        hand.give_up()

    def cut(self) -> None:
        hand = self.hand
        hand.look_at(EPIDERMIS, 0.58)
        hand.take_up("polygon")
        hand.click([*RIDGE, RIDGE[0]])
        hand.session.set_tool("scissors")
        hand.hold([(1540, 2575), (1640, 2590), (1725, 2530)])
        hand.shoot("scissors.jpg")
        hand.give_up()
        hand.shoot("vertices.jpg")

    def draw_by_pixels(self) -> None:
        hand = self.hand
        hand.look_at(EPIDERMIS, 0.58)
        hand.take_up("wand")
        self.session.toolbox.kit.set_brush(80)
        hand.draw([(1600, 2700), (1600, 2570), (1650, 2560), (1715, 2470)])
        hand.wait_for_tool()
        hand.move((1715, 2470))
        hand.shoot("wand.jpg")
        hand.look_at(FOLLICLE, 0.62)
        hand.take_up("superpixel")
        hand.draw([(1110, 1950), (1120, 2050), (1130, 2150), (1150, 2210)])
        hand.wait_for_tool()
        hand.move((1220, 2215))
        hand.shoot("superpixels.jpg")
        hand.look_at((1690.0, 2590.0), 1.4)
        hand.take_up("livewire", STROMA)
        hand.click(PAPILLA[:4])
        hand.move(PAPILLA[5])
        hand.shoot("livewire.jpg")
        hand.give_up()
        hand.look_at(NUCLEI, 2.3)
        hand.take_up("nucleus")
        hand.click(OVAL)
        hand.wait_for_tool()
        hand.shoot("nucleus.jpg")

    def choose(self) -> None:
        hand, annotations = self.hand, self.session.annotations
        hand.look_at(NUCLEI, 2.3)
        hand.take_up("points")
        hand.click(OVAL)
        hand.take_up("points", OTHER)
        hand.click(DARK)
        annotations.select(())
        hand.shoot("points.jpg")
        hand.session.set_tool("move")
        run_command(self.session, "tool.selection")
        hand.hold([(1150, 835), (1240, 822), (1245, 850), (1200, 870), (1150, 868)])
        hand.shoot("selection.jpg")
        hand.let_go()
        run_command(self.session, "tool.selection")
        menu = self.window.annotation_menu.menu()
        menu.popup(self.window.canvas.mapToGlobal(QPoint(300, 200)))
        hand.shoot("menu.jpg", MENU_SHOT, menu)
        menu.close()

    def draw_everything(self) -> None:
        """Leave annotations of all kinds on the slide."""
        hand = self.hand
        hand.look_at((1250.0, 2180.0), 0.9)
        hand.take_up("rectangle", STROMA)
        hand.draw([(900, 1960), (1060, 2160)])
        hand.take_up("polygon", OTHER)
        hand.click([*SHAFT, SHAFT[0]])
        hand.take_up("brush")
        self.session.toolbox.kit.set_brush(56)
        hand.draw([(1150, 1900), (1135, 2040), (1150, 2150), (1190, 2225), (1280, 2220)])
        hand.take_up("points", IMMUNE)
        hand.click([(1526, 2069), (1504, 2144), (1487, 2163), (1497, 2205), (1525, 2208)])
        self.session.annotations.select(())
        self.at_work.rest()
        self.at_work.take("draw.jpg", self.window.centralWidget())

    def look_at_panels(self) -> None:
        window, session = self.window, self.session
        session.set_tool("move")
        session.annotations.select_all()
        run_command(session, "annotate.uncertain")
        session.undo()
        self.at_work.take("classes", window.docks["classes"])
        window.docks.bring_front("history")
        self.at_work.rest()
        self.at_work.take("history", window.docks["history"])
        feature = next(one for one in session.annotations.document or ())
        session.annotations.select([feature.id])
        self.at_work.dialog("properties", "annotate.properties")
        window.docks.bring_front("objects")
        self.at_work.rest()
        self.at_work.take("objects", window.docks["objects"])
        window.docks["objects"].hide()

    def gather(self) -> None:
        """Make a study of three slides: the demo slide, and two pieces of it."""
        session, slide = self.session, self.session.slide
        assert slide is not None
        folder = data_folder() / "slides"
        folder.mkdir()
        pixels = slide.read(0, 0, 0, slide.info.width, slide.info.height)
        for name, piece in (("A2.tif", pixels[500:1900, 700:]), ("A3.tif", pixels[1500:, 500:])):
            per_cm = 1e4 / (slide.info.mpp or (0.5, 0.5))[0]
            tifffile.imwrite(
                folder / name, piece, tile=(256, 256), photometric="rgb", compression="zlib",
                resolution=(per_cm, per_cm), resolutionunit="CENTIMETER",
            )  # fmt: skip
        session.study_files.keep(folder / "Skin.pathoview")
        self.at_work.wait(lambda: session.studies.is_named and bool(session.slides.rows))
        session.slides.search.add([folder])
        self.at_work.wait(lambda: len(session.slides.rows) == 3)
        editing, keys = session.slides.editing, [row.slide_hash for row in session.slides.rows]
        editing.assign(keys[:2], "Case 7", "A")
        editing.assign(keys[2:], "Case 8", "A")
        editing.set_stain(keys, "H&E")
        editing.label(keys[:1], parse_label("Benign"))
        editing.set_reviewed(keys[1:2], on=True)
        self.window.docks.bring_front("slides")
        self.at_work.rest(2.0)
        self.at_work.take("slides", self.window.docks["slides"])
