"""One object that does not fit in columns: an annotation, a cell, a shape with holes."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from pathoview.annotations.detections import DetectionClass, Detections
from pathoview.core.pyramid import Plane

OBJECT_TYPES = ("annotation", "detection", "cell", "tile", "tmaCore", "root")

Role = Literal["", "scribble", "full", "ruler", "arrow"]
"""What an annotation is drawn for, where its shape does not tell it.

``""``: what it outlines is of its class. ``scribble``: a coarse stroke inside a class.
``full``: everything that is not drawn inside it is background. ``ruler`` and ``arrow`` measure and
point: no method learns from them.
"""
ROLES: tuple[Role, ...] = get_args(Role)


@dataclass(frozen=True, slots=True)
class Feature:
    """An object on a slide; coordinates are level-0 px."""

    geometry: BaseGeometry
    """Point, LineString, Polygon, or several of one of them."""
    id: uuid.UUID = field(default_factory=uuid.uuid4)
    object_type: str = "annotation"
    """One of `OBJECT_TYPES`."""
    classification: DetectionClass | None = None
    name: str = ""
    color: tuple[int, int, int] | None = None
    """The object's own colour; None: that of its class."""
    is_locked: bool = False
    is_ellipse: bool = False
    is_missing: bool = False
    """A core of a tissue microarray that is not there."""
    plane: Plane = Plane()
    nucleus: BaseGeometry | None = None
    """The nucleus of a cell."""
    measurements: Mapping[str, float] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    parent_id: uuid.UUID | None = None
    """The object that holds this one, if somebody said so."""
    role: Role = ""
    is_hidden: bool = False
    is_uncertain: bool = False
    """Whoever labelled it is not sure."""
    is_disputed: bool = False
    """Somebody else disagrees."""
    author: str = ""
    created: str = ""
    changed: str = ""
    """ISO times in UTC; empty: not known."""
    origin: str = ""
    """Where it was copied from: ``run/<id of the run>/<id of the object>``, or a file's kind.

    Several objects of a run are parted by ``+``, several runs by ``;``; see `annotations.origin`.
    """

    def moved(self, dx_l0: float, dy_l0: float) -> Feature:
        """Return the feature moved by level-0 px."""
        geometry, nucleus = (
            shapely.transform(shape, lambda xy: xy + np.array([dx_l0, dy_l0]))
            for shape in (self.geometry, self.nucleus)
        )
        return replace(self, geometry=geometry, nucleus=nucleus)


def feature_at(table: Detections, row: int) -> Feature:
    """Return one detection of a table as an object of its own."""
    class_index = int(table.class_index[row])
    # The shortest decimals that mean the same float32: 0.1, not 0.10000000149.
    numbers = {name: float(str(column[row])) for name, column in table.measurements.items()}
    return Feature(
        geometry=shapely.Polygon(table.ring_l0(row)),
        id=table.uuid(row),
        object_type="detection",
        classification=table.classes[class_index] if class_index >= 0 else None,
        measurements=numbers,
    )
