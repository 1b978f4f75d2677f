"""The tiles that a whole slide was predicted from, as shapes: squares, and outlines of high values.

Outlines follow the edges of tiles exactly: nothing is known between the middles of two tiles.
"""

from __future__ import annotations

import math
import uuid
from collections.abc import Iterator, Mapping

import numpy as np
import numpy.typing as npt
import shapely

from pathoview.annotations.detections import SUBPIXEL, DetectionClass, Detections
from pathoview.annotations.feature import Feature
from pathoview.core.errors import UsageError
from pathoview.core.translation import _
from pathoview.layers.colormaps import DEFAULT, colors_of
from pathoview.study.bag_rows import BagTiles
from pathoview.study.map_params import AttentionParams
from pathoview.study.records import RunRecord
from pathoview.study.results import RunFile
from pathoview.tasks.object_ids import id_namespace, object_ids
from pathoview.tasks.vectorise import canonical, tile_areas

ATTENTION, ATTENTION_RANK = "attention", "attention rank"
"""Measurements of a tile: its multiple of the average, and the share of tiles with at most it."""
EVIDENCE = "evidence "
"""Begins the name of the measurement of each class."""
_CORNERS = np.array([(0, 0), (1, 0), (1, 1), (0, 1)])


def tile_values(record: RunRecord, tiles: BagTiles) -> Mapping[str, npt.NDArray[np.float32]]:
    """Return all that is said of tiles, (tile,), by the name of a measurement."""
    evidence = {
        EVIDENCE + one.name: tiles.evidence[:, number] for number, one in enumerate(record.classes)
    }
    ranks = tiles.attention_ranks
    return {ATTENTION: tiles.relative_attention, ATTENTION_RANK: ranks, **evidence}


def check_is_of_slide(record: RunRecord) -> None:
    """Raise `UsageError` for tiles of frames or pictures in a row: no picture has them all."""
    if record.picture_columns is not None:
        raise UsageError(
            _("Frames have no places on a slide that could be written."),
            _("What was predicted and the frames that counted most are told by apply --json."),
        )


def tile_um(record: RunRecord) -> tuple[float, float]:
    """Return width and height of a tile, µm; 0 where the slide's scale is not known."""
    x_um, y_um = record.slide_mpp or (0.0, 0.0)
    return record.cell_l0.width * x_um, record.cell_l0.height * y_um


def tile_squares(record: RunRecord, tiles: BagTiles) -> Detections:
    """Return the tiles as rectangles without a class, with their measurements.

    Raises `UsageError` for a clip.
    """
    check_is_of_slide(record)
    places = np.stack([tiles.columns, tiles.rows], axis=1).astype(np.int64)
    corners_l0 = (places[:, None] + _CORNERS) * np.array(record.cell_l0)
    middles_l0 = (places + 0.5) * np.array(record.cell_l0)
    return Detections(
        points=np.rint(corners_l0 * SUBPIXEL).astype(np.int32).reshape(-1, 2),
        offsets=np.arange(len(tiles) + 1, dtype=np.int64) * len(_CORNERS),
        ids=object_ids(id_namespace(record.slide_hash, record.key), middles_l0),
        class_index=np.full(len(tiles), -1, np.int16),
        classes=(),
        measurements=tile_values(record, tiles),
    )


def tile_regions(run_file: RunFile, params: AttentionParams) -> Iterator[Feature]:
    """Yield where tiles have at least each threshold, level-0 px, as annotations.

    Raises `UsageError` for a class that is not told and for a clip, and `StorageError`.
    """
    record, tiles = run_file.record, run_file.bag_rows().read()
    check_is_of_slide(record)
    name = EVIDENCE + params.contours_of if params.contours_of else ATTENTION
    known = [EVIDENCE + one.name for one in record.classes]
    if name not in (ATTENTION, *known):
        raise UsageError(
            _("The model does not tell a class “{name}”.").format(name=params.contours_of),
            _("There are: {names}.").format(names=", ".join(one.name for one in record.classes)),
        )
    if tiles is None or not len(tiles):
        return
    values = tile_values(record, tiles)[name]
    for threshold in params.thresholds:
        yield from _outlined(record, tiles, values, name, threshold)


def _outlined(
    record: RunRecord,
    tiles: BagTiles,
    values: npt.NDArray[np.float32],
    name: str,
    threshold: float,
) -> Iterator[Feature]:
    is_high = tiles.image(values, record.grid_px) >= np.float32(threshold)  # NaN: it is not
    title = f"{name} ≥ {threshold:g}"
    kind = _class_of(record, name, threshold, float(values.max()))
    namespace = id_namespace(record.slide_hash, record.key)
    tile_um2 = math.prod(tile_um(record))
    for area in tile_areas(is_high, np.zeros(2, np.int64)):
        exact = canonical(area)
        x, y = shapely.get_coordinates(exact)[0].astype(int)
        yield Feature(
            shapely.transform(exact, lambda xy: xy * np.array(record.cell_l0)),
            id=uuid.uuid5(namespace, f"{title}/{x},{y}"),
            classification=kind,
            name=title,
            measurements={"Area µm²": round(exact.area * tile_um2, 2), "Tiles": exact.area},
            origin=f"run/{record.id}",
        )


def _class_of(record: RunRecord, name: str, threshold: float, highest: float) -> DetectionClass:
    """Return the class of an outline: that which evidence is of; attention has classes of its own.

    Attention tells nothing of what a tile shows, so its outlines have no class of the model's.
    """
    for one in record.classes:
        if name == EVIDENCE + one.name:
            return one
    colors = colors_of(DEFAULT)
    share = min(1.0, threshold / max(highest, 1e-9))
    red, green, blue = colors[round(share * (len(colors) - 1))].tolist()
    return DetectionClass(f"{_('Attention')} ≥ {threshold:g}", (red, green, blue))
