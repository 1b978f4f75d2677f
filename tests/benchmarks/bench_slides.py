"""A study of ten thousand slides: listed, searched, altered, taken back.

``pytest tests/benchmarks/bench_slides.py -s`` prints the times.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pathoview.session.session import Session
from pathoview.session.settings import Settings
from pathoview.study.model import SlideRecord
from pathoview.study.step import RecordChange

N_SLIDES = 10_000


def test_a_study_of_many_slides(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATHOVIEW_HOME", str(tmp_path))
    session = Session(lambda call: call(), Settings())
    session.study_files.create(tmp_path / "many.pathoview")
    slides = [
        SlideRecord(slide_hash=f"{n:032x}", path=f"/data/slide {n}.svs", pseudonym=f"slide-{n}")
        for n in range(N_SLIDES)
    ]
    session.studies.put([RecordChange.of(None, slide) for slide in slides], "Add")
    keys = [slide.slide_hash for slide in slides]
    tasks: dict[str, Callable[[], object]] = {
        "list": lambda: session.slides.rows,
        "search": lambda: session.slides.found("9999"),
        "say the stain of all": lambda: session.slides.editing.set_stain(keys, "PAS"),
        "undo of that": session.undo,
    }
    print()
    for name, task in tasks.items():
        start = time.perf_counter()
        task()
        print(f"{name:<30}{time.perf_counter() - start:>8.3f} s")
    session.close()
