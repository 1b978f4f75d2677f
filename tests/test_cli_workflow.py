"""``pathoview workflow`` prints what was done to a slide."""

from __future__ import annotations

from pathlib import Path

import pytest
from makers import make_svs
from typer.testing import CliRunner

from pathoview.cli import app
from pathoview.slides.opening import open_slide
from pathoview.study.model import StudyInfo
from pathoview.study.step import StudyStep
from pathoview.study.study import Study


@pytest.mark.parametrize("has_study", [False, True])
def test_the_steps_of_a_study_and_nothing_without_one(tmp_path: Path, has_study: bool) -> None:
    slide, path = make_svs(tmp_path / "a.svs"), tmp_path / "s.pathoview"
    arguments = ["workflow", str(slide)]
    if has_study:
        with open_slide(slide) as opened:
            slide_hash = opened.content_hash
        study = Study(path, lambda *_: None, info=StudyInfo())
        command = {"verb": "annotate", "what": "tissue"}
        study.do(StudyStep(1, slide_hash, "Tissue", "2026", command=command))
        assert study.close()
        arguments += ["--study", str(path)]
    done = CliRunner().invoke(app, arguments)
    assert done.exit_code == 0
    assert done.stdout.startswith("#!/bin/sh\n")
    assert ("pathoview annotate tissue" in done.stdout) == has_study
