"""What a TIFF says of itself beside its pixels: scale, channels, orientation, colour profile."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

from pathoview.slides.scale import Scale, checked_scale
from pathoview.slides.slide import Channel

_UM_PER_UNIT = {
    "pm": 1e-6, "Å": 1e-4, "nm": 1e-3, "µm": 1.0, "μm": 1.0, "um": 1.0, "micron": 1.0,
    "mm": 1e3, "cm": 1e4, "m": 1e6, "in": 25400.0, "inch": 25400.0,
}  # fmt: skip
_UM_PER_RESOLUTION_UNIT = {2: 25400.0, 3: 1e4}
_PROPERTY_TAGS = ("ImageDescription", "Software", "DateTime", "Make", "Model", "Artist")


@dataclass(frozen=True, slots=True)
class Ome:
    """One image of an OME-XML block."""

    mpp: tuple[float | None, float | None]
    channels: tuple[Channel, ...]
    objective_power: float | None


def ome_of(xml: str, index: int) -> Ome | None:
    """Return the facts of the image of that index; None when the XML cannot be understood."""
    if "<!DOCTYPE" in xml or "<!ENTITY" in xml:
        return None
    try:
        root = ElementTree.fromstring(xml)
    except ElementTree.ParseError:
        return None
    images = root.findall("{*}Image")
    if index >= len(images) or (pixels := images[index].find("{*}Pixels")) is None:
        return None
    return Ome(
        mpp=(_physical_size(pixels, "X"), _physical_size(pixels, "Y")),
        channels=tuple(
            Channel(channel.get("Name") or str(number), _color(channel.get("Color")))
            for number, channel in enumerate(pixels.findall("{*}Channel"), 1)
        ),
        objective_power=_power(root, images[index]),
    )


def _physical_size(pixels: ElementTree.Element, axis: str) -> float | None:
    factor = _UM_PER_UNIT.get(pixels.get(f"PhysicalSize{axis}Unit", "µm"))
    size = _number(pixels.get(f"PhysicalSize{axis}"))
    return size * factor if size is not None and factor is not None else None


def _color(text: str | None) -> tuple[int, int, int] | None:
    """Read OME's signed 32-bit RGBA."""
    try:
        packed = int(text or "") & 0xFFFFFFFF
    except ValueError:
        return None
    return packed >> 24, packed >> 16 & 255, packed >> 8 & 255


def _power(root: ElementTree.Element, image: ElementTree.Element) -> float | None:
    used = image.find("{*}ObjectiveSettings")
    for objective in root.iterfind("{*}Instrument/{*}Objective"):
        if used is None or objective.get("ID") == used.get("ID"):
            return _number(objective.get("NominalMagnification"))
    return None


def _number(text: str | None) -> float | None:
    try:
        number = float(text or "")
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def tag_scale(page: Any, imagej: dict[str, Any] | None = None) -> Scale:
    """Return the scale that the resolution tags of a page state."""
    um = _UM_PER_RESOLUTION_UNIT.get(int(page.tags.valueof("ResolutionUnit", 2)))
    if imagej:
        um = _UM_PER_UNIT.get(str(imagej.get("unit", "")).replace("\\u00B5", "µ"))
    per_unit = [_ratio(page.tags.valueof(name)) for name in ("XResolution", "YResolution")]
    x, y = (um / number if um and number else None for number in per_unit)
    return checked_scale(x, y, from_resolution=not imagej)


def _ratio(value: Any) -> float | None:
    if not isinstance(value, tuple) or not value[0] or not value[1]:
        return None
    return float(value[0]) / float(value[1])


def tag_properties(page: Any) -> dict[str, str]:
    """Return the texts of a page that a person may want to see."""
    found = {name: page.tags.valueof(name) for name in _PROPERTY_TAGS}
    return {f"tiff.{name}": value for name, value in found.items() if isinstance(value, str)}
