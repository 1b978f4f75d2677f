"""Killed at any moment: what was reported to be on disk is there, and no half gesture."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from kill_driver import digest

from pathoview.study.study_file import StudyFile

_DRIVER = Path(__file__).with_name("kill_driver.py")
_N_GESTURES = 500


class Life:
    """What one driver said until it was killed."""

    def __init__(self, slide: Path, study: Path, seed: int, n_reports: int) -> None:
        self.states: list[str] = []
        """Digests of the annotations: as they were read, and after each gesture."""
        self.n_saved = 0
        """How many of the states had been on disk, at least."""
        arguments = [sys.executable, _DRIVER, slide, study, str(seed), str(_N_GESTURES)]
        offscreen = {**os.environ, "QT_QPA_PLATFORM": "offscreen"}
        with subprocess.Popen(
            arguments, stdout=subprocess.PIPE, text=True, env=offscreen
        ) as driver:
            assert driver.stdout is not None
            for line in driver.stdout:
                self._hear(line)
                n_reports -= bool(self.states) and line.startswith("saved")
                if n_reports <= 0:
                    driver.kill()
                    break
            for line in driver.stdout:
                self._hear(line)
        assert n_reports <= 0, "the writer stood still"

    def _hear(self, line: str) -> None:
        word, _space, what = line.strip().partition(" ")
        if word == "state":
            self.states.append(what)
        elif word == "saved":
            self.n_saved = max(self.n_saved, int(what))


def check(study: Path, life: Life, before: str) -> str:
    """Look at what is on disk; return its digest."""
    with StudyFile.open(study) as file:
        assert file.check() == []
        (slide_hash,) = file.count_annotations() or [""]
        found = digest(file.features(slide_hash))
        kept = [step for step in file.steps(slide_hash) if not step.is_undone]
        assert [step.number for step in kept] == sorted(step.number for step in kept)
    assert life.states[0] == before, "what was on disk has been read"
    assert found in life.states, "half a gesture"
    assert found in life.states[max(life.n_saved - 1, 0) :], "a gesture is lost"
    return found


def kill_often(slide: Path, folder: Path, n_kills: int) -> None:
    study, moments = folder / "killed.pathoview", random.Random(7)
    before = digest([])
    for seed in range(n_kills):
        life = Life(slide, study, seed, moments.randint(1, 120))
        before = check(study, life, before)


def test_three_kills_lose_nothing(slide_path: Path, tmp_path: Path) -> None:
    kill_often(slide_path, tmp_path, 3)


@pytest.mark.slow
def test_fifty_kills_lose_nothing(slide_path: Path, tmp_path: Path) -> None:
    kill_often(slide_path, tmp_path, 50)
