"""Read an annotation file into a study without a window: one step of its history."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from pathoview.core.progress import Progress
from pathoview.core.translation import _
from pathoview.slides.slide import Slide
from pathoview.study.importing import Intake, import_command, intake
from pathoview.study.lock import user_name
from pathoview.study.model import SlideRecord, StudyInfo
from pathoview.study.records import now
from pathoview.study.results import RunFile, remove_run
from pathoview.study.slide_list import seen_slide
from pathoview.study.step import StudyStep
from pathoview.study.study import Study, private_path
from pathoview.tasks import import_file
from pathoview.tasks.opening import open_scaled

_PATIENCE_S = 300.0


def run(request: Mapping[str, Any], study: Path | None, progress: Progress) -> dict[str, Any]:
    """Read a file as `import_file.run` does, and take its annotations into a study.

    ``study``: made where there is none; None: the private one of the slide. Returns what
    `import_file.run` does, with the number of annotations that were there already as ``n_known``;
    ``run_file`` is empty when nothing else was in the file. Raises `StorageError` when the study is
    only read or cannot be written; nothing of the annotations is kept then.
    """
    with (
        open_scaled(Path(request["slide"]), request.get("mpp")) as slide,
        closing(open_to_write(study, slide.content_hash)) as opened,
    ):
        result = import_file.run(request, progress)
        path = Path(result["run_file"])
        try:
            taken = _take(opened, slide, path, request)
        except BaseException:
            remove_run(path)
            raise
    has_more = bool(result["n_objects"] or result["n_features"])
    if not has_more:
        remove_run(path)
    n_new = len(taken.change.after)
    more = {"n_annotations": n_new, "n_known": taken.n_known, "study": str(opened.path)}
    return {**result, **more, "run_file": str(path) if has_more else ""}


def open_to_write(path: Path | None, slide_hash: str = "") -> Study:
    """Open a study, or make it; raise `StorageError` when it is only read.

    ``path`` None: the private study of a slide.
    """
    info = StudyInfo(is_private=True) if path is None else StudyInfo(name=path.stem)
    study = Study(path or private_path(slide_hash), lambda *_told: None, info=info)
    try:
        study.check_writable()
    except BaseException:
        study.close()
        raise
    return study


def flush(study: Study) -> None:
    """Have everything on disk; raise `StorageError` when that cannot be done."""
    if not study.writer.flush(_PATIENCE_S) and study.writer.error is not None:
        raise study.writer.error


def _take(study: Study, slide: Slide, path: Path, request: Mapping[str, Any]) -> Intake:
    """Do the step, and forget the annotations in the run's file once they are on disk."""
    with RunFile.open(path, writable=True) as run_file:
        features = run_file.annotations()
        there = () if study.file is None else study.file.features(slide.content_hash)
        known = {one.id: one for one in there}
        taken = intake(features, known.get, study.classes())
        if not study.info.is_private:
            note_slide(study, slide)
        if taken.change or taken.records:
            step = StudyStep(
                study.next_number(),
                slide.content_hash,
                _("Import {file}").format(file=Path(request["file"]).name),
                *(now(), user_name()),
                change=taken.change,
                records=taken.records,
                command=import_command(request),
            )
            study.do(step)
        flush(study)
        run_file.remove_annotations()
    return taken


def note_slide(study: Study, slide: Slide) -> None:
    """Have a study know a slide, and where it lies now."""
    known = None if study.file is None else study.file.record(SlideRecord, slide.content_hash)
    size_l0 = slide.info.width, slide.info.height
    record = seen_slide(
        known, slide.content_hash, slide.pseudonym, slide.path, size_l0, slide.info.mpp
    )
    if record != known:
        study.put(record)
