"""Shapes as lines to be drawn over the picture."""

from __future__ import annotations

import shapely

from pathoview.session.tools.tool import Outline


def outlines_of(shape: shapely.Geometry, *, is_filled: bool = False) -> tuple[Outline, ...]:
    """Return the rings and lines of a shape; points are left out."""
    lines = []
    for part in shapely.get_parts(shape):
        if isinstance(part, shapely.Polygon):
            rings = shapely.get_rings(part)
            lines += [
                Outline(shapely.get_coordinates(ring)[:-1], is_closed=True, is_filled=is_filled)
                for ring in rings
            ]
        elif isinstance(part, shapely.LineString):
            lines.append(Outline(shapely.get_coordinates(part)))
    return tuple(lines)
