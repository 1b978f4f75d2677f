"""Looking a study over as it lies on disk."""

from __future__ import annotations

from pathlib import Path

from pathoview.study.problems import Problem as Problem
from pathoview.study.study_file import StudyFile


def check_study(path: Path) -> list[Problem]:
    """Return what is wrong with a study, none: it is sound; somebody may have it open.

    Raises `StorageError` when it cannot be opened at all.
    """
    with StudyFile.open(path) as file:
        return file.check()
