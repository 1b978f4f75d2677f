"""One slide while its tiles are described: blocks are read, computed and stored side by side.

A stored block is a finished one. What was stopped, in whatever way, goes on without it.
"""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from pathoview.core.errors import RunError, StorageError, UsageError
from pathoview.core.machine import usable_cores
from pathoview.core.progress import Progress
from pathoview.core.translation import _, ngettext
from pathoview.jobs.pipeline import run_pipeline
from pathoview.methods.engine.encoder_list import DEFAULT_ENCODER
from pathoview.methods.hand_features import hand_features
from pathoview.methods.library import forbids_commerce
from pathoview.slides.stain_normalisation import StainNormaliser
from pathoview.study.feature_file import FeatureFile, TileFeatures
from pathoview.study.records import now
from pathoview.tasks.analysis import useful_computers
from pathoview.tasks.feature_tiles import Block, Rgb, TileSupply
from pathoview.tasks.stopwatch import Stopwatch
from pathoview.tasks.tile_plan import Tile
from pathoview.tasks.unreadable import PatientReader

if TYPE_CHECKING:
    from pathoview.methods.engine.tile_encoder import TileEncoder

Raw = tuple[Block, list[Rgb]]
Described = tuple[Block, npt.NDArray[np.float32]]

_MOST_ON_PROCESSOR = 300
"""Tiles that an encoder which wants a GPU may describe without one: minutes become hours."""
_GPU_READERS = 8
_LARGEST = float(np.finfo(np.float16).max)
"""What the file can keep."""


class Extraction:
    """The blocks of one slide that are not described yet."""

    def __init__(
        self, tiles: TileSupply, encoder: TileEncoder, file: FeatureFile, progress: Progress
    ) -> None:
        self._tiles = tiles
        self._encoder = encoder
        self._file = file
        self._progress = progress
        self._before = file.record
        """As an earlier attempt left it."""
        stains = self._before.stains
        self._normaliser = StainNormaliser.from_json(stains) if stains else None
        self._reader = PatientReader[Tile, Raw](self._read)
        self._watch = Stopwatch(progress.check)
        self._n_before = self._n_done = file.n_tiles()

    def run(self) -> None:
        """Describe the tiles that are left."""
        progress = self._progress
        progress.report(0.0, _("Looking for tissue"))
        self._warn()
        plan = self._tiles.plan(self._file.finished_blocks())
        n_computers = useful_computers(self._encoder.device)
        n_readers = self._n_readers(n_computers)
        progress.event("started", {"n_tiles": self._tiles.n_tiles, "n_done": self._n_done})
        self._report()
        try:
            run_pipeline(
                lambda: plan.next(progress.focus_l0),
                self._reader.read,
                self._compute,
                self._finish,
                n_readers=n_readers,
                n_computers=n_computers,
                queue_size=max(n_readers, n_computers),
                check=self._watch.check,
            )
            self._reader.check()
            self._tell_unread()
        except BaseException:
            with contextlib.suppress(StorageError):  # a full disk: the first error is told
                self._file.update_record(seconds=self._seconds)
            raise
        self._file.update_record(finished=now(), seconds=self._seconds)

    def _n_readers(self, n_computers: int) -> int:
        """Return how many threads read: a few for a processor that computes, all for a GPU."""
        if self._tiles.reads_in_order:
            return 1
        if self._encoder.device != "cpu":
            return min(_GPU_READERS, usable_cores())
        return -(-n_computers // 4)

    @property
    def mp_per_s(self) -> float:
        """Megapixels a second, at the first magnification."""
        new = self._n_done - self._n_before
        return new * self._before.tile_px**2 / 1e6 / max(self._watch.seconds, 1e-6)

    @property
    def _seconds(self) -> float:
        return self._before.seconds + self._watch.seconds

    def _warn(self) -> None:
        """Tell of a licence that binds; raise `UsageError` when it would take days."""
        licence, spec = self._before.licence, self._encoder.spec
        if forbids_commerce(licence):
            words = _("The licence of {name} ({licence}) binds everything that is made with it.")
            said = {"text": words.format(name=spec.name, licence=licence)}
            self._progress.event("notice", said)
        n_tiles = self._tiles.n_tiles - self._n_done
        if spec.wants_gpu and self._encoder.device == "cpu" and n_tiles > _MOST_ON_PROCESSOR:
            raise UsageError(
                _("{name} takes seconds for each of {n} tiles without a GPU.").format(
                    name=spec.name, n=n_tiles
                ),
                _("Choose a smaller encoder, such as {name}.").format(name=DEFAULT_ENCODER),
            )

    def _tell_unread(self) -> None:
        n = self._tiles.n_unread
        if n:
            sentence = ngettext(
                "{n} frame cannot be read and is left out.",
                "{n} frames cannot be read and are left out.",
                n,
            )
            self._progress.event("notice", {"text": sentence.format(n=n)})

    def _read(self, place: Tile) -> Raw:
        return self._tiles.read_block(place, self._normaliser)

    def _compute(self, _place: Tile, raw: Raw | None) -> Described | None:
        """Return the features of a block, (n, feature); None where it could not be read."""
        if raw is None:
            return None
        block, pixels = raw
        parts = [self._described(tiles) for tiles in pixels]
        if self._before.n_hand:
            parts.append(hand_features(pixels[0]))
        features = np.concatenate(parts, axis=1)
        if not (np.abs(features) <= _LARGEST).all():
            raise RunError(
                _("The encoder did not give numbers that can be kept."),
                _("Its weights may be damaged: choose other ones."),
            )
        return block, features

    def _described(self, tiles: Rgb) -> npt.NDArray[np.float32]:
        """Return the features of tiles; a pause or a stop need not wait for all of them."""
        batch = self._encoder.batch(tiles.shape[1])
        rows = [np.empty((0, self._encoder.n_features), np.float32)]
        for start in range(0, len(tiles), batch):
            self._watch.check()
            rows.append(self._encoder.rows(tiles[start : start + batch]))
        return np.concatenate(rows)

    def _finish(self, place: Tile, made: Described | None) -> None:
        """Have a block stored, and tell of it."""
        if made is None:
            return
        block, features = made
        columns, rows = (one.astype(np.int32) for one in (block.columns, block.rows))
        self._file.add_block(
            place.col, place.row, TileFeatures(columns, rows, block.tissue, features)
        )
        self._n_done += len(block)
        core = self._tiles.core_l0(place)
        rect = [core.x, core.y, core.width, core.height]
        self._progress.event("tile", {"rect_l0": rect, "n": len(block)})
        self._report()

    def _report(self) -> None:
        n_tiles = self._tiles.n_tiles
        fraction = self._n_done / n_tiles if n_tiles else 1.0
        words = _("Describing tiles")
        self._progress.report(fraction, words, mp_per_s=self.mp_per_s, tiles=self._n_done)
