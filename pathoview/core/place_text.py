"""A place as people write it: ``12,345, 6 789``, ``3.2 mm; 1.9 mm``, ``x 617 y 2839 µm @ 20×``."""

from __future__ import annotations

import re
from dataclasses import dataclass

from pathoview.core.errors import UsageError
from pathoview.core.geometry import Rect
from pathoview.core.translation import _

_UM = {"µm": 1.0, "μm": 1.0, "um": 1.0, "micron": 1.0, "microns": 1.0, "mm": 1000.0}
"""Lengths by the name of their unit; both signs for micro are in use."""
_UNIT = re.compile(r"(µm|μm|um|microns?|mm|px|pixels?)\b", re.IGNORECASE)
_POWER = re.compile(r"(?:@\s*(\d+(?:[.,]\d+)?)\s*[x×]?|(?<![\d.,])(\d+(?:[.,]\d+)?)\s*[x×])\s*$")
_LABELS = re.compile(r"^\W*x\s*[:=]?\s*(.+?)[\s,;]*\by\s*[:=]?\s*(.+)$", re.IGNORECASE)
_SPACES = re.compile("[\\s\u00a0\u2009\u202f'’_]")
_GROUPED = re.compile(r"-?\d{1,3}(?:([.,])\d{3})(?:\1\d{3})*$")


@dataclass(frozen=True, slots=True)
class PlaceText:
    """What a text says: a place, and at which magnification if that is said too."""

    x_l0: float
    y_l0: float
    magnification: float | None


def parse_offset(text: str) -> tuple[float, float]:
    """Return the two numbers of ``1200,800``; raises `UsageError`."""
    try:
        x, y = (float(part) for part in text.split(","))
    except ValueError:
        raise UsageError(
            _("“{text}” is no offset.").format(text=text), _("Write it like 1200,800.")
        ) from None
    return x, y


def parse_place(text: str, mpp: tuple[float, float] | None, slide_l0: Rect) -> PlaceText:
    """Return the place that a text names; ``mpp``: µm per level-0 px (x, y).

    Numbers without a unit are px. Raises `UsageError` when the text cannot be understood, or the
    place is not on the slide.
    """
    # What the canvas says of the pointer can be pasted: px first, then the same in µm.
    rest = text.split("·")[0].strip()
    power = _POWER.search(rest)
    if power is not None:
        rest = rest[: power.start()].strip()
    parts = _two_parts(rest.strip("()[] "))
    written = [_unit(part) for part in parts]
    units = (written[0] or written[1], written[1] or written[0])  # "12, 34 µm" says both in µm
    numbers = [_number(_UNIT.sub("", part)) for part in parts]
    x_l0, y_l0 = (
        _to_px(numbers[axis], units[axis], None if mpp is None else mpp[axis]) for axis in (0, 1)
    )
    if not (0 <= x_l0 <= slide_l0.width and 0 <= y_l0 <= slide_l0.height):
        raise UsageError(
            _("That place is not on the slide."),
            _("The slide is {width:,.0f} × {height:,.0f} px large.").format(
                width=slide_l0.width, height=slide_l0.height
            ),
        )
    magnification = _number(power[1] or power[2]) if power is not None else None
    return PlaceText(x_l0, y_l0, magnification or None)


def _two_parts(text: str) -> tuple[str, str]:
    """Cut a text between its two numbers, at the clearest sign that there is."""
    labelled = _LABELS.match(text)
    if labelled is not None:
        return labelled[1].rstrip(",; "), labelled[2]
    candidates = (
        text.split(";"),
        _after_unit(text),
        re.split(r",\s+", text),
        text.split(),
        text.split(","),
    )
    for parts in candidates:
        if len(parts) == 2 and all(part.strip() for part in parts):
            return parts[0].strip(), parts[1].strip()
    raise _not_understood()


def _after_unit(text: str) -> list[str]:
    """Cut a text behind its first unit, where it has one in the middle."""
    unit = _UNIT.search(text)
    return [] if unit is None else [text[: unit.end()], text[unit.end() :].lstrip(" ,")]


def _unit(text: str) -> str:
    unit = _UNIT.search(text)
    return "" if unit is None else unit[1].lower()


def _number(text: str) -> float:
    """Return a number with or without thousands separators, its decimals after a dot or comma."""
    digits = _SPACES.sub("", text)
    if "," in digits and "." in digits:
        thousands = "," if digits.rfind(".") > digits.rfind(",") else "."
        digits = digits.replace(thousands, "")
    elif _is_grouped(digits):
        digits = digits.replace(",", "").replace(".", "")
    if re.fullmatch(r"-?\d+(?:[.,]\d*)?", digits) is None:
        raise _not_understood()
    return float(digits.replace(",", "."))


def _is_grouped(digits: str) -> bool:
    """Whether the only kind of sign in a number separates thousands; one dot starts decimals."""
    return _GROUPED.match(digits) is not None and ("," in digits or digits.count(".") > 1)


def _to_px(number: float, unit: str, mpp: float | None) -> float:
    if unit not in _UM:
        return number
    if mpp is None:
        raise UsageError(
            _("The slide has no scale, so nothing on it can be found by µm."),
            _("Give the place in px, or state the scale of the slide."),
        )
    return number * _UM[unit] / mpp


def _not_understood() -> UsageError:
    return UsageError(
        _("This is no place."),
        _("Write two numbers, like “12,345, 6,789” in px, or “3100 µm; 1700 µm @ 20×”."),
    )
