"""The slides of a study whose tiles are described alike, so that tiles can be compared."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from pathoview.core.errors import InputError, StorageError
from pathoview.core.geometry import Cell
from pathoview.core.progress import Progress
from pathoview.core.translation import _
from pathoview.datasets.bags import EncoderUsed
from pathoview.slides.opening import open_slide
from pathoview.study.feature_file import Description, FeatureFile, TileFeatures, newest_features
from pathoview.study.model import SlideRecord
from pathoview.study.study_file import StudyFile

log = logging.getLogger(__name__)


class DescribedRequest(BaseModel):
    """Whose tiles are wanted: of one slide, and of the others of its study."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slide: str
    study: str = ""
    """Empty: no other slides."""
    encoder: EncoderUsed | None = None
    """What described the tiles; None: what described those of the slide last."""


@dataclass(frozen=True, slots=True)
class DescribedSlide:
    """A slide whose tiles are described."""

    slide_hash: str
    pseudonym: str
    path: Path
    """Of the features."""
    cell_l0: Cell
    n_columns: int
    """Of the grid of its tiles."""

    def read(self) -> TileFeatures:
        """Return its tiles; raises `StorageError`."""
        with FeatureFile.open(self.path) as file:
            return file.read()


@dataclass(frozen=True, slots=True)
class DescribedSlides:
    """All that can be compared, the slide that was asked for first."""

    slides: Sequence[DescribedSlide]
    encoder: str
    n_without: int
    """How many slides of the study are not described so."""

    def tiles(self, progress: Progress) -> Iterator[tuple[DescribedSlide, TileFeatures]]:
        """Yield slide by slide, so that one is in memory at a time; damaged ones are left out.

        Raises `StorageError` when it is the first one that is damaged, and `Cancelled`.
        """
        for number, one in enumerate(self.slides):
            progress.check()
            progress.report(number / len(self.slides))
            try:
                yield one, one.read()
            except StorageError as error:
                if not number:
                    raise
                log.warning("left out a slide: %s", error)


def described_slides(wanted: DescribedRequest) -> DescribedSlides:
    """Return what there is; raise `InputError` when the slide itself is not described."""
    with open_slide(Path(wanted.slide)) as slide:
        key, pseudonym = slide.content_hash, slide.pseudonym
    description = None if wanted.encoder is None else description_of(wanted.encoder)
    own = _found(key, pseudonym, description)
    if own is None:
        raise InputError(
            _("The tiles of this slide are not described yet."),
            _("Apply a model for whole slides first, or run “pathoview features”."),
        )
    first, description = own
    records: list[SlideRecord] = []
    if wanted.study:
        with StudyFile.open(Path(wanted.study)) as file:
            records = [one for one in file.records(SlideRecord) if one.slide_hash != key]
    records.sort(key=lambda one: one.pseudonym)
    found = [_found(one.slide_hash, one.pseudonym, description) for one in records]
    others = [one[0] for one in found if one is not None]
    return DescribedSlides([first, *others], description[0], len(records) - len(others))


def description_of(used: EncoderUsed) -> Description:
    """Return what files of features say of an encoder."""
    said = used.name, used.weights, used.mpp, used.tile_px, used.normalisation
    return *said, used.n_hand


def _found(
    slide_hash: str, pseudonym: str, description: Description | None
) -> tuple[DescribedSlide, Description] | None:
    """Return the newest features of a slide that were described so (None: in whatever way)."""
    found = newest_features(slide_hash, description)
    if found is None:
        return None
    path, record = found
    said = DescribedSlide(slide_hash, pseudonym, path, record.cell_l0, record.n_columns)
    return said, record.description
