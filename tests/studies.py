"""Small studies for the tests of their upkeep."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path

import shapely

from pathoview.annotations.change import Change
from pathoview.annotations.feature import Feature
from pathoview.study.model import LabelClass, StudyInfo
from pathoview.study.step import RecordChange, StudyStep
from pathoview.study.study import Study
from pathoview.study.study_file import StudyFile

SLIDE = "5a" * 16
OTHER_SLIDE = "7b" * 16
TUMOR = LabelClass(number=1, name="Tumor", color=(200, 0, 0))
STROMA = LabelClass(number=2, name="Stroma", color=(150, 200, 150))


def square(x: float = 0, **members: object) -> Feature:
    return Feature(shapely.box(x, 0, x + 10, 10), **members)  # type: ignore[arg-type]


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Study]:
    """Open a study, or make it; all is on disk in the end."""
    study = Study(path, lambda *_told: None, info=StudyInfo(name=path.stem))
    assert not study.is_read_only
    try:
        yield study
    finally:
        assert study.close()


def draw(
    path: Path,
    *changes: Change,
    slide: str = SLIDE,
    time: str = "2026-01-01",
    records: Sequence[RecordChange] = (),
    name: str = "Draw",
) -> None:
    """Do steps in a study, made when it is not there; the records with the first."""
    with opened(path) as study:
        for change in changes:
            number = study.next_number()
            study.do(StudyStep(number, slide, name, time, "Ada", change, tuple(records)))
            records = ()


def features(path: Path, slide: str = SLIDE) -> list[Feature]:
    with StudyFile.open(path) as file:
        return file.features(slide)
