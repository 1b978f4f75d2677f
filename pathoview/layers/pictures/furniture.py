"""What is written over a picture: scale bar, legend, a note. Calm plates, as on the canvas."""

from __future__ import annotations

from collections.abc import Sequence

from pathoview.core.geometry import Rect
from pathoview.core.translation import ngettext
from pathoview.layers.paint import Color
from pathoview.layers.pictures.legend import Legend, value_text
from pathoview.layers.pictures.lettering import LINE_HEIGHT, lettering
from pathoview.layers.pictures.marks import Box, Mark, Ramp, Words
from pathoview.layers.pictures.order import DARK, PictureOrder
from pathoview.layers.scale_bar import scale_bar

_TEXT: Color = (215, 217, 222)
_MUTED: Color = (156, 161, 171)
_PLATE_OPACITY = 0.78
# px at the size of the screen:
_MARGIN, _PAD, _RADIUS = 16.0, 10.0, 4.0
_SIZE, _SMALL = 13.0, 11.0
_LONGEST_BAR = 160.0
_BAR_WIDTH, _BAR_END = 2.0, 6.0
_SWATCH, _RAMP_WIDTH, _RAMP_HEIGHT = 11.0, 150.0, 10.0


def furniture(order: PictureOrder, legends: Sequence[Legend]) -> list[Mark]:
    """Return the marks of a picture, in the order in which they are drawn."""
    marks: list[Mark] = []
    if order.curtain is not None:
        middle, thick = order.curtain * order.frame.width, _BAR_WIDTH * order.enlarged
        marks.append(Box(Rect(middle - thick / 2, 0, thick, order.frame.height), _TEXT))
    if order.scale_bar and order.mpp is not None:
        marks += _scale_bar(order, order.mpp[0])
    if legends:
        marks += _legend(order, legends)
    if order.note:
        marks += _note(order)
    return marks


def _plate(rect: Rect, k: float) -> Box:
    return Box(rect, DARK, _PLATE_OPACITY, _RADIUS * k)


def _scale_bar(order: PictureOrder, mpp: float) -> list[Mark]:
    """Return the bar at the bottom left, its length above it."""
    k = order.enlarged
    longest = min(_LONGEST_BAR * k, order.frame.width * 0.4)
    bar = scale_bar(mpp / order.frame.scale, longest)
    width = lettering(bar.text, _SIZE * k).width
    room = max(bar.length_view, width)
    line = _SIZE * k * LINE_HEIGHT
    height = line + (_BAR_END + 2 * _PAD) * k
    plate = Rect(
        _MARGIN * k, order.frame.height - _MARGIN * k - height, room + 2 * _PAD * k, height
    )
    middle, base = plate.center[0], plate.bottom - _PAD * k
    left, thick = middle - bar.length_view / 2, _BAR_WIDTH * k
    ends = [
        Rect(left, base - _BAR_END * k, thick, _BAR_END * k),
        Rect(left + bar.length_view - thick, base - _BAR_END * k, thick, _BAR_END * k),
    ]
    return [
        _plate(plate, k),
        Words(bar.text, middle - width / 2, plate.y + _PAD * k * 0.7, _SIZE * k, _TEXT),
        *(Box(rect, _TEXT) for rect in ends),
        Box(Rect(left, base - thick, bar.length_view, thick), _TEXT),
    ]


def _legend(order: PictureOrder, legends: Sequence[Legend]) -> list[Mark]:
    """Return all legends on one plate at the top left."""
    k = order.enlarged
    left, y = (_MARGIN + _PAD) * k, (_MARGIN + _PAD * 0.7) * k
    room = order.frame.height - (_MARGIN + _PAD) * k * 2
    marks: list[Mark] = []
    for number, legend in enumerate(legends):
        gap = _PAD * k if number else 0.0
        part, height = _legend_part(legend, left, y + gap, k, room - y - gap)
        marks += part
        y += gap + height
    right = max((_right(mark) for mark in marks), default=left)
    plate = Rect(_MARGIN * k, _MARGIN * k, right + _PAD * k - _MARGIN * k, y - _MARGIN * k)
    return [_plate(plate.expanded(0), k), *marks]


def _legend_part(
    legend: Legend, left: float, top: float, k: float, room: float
) -> tuple[list[Mark], float]:
    """Return the marks of one legend and the height that they take."""
    line = _SIZE * k * LINE_HEIGHT * 1.15
    y = top
    marks: list[Mark] = []
    if legend.title:
        marks.append(Words(legend.title, left, y, _SMALL * k, _MUTED))
        y += line
    if legend.colors is not None:
        marks.append(Ramp(Rect(left, y, _RAMP_WIDTH * k, _RAMP_HEIGHT * k), legend.colors))
        y += (_RAMP_HEIGHT + 3) * k
        low, high = (value_text(value) for value in legend.limits)
        end = left + _RAMP_WIDTH * k - lettering(high, _SMALL * k).width
        marks += [
            Words(low, left, y, _SMALL * k, _TEXT),
            Words(high, end, y, _SMALL * k, _TEXT),
        ]
        return marks, y + line - top
    n_fitting = max(1, int((room - (y - top)) / line))
    entries = legend.entries
    if len(entries) > n_fitting:
        n_left_out = len(entries) - n_fitting + 1
        more = ngettext("{n} more", "{n} more", n_left_out).format(n=n_left_out)
        entries = entries[: n_fitting - 1]
    else:
        more = ""
    for name, color in entries:
        swatch = Rect(left, y + (_SIZE * LINE_HEIGHT - _SWATCH) / 2 * k, _SWATCH * k, _SWATCH * k)
        text_x = left + (_SWATCH + 8) * k
        marks += [Box(swatch, color, 1.0, 2 * k), Words(name, text_x, y, _SIZE * k, _TEXT)]
        y += line
    if more:
        marks.append(Words(more, left + (_SWATCH + 8) * k, y, _SMALL * k, _MUTED))
        y += line
    return marks, y - top


def _right(mark: Mark) -> float:
    if isinstance(mark, Words):
        return mark.x + lettering(mark.text, mark.size).width
    return mark.rect.right


def _note(order: PictureOrder) -> list[Mark]:
    """Return the note at the bottom right."""
    k = order.enlarged
    width = lettering(order.note, _SMALL * k).width
    height = (_SMALL * LINE_HEIGHT + _PAD) * k
    plate = Rect(
        order.frame.width - _MARGIN * k - width - 2 * _PAD * k,
        order.frame.height - _MARGIN * k - height,
        width + 2 * _PAD * k,
        height,
    )
    return [
        _plate(plate, k),
        Words(order.note, plate.x + _PAD * k, plate.y + _PAD * k / 2, _SMALL * k, _TEXT),
    ]
