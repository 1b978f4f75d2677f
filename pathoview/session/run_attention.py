"""A run of a method for whole slides that is shown: its prediction, and its tiles as layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pathoview.core.geometry import Cell, Rect
from pathoview.layers.attention_source import TileValueSource, attention_layers, fill_layers
from pathoview.layers.layer import Layer
from pathoview.slides.slide import SlideInfo
from pathoview.study.bag_rows import BagTiles
from pathoview.study.frame_course import FrameCourse as FrameCourse
from pathoview.study.results import RunFile
from pathoview.study.slide_prediction import SlidePrediction as SlidePrediction
from pathoview.study.slide_prediction import no_tissue_text as no_tissue_text


class RunAttention:
    """Tiles of one run. `load` works in another thread, all else in the session's."""

    def __init__(self, run_file: RunFile, title: str, info: SlideInfo) -> None:
        self._file = run_file
        self._record = run_file.record
        self.layers = attention_layers(self._record, title, info.width, info.height)
        self.tiles: BagTiles | None = None
        """None: they have not come yet."""
        self.course: FrameCourse | None = None
        """What is said frame by frame; None: nothing yet, or it is of no clip."""
        self._t = 0
        """Of pictures in a row, the one that is looked at."""

    @property
    def attention_layer(self) -> Layer:
        return self.layers[0]

    # -- which map is seen -----------------------------------------------------------------------

    @property
    def class_names(self) -> Sequence[str]:
        """Those of which there is a map of evidence; none where it would cover a whole frame."""
        if self._record.picture_columns == 1:
            return []
        return [one.name for one in self._record.classes]

    @property
    def shown(self) -> str:
        """The class whose evidence is seen; empty: that of none."""
        evidence = self._evidence
        is_seen = self.layers[1].visible and self._record.classes
        return self._record.classes[evidence.style.channel].name if is_seen else ""

    def layer_of(self, class_name: str) -> Layer:
        """Return the layer of the evidence of a class, which it shows then; empty: attention."""
        if not class_name:
            return self.attention_layer
        names, evidence = [one.name for one in self._record.classes], self._evidence
        evidence.style = replace(evidence.style, channel=names.index(class_name))
        return self.layers[1]

    def show(self, class_name: str) -> None:
        """Show the evidence of a class in place of attention; empty: attention again."""
        seen = self.layer_of(class_name)
        for layer in self.layers:
            layer.visible = layer is seen

    @property
    def _evidence(self) -> TileValueSource:
        source = self.layers[1].source
        assert isinstance(source, TileValueSource)
        return source

    # -- its tiles -------------------------------------------------------------------------------

    @property
    def cell_l0(self) -> Cell:
        """A tile, level-0 px."""
        return self._record.cell_l0

    @property
    def n_tiles(self) -> int:
        return 0 if self.tiles is None else len(self.tiles)

    def load(self) -> Rect | None:
        """Read the tiles when they have come; return the rectangle around the grid.

        None: there is nothing new. Raises `StorageError`.
        """
        if self.tiles is not None:
            return None
        tiles = self._file.bag_rows().read()
        if tiles is None:
            return None
        self.tiles = tiles
        self.course = FrameCourse.of(self._record, tiles)
        n_columns, n_rows = self._record.grid_px
        return Rect(0, 0, n_columns * self.cell_l0.width, n_rows * self.cell_l0.height)

    def tell(self) -> None:
        """Have the tiles drawn that came."""
        if self.tiles is not None:
            fill_layers(self.layers, self.tiles, self._record.grid_px, self._columns)

    def look_at(self, t: int) -> None:
        """Of pictures in a row, have the tiles of another one drawn."""
        if t != self._t and self._record.picture_columns is not None:
            self._t = t
            self.tell()

    @property
    def _columns(self) -> slice:
        """The columns of tiles that lie on what is looked at."""
        n = self._record.picture_columns
        return slice(None) if n is None else slice(self._t * n, (self._t + 1) * n)
