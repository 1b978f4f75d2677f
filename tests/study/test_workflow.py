"""The history as command lines."""

from __future__ import annotations

from pathlib import Path

from pathoview.study.model import StudyInfo
from pathoview.study.records import RunRecord
from pathoview.study.step import StudyStep
from pathoview.study.study import Study
from pathoview.study.workflow import kept_workflow, workflow_script

SLIDE = "5a" * 16


def step(number: int, time: str, **command: object) -> StudyStep:
    return StudyStep(number, SLIDE, "Step", time, "Ada", command=command)


RUN = RunRecord(
    key="k",
    method="nuclei_watershed",
    title="Nuclei",
    params={"threshold": 1.5, "stain": "H&E estimated"},
    slide_hash=SLIDE,
    pseudonym="p",
    region_l0=(1, 2, 3, 4),
    started="2026-01-02",
)


def lines(script: str) -> list[str]:
    head, body = script.splitlines()[:4], script.splitlines()[4:]
    assert head[0] == "#!/bin/sh"
    assert "SLIDE=$1" in head
    return body


def test_what_can_be_repeated_is_a_line_in_the_order_in_which_it_was_done() -> None:
    steps = [
        step(1, "2026-01-01", verb="annotate", what="tissue", to="Region*"),
        step(2, "2026-01-03", verb="annotate", what="expand", um=5.0, **{"class": ["A b", "C"]}),
        step(3, "2026-01-04", verb="import", file="my labels.xml"),
        step(4, "2026-01-05", verb="annotate", what="lock", all=True, none=False),
    ]
    assert lines(workflow_script(steps, [RUN])) == [
        "pathoview annotate tissue \"$SLIDE\" --to 'Region*'",
        'pathoview analyze "$SLIDE" --method nuclei_watershed --region 1,2,3,4'
        " --param threshold=1.5 --param 'stain=H&E estimated'",
        "pathoview annotate expand \"$SLIDE\" --um 5.0 --class 'A b' --class C",
        "pathoview import 'my labels.xml' \"$SLIDE\"",
        'pathoview annotate lock "$SLIDE" --all',
    ]


def test_what_belongs_to_its_slide_is_counted() -> None:
    steps = [
        step(1, "1"),
        step(2, "2", verb="annotate", what="fill-holes", id=["1"]),
        step(3, "3", verb="annotate", what="tissue"),
        step(4, "4"),
    ]
    assert lines(workflow_script(steps, [])) == [
        "# 2 steps were done by hand and belong to their slide",
        'pathoview annotate tissue "$SLIDE"',
        "# 1 step was done by hand and belongs to its slide",
    ]


def test_the_steps_that_a_study_keeps_and_that_hold_are_repeated(tmp_path: Path) -> None:
    study = Study(tmp_path / "s.pathoview", lambda *_: None, info=StudyInfo())
    for number in (1, 2):
        study.do(step(number, str(number), verb="annotate", what="tissue", um=number))
    study.undo(2)
    assert study.writer.flush(10)
    assert study.file is not None
    script = kept_workflow(study.file, SLIDE, [])
    assert script.splitlines()[4:] == [
        "STUDY=$2",
        'pathoview annotate tissue "$SLIDE" --um 1 --study "$STUDY"',
    ]
    study.close()
