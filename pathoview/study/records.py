"""What is remembered of a run: everything needed to repeat it, and what came out."""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Literal

import orjson
from pydantic import BaseModel, ConfigDict, Field

from pathoview.annotations.detections import DetectionClass
from pathoview.core.geometry import Cell

RunState = Literal["running", "done", "cancelled", "failed"]


def now() -> str:
    """Return the time as ISO text in UTC, to the second."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def moment() -> str:
    """Return the time as ISO text in UTC, to the millisecond: runs are sorted by it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


PICTURES_KEY = "n_pictures"
"""Under which the context of a bag's run says how many frames or pictures in a row there are."""


class RunRecord(BaseModel):
    """The record of one run, frozen; members that a newer version added are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = Field(default_factory=lambda: uuid.uuid4().hex)
    key: str
    """Equal for runs that would give the same objects; see `run_key`."""
    kind: Literal["analysis", "import", "preview"] = "analysis"
    gives: Literal["instance", "pixel", "object", "bag", "synthesis"] = "instance"
    """What kind of method made it, and so what is in the file; see `methods.spec.Kind`."""
    classes: tuple[DetectionClass, ...] = ()
    """Of a map: what its planes stand for, in their order; of a bag: what was told apart; of a
    synthesis: what its pathology is called."""
    probabilities: tuple[float, ...] = ()
    """Of a finished bag: of the slide as a whole, in the order of `classes`."""
    class_areas_mm2: tuple[float, ...] = ()
    """Of a finished map: where each class is the likeliest, in the order of `classes`."""
    pathology_mm2: float = 0.0
    """Of a finished synthesis: where pathology is likelier than not."""
    grid_px: tuple[int, int] = (0, 0)
    """Of a map: width and height of the whole slide at `mpp`; of a bag: in tiles."""
    scale_l0: float = 1.0
    """Of a map: level-0 px a px of it; of a bag: width of a tile, level-0 px."""
    height_l0: float = 0.0
    """Of a bag: height of a tile; 0: it is a square."""
    method: str
    method_version: int = 1
    title: str
    params: dict[str, Any] = Field(default_factory=dict)
    model: str = ""
    """Id of the model it was made with; empty: the method takes none."""
    model_title: str = ""
    model_path: str = ""
    """Where its file lay; empty: it came with the program."""
    numerics: str = ""
    """The numeric path of a torch method; empty: the method uses none."""
    source_run: str = ""
    """Id of the run whose objects were told apart; empty: it found its objects itself."""
    context: dict[str, Any] = Field(default_factory=dict)
    """What the method measured once on the whole slide."""
    slide_hash: str
    pseudonym: str
    region_l0: tuple[int, int, int, int] | None = None
    """x, y, width, height; None: the whole slide."""
    mpp: float | None = None
    """True µm per px of the analysis; None for an import without a scale."""
    slide_mpp: tuple[float, float] | None = None
    """µm per level-0 px (x, y)."""
    slide_mpp_source: Literal["file", "user"] = "file"
    bounds_offset_l0: tuple[int, int] = (0, 0)
    """Origin of the vendor's bounds, subtracted on export."""
    tile_px: int = 0
    """Side of a tile's core at the analysis resolution; 0 for an import."""
    seed: int = 0
    device: str = "cpu"
    versions: dict[str, str] = Field(default_factory=dict)
    started: str = Field(default_factory=moment)
    finished: str = ""
    """ISO times in UTC; `finished` is empty while the run has not ended."""
    state: RunState = "running"
    n_objects: int = 0
    n_annotations: int = 0
    """How many of them are annotations that wait to be taken into a study."""
    area_mm2: float = 0.0
    """Tissue analysed; 0 for an import."""
    seconds: float = 0.0

    @property
    def has_objects(self) -> bool:
        """Whether it is of a kind that finds objects; others map areas or tiles."""
        return self.gives in ("instance", "object")

    @property
    def cell_l0(self) -> Cell:
        """Of a bag: a tile."""
        return Cell(self.scale_l0, self.height_l0 or self.scale_l0)

    @property
    def is_of_whole(self) -> bool:
        """Of a bag: whether its tiles are patches spread over a whole picture."""
        return bool(self.context.get("encoder", {}).get("of_whole"))

    @property
    def picture_columns(self) -> int | None:
        """Of a bag of frames or pictures in a row: columns of tiles in each; None: of a slide."""
        n_pictures = self.context.get(PICTURES_KEY)
        return None if n_pictures is None else max(1, self.grid_px[0] // int(n_pictures))

    def picture_of(self, column: int) -> tuple[int, int]:
        """Return which frame or picture a column of tiles is in, and which of its columns it is."""
        n_columns = self.picture_columns
        return (0, column) if n_columns is None else divmod(column, n_columns)

    @property
    def is_only_annotations(self) -> bool:
        """Whether nothing will be left when a study has taken its annotations."""
        return 0 < self.n_annotations == self.n_objects


def run_key(
    slide_hash: str,
    method: str,
    method_version: int,
    params: Mapping[str, Any],
    region_l0: tuple[int, int, int, int] | None,
    mpp: float | None,
    model: str = "",
) -> str:
    """Return a hexadecimal key, equal for runs that would give the same objects."""
    said = [slide_hash, method, method_version, dict(params), region_l0, mpp]
    if model:
        said.append(model)
    text = orjson.dumps(said, option=orjson.OPT_SORT_KEYS)
    return hashlib.sha256(text).hexdigest()[:32]
