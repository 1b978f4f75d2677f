"""Read a QuPath project into a study: its pictures as slides, and its classes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path

from pathoview.annotations.dialects.qupath_project import ProjectImage, QuPathProject, read_project
from pathoview.core.errors import SlideError
from pathoview.core.privacy import hide
from pathoview.core.progress import Progress
from pathoview.core.translation import _
from pathoview.slides.finding import FoundSlide, look_at
from pathoview.study.importing import missing_classes
from pathoview.study.lock import user_name
from pathoview.study.model import SlideRecord
from pathoview.study.records import now
from pathoview.study.slide_list import seen_slide
from pathoview.study.step import RecordChange, StudyStep
from pathoview.study.study import Study
from pathoview.tasks.import_into_study import flush, open_to_write

_NAME = "QuPath name"


@dataclass(slots=True)
class ProjectImport:
    """What became of a project."""

    n_slides: int = 0
    """Added or seen again."""
    n_classes: int = 0
    skipped: list[str] = field(default_factory=list)
    """A sentence for each picture that was left out."""
    n_with_objects: int = 0
    """Pictures whose objects only QuPath can read."""


def run(project: Path, study: Path, progress: Progress) -> ProjectImport:
    """Take the pictures and classes of a project into a study, as one step.

    Pictures are found where the project says, or beside it; others are skipped. Raises
    `AnnotationFileError` when the project is damaged, `StorageError` when the study cannot be
    written, `Cancelled` when asked to stop.
    """
    said = read_project(project)
    folder = project if project.is_dir() else project.parent
    outcome = ProjectImport()
    with closing(open_to_write(study)) as opened:
        slides = list(_slides(opened, said, folder, outcome, progress))
        classes = missing_classes(opened.classes(), said.classes)
        outcome.n_classes = len(classes)
        outcome.n_slides = len(slides)
        changes = [one for one in slides if one.before != one.after]
        if changes or classes:
            name = _("Import {file}").format(file=project.name)
            step = StudyStep(
                opened.next_number(), "", name, now(), user_name(), records=(*changes, *classes)
            )
            opened.do(step)
        flush(opened)
    return outcome


def _slides(
    study: Study, said: QuPathProject, folder: Path, outcome: ProjectImport, progress: Progress
) -> Iterator[RecordChange]:
    known = {} if study.file is None else {one.key: one for one in study.file.records(SlideRecord)}
    done: set[str] = set()
    for number, image in enumerate(said.images):
        progress.check()
        progress.report(number / len(said.images), image.masked_name)
        found = _find(image, folder, outcome)
        if found is None or found.content_hash in done:
            continue
        done.add(found.content_hash)
        outcome.n_with_objects += image.has_data
        before = known.get(found.content_hash)
        yield RecordChange.of(before, _record(before, found, image))


def _find(image: ProjectImage, folder: Path, outcome: ProjectImport) -> FoundSlide | None:
    if image.path is None:
        text = _("“{name}” was left out: it lies on no disk.")
        outcome.skipped.append(text.format(name=image.name))
        return None
    places = (image.path, folder / image.path.name, folder.parent / image.path.name)
    path = next((place for place in places if place.exists()), None)
    if path is None:
        text = _("“{name}” was left out: it is not where the project says, nor beside it.")
        outcome.skipped.append(text.format(name=image.name))
        return None
    hide(path)
    try:
        return look_at(path)
    except SlideError as error:
        text = _("“{name}” was left out: {why}").format(name=image.name, why=error)
        outcome.skipped.append(text)
        return None


def _record(before: SlideRecord | None, found: FoundSlide, image: ProjectImage) -> SlideRecord:
    record = seen_slide(
        before, found.content_hash, found.pseudonym, found.path, found.size_l0, found.mpp
    )
    metadata = {**image.metadata, **record.metadata}
    if image.name and image.name != found.path.name:
        metadata.setdefault(_NAME, image.name)
    return record.model_copy(
        update={
            "metadata": metadata,
            "notes": record.notes or image.description,
            "tags": tuple(dict.fromkeys((*record.tags, *image.tags))),
        }
    )
