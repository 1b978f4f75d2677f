"""Small pictures: of all that a layer has, or of one place."""

from __future__ import annotations

import cv2
import numpy as np

from pathoview.core.geometry import Rect
from pathoview.core.pyramid import Plane
from pathoview.layers.compose import Shown, draw_layers, source_picture, whole_tiles
from pathoview.layers.frame import Frame
from pathoview.layers.source import Rgba, TileSource


def thumbnail(source: TileSource, side_px: int, plane: Plane = Plane()) -> Rgba:
    """Return a whole source, transparent where it has nothing; its longer side is ``side_px``.

    Raises `SlideError` when a tile cannot be read.
    """
    whole_l0 = Rect(0, 0, source.pyramid.width_l0, source.pyramid.height_l0)
    scale = side_px / max(whole_l0.width, whole_l0.height)
    width, height = (max(1, round(scale * side)) for side in (whole_l0.width, whole_l0.height))
    level = source.pyramid.levels[source.pyramid.level_for(1 / scale)]
    picture = source_picture(source, whole_l0, level.width, level.height, plane)
    # thin lines are averaged, not missed
    return np.asarray(cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA), np.uint8)


def place_thumbnail(source: TileSource, frame: Frame, plane: Plane = Plane()) -> Rgba:
    """Return what a frame shows of a source, on white. Raises `SlideError`."""
    picture = np.full((frame.height, frame.width, 4), 255, np.uint8)
    draw_layers(picture, (Shown(source, plane),), frame.to_px, whole_tiles)
    return picture
