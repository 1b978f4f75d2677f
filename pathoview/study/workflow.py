"""What was done to a slide as command lines that do it again, on another slide.

A step that can be repeated carries a ``command``: ``verb`` and ``what`` are the words after
``pathoview``, ``file`` is the file it works with, every other key is an option of that name.
Strokes and points belong to their slide: they are not repeated, only counted.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from pathoview.core.translation import _, ngettext
from pathoview.study.records import RunRecord
from pathoview.study.step import StudyStep
from pathoview.study.study_file import StudyFile

_SLIDE = '"$SLIDE"'
_WORDS = ("verb", "what")
_OF_THIS_SLIDE = frozenset({"id", "ids"})
"""Options that name objects of one slide."""


def workflow_script(
    steps: Sequence[StudyStep], runs: Sequence[RunRecord], *, study: bool = False
) -> str:
    """Return a script for ``sh`` with one line for everything that can be repeated, oldest first.

    ``steps`` are those that hold, with their commands; ``runs`` those of the slide. ``study``: the
    lines name a study, the script's second argument.
    """
    head = ["#!/bin/sh", f"# {_('Usage')}: sh workflow.sh SLIDE" + (" STUDY" if study else "")]
    head += ["set -e", "SLIDE=$1"] + (["STUDY=$2"] if study else [])
    timed = [(step.time, _step_line(step, study)) for step in steps]
    timed += [(run.started, _run_line(run)) for run in runs if run.kind == "analysis"]
    lines = [line for _time, line in sorted(timed, key=lambda one: one[0])]
    return "\n".join([*head, *_with_counts(lines)]) + "\n"


def kept_workflow(file: StudyFile, slide_hash: str, runs: Sequence[RunRecord]) -> str:
    """Return the script of a slide as its study keeps it; raises `StorageError`."""
    held = [file.step(one.number) for one in file.steps(slide_hash) if not one.is_undone]
    return workflow_script(held, runs, study=not file.info.is_private)


def _with_counts(lines: Iterable[str | None]) -> Iterator[str]:
    n_by_hand = 0
    for line in [*lines, ""]:
        if line is None:
            n_by_hand += 1
            continue
        if n_by_hand:
            yield "# " + ngettext(
                "{n} step was done by hand and belongs to its slide",
                "{n} steps were done by hand and belong to their slide",
                n_by_hand,
            ).format(n=n_by_hand)
            n_by_hand = 0
        if line:
            yield line


def _step_line(step: StudyStep, study: bool) -> str | None:
    command = step.command
    if not command or _OF_THIS_SLIDE & command.keys():
        return None
    words = ["pathoview", *(str(command[key]) for key in _WORDS if key in command)]
    if "file" in command:
        words.append(shlex.quote(str(command["file"])))
    options = {key: value for key, value in command.items() if key not in (*_WORDS, "file")}
    words += [_SLIDE, *_options(options)]
    return " ".join(words + (['--study "$STUDY"'] if study else []))


def _run_line(run: RunRecord) -> str:
    words = ["pathoview", "analyze", _SLIDE, "--method", shlex.quote(run.method)]
    if run.region_l0 is not None:
        words += ["--region", ",".join(map(str, run.region_l0))]
    for name, value in run.params.items():
        words += ["--param", shlex.quote(f"{name}={value}")]
    return " ".join(words)


def _options(options: Mapping[str, Any]) -> Iterator[str]:
    for key, value in options.items():
        name = "--" + key.replace("_", "-")
        if value is True:
            yield name
        elif isinstance(value, list | tuple):
            yield from (f"{name} {shlex.quote(str(one))}" for one in value)
        elif value is not None and value is not False:
            yield f"{name} {shlex.quote(str(value))}"
