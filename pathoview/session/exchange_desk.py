"""Annotations that come in from files and go out to files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from psygnal import Signal

from pathoview.annotations.dialects.frame import SlideFrame
from pathoview.core.errors import PathoViewError
from pathoview.core.translation import _, ngettext
from pathoview.jobs.runner import Job, JobState
from pathoview.session import orders
from pathoview.session.notices import Notice, from_error
from pathoview.session.run_desk import RunDesk
from pathoview.session.settings import ExportSettings
from pathoview.session.slide_book import SlideBook
from pathoview.session.slide_report_desk import SlideReportDesk
from pathoview.slides.slide import Slide
from pathoview.study.importing import Intake, import_command, intake
from pathoview.study.map_params import PATHOLOGY_TABLE
from pathoview.study.map_params import RUN_FORMATS as RUN_FORMATS
from pathoview.study.map_params import MapFormat as MapFormat
from pathoview.study.map_params import area_params as area_params
from pathoview.study.model import LabelClass, SlideRecord
from pathoview.study.records import RunRecord
from pathoview.study.results import RunFile, remove_run
from pathoview.study.study import Study
from pathoview.study.tile_params import TileParams as TileParams

if TYPE_CHECKING:
    from pathoview.annotations.dialects.formats import Dialect
    from pathoview.session.session import Session

_PATIENCE_S = 60.0


@dataclass(frozen=True, slots=True)
class ImportQuestion:
    """What must be asked before a file can be read."""

    path: Path
    dialect: Dialect
    names: Mapping[str, Sequence[str]]
    """Members of `ImportParams`, with what can be chosen; an empty one: whatever it allows."""


@dataclass(frozen=True, slots=True)
class _Arrival:
    """Annotations that wait in a result file until the study of their slide can take them."""

    path: Path
    slide_hash: str
    title: str
    step: str
    """Its name in the history."""
    command: Mapping[str, Any]

    @classmethod
    def of_job(cls, path: Path, slide_hash: str, job: Job) -> Self:
        if job.request.task == orders.REGIONS:
            return cls(path, slide_hash, job.request.title, job.request.title, {})
        payload = job.request.payload
        title = Path(str(payload["file"])).name
        return cls(path, slide_hash, title, _import_step(title), import_command(payload))


def _import_step(title: str) -> str:
    return _("Import {file}").format(file=title)


@dataclass(frozen=True, slots=True)
class _Weighed:
    """What is to be done with annotations, and what that rests on."""

    taken: Intake
    classes: Sequence[LabelClass]


class ExchangeDesk:
    """Imports and exports for the open slide. All methods are called on the session's thread."""

    options_needed = Signal(object)
    """(ImportQuestion); answer by `import_as`."""

    def __init__(self, session: Session, runs: RunDesk) -> None:
        self._session = session
        self._studies = session.studies
        self._runs = runs
        self.report = SlideReportDesk(session, runs)
        self._arrivals: dict[Path, _Arrival] = {}
        self._taken: set[Path] = set()
        """Files that were dealt with: a list of runs that was read before tells of them again."""
        self._of_jobs: dict[str, str] = {}
        """Hash of the slide of each import that goes on, by the id of its job."""
        self._unseen: set[Path] = set()
        """Files with more than annotations, not shown yet: the run comes first in the history."""
        runs.job_changed.connect(self._on_job_changed)
        runs.changed.connect(self._take_arrivals)
        runs.annotations_found.connect(self._on_found)
        self._studies.changed.connect(self._on_study_changed)

    # -- in --------------------------------------------------------------------------------------

    def import_file(self, path: Path) -> None:
        """Read an annotation file of any kind onto the open slide; a question may come first."""
        slide = self._session.slide
        if slide is None:
            action = _("Open"), "file.open"
            text = _("Open the slide first that the file belongs to.")
            self._session.notice.emit(Notice(text, "warning", action))
            return
        info = slide.info
        frame = SlideFrame(info.width, info.height, info.mpp, name=slide.path.name)
        self._session.scheduler.submit(
            partial(_look, path, frame), partial(self._on_looked, slide, path)
        )

    def _on_looked(
        self, slide: Slide, path: Path, asked: ImportQuestion | None, error: BaseException | None
    ) -> None:
        if slide is not self._session.slide:
            return
        if asked is None:
            self._on_error(error)
        elif asked.names:
            self.options_needed.emit(asked)
        else:
            self.import_as(path, asked.dialect.name)

    def import_as(
        self, path: Path, dialect: str, said: Mapping[str, Any] | None = None
    ) -> Job | None:
        """Read a file as one of a format; ``said``: members of `ImportParams`, remembered."""
        from pathoview.annotations.dialects.import_params import ImportParams

        slide = self._session.slide
        if slide is None:
            return None
        try:
            params = ImportParams.parse(said or {})
            params.dialect_options()
        except PathoViewError as error:
            self._on_error(error)
            return None
        if said:
            self._session.settings.import_options[dialect] = params.said()
        order = orders.import_file(slide, path, dialect, params.said())
        job = self._runs.submit(order, slide.content_hash)
        self._of_jobs[job.id] = slide.content_hash
        return job

    @property
    def pictures(self) -> Sequence[MapFormat]:
        """As which pictures the run that is shown last can be written; none: it has objects."""
        run = self._session.results
        gives = "" if run is None else run.record.gives
        return [one for one in RUN_FORMATS if one.gives == gives]

    @property
    def has_map(self) -> bool:
        """Whether the run that is shown last has areas: of a map, of tiles, or of pathology."""
        return bool(self.pictures)

    def take_regions(self) -> Job | None:
        """Have the regions of the map shown last as annotations, as the last export was told."""
        slide, run = self._session.slide, self._session.results
        if slide is None or run is None or not self.has_map:
            self._session.notice.emit(Notice(_("There is no map on this slide."), "warning"))
            return None
        if run.is_growing:
            text = _("The map is not finished yet. Wait for its end.")
            self._session.notice.emit(Notice(text, "warning"))
            return None
        order = orders.regions(run, self._session.settings.export)
        job = self._runs.submit(order, slide.content_hash)
        self._of_jobs[job.id] = slide.content_hash
        return job

    def _on_job_changed(self, job: Job) -> None:
        if not job.is_over or job.id not in self._of_jobs:
            return
        slide_hash, result = self._of_jobs.pop(job.id), job.result or {}
        if job.state is not JobState.DONE or "run_file" not in result:
            return
        path = Path(str(result["run_file"]))
        if result.get("n_annotations"):
            self._arrivals[path] = _Arrival.of_job(path, slide_hash, job)
            if result.get("n_objects") or result.get("n_features"):
                self._unseen.add(path)
            self._take_arrivals()
        elif not result.get("n_objects") and not result.get("n_features"):
            remove_run(path)

    def _on_found(self, path: Path, record: RunRecord) -> None:
        """Take what an earlier session could not take any more."""
        if path not in self._taken:
            said = record.slide_hash, record.title, _import_step(record.title)
            self._arrivals.setdefault(path, _Arrival(path, *said, {}))
            self._take_arrivals()

    def _on_study_changed(self) -> None:
        self._unseen.clear()
        self._take_arrivals()

    def _take_arrivals(self) -> None:
        book = self._studies.book
        if book is None or not self._arrivals:
            return
        self._unseen -= {run.path for run in self._runs.runs}
        for arrival in tuple(self._arrivals.values()):
            if arrival.slide_hash == book.slide_hash and arrival.path not in self._unseen:
                del self._arrivals[arrival.path]
                self._taken.add(arrival.path)
                if book.study.is_read_only:
                    self._keep(arrival)
                else:
                    self._weigh(book, arrival)

    def _weigh(self, book: SlideBook, arrival: _Arrival) -> None:
        classes = tuple(self._studies.records.classes)
        self._session.scheduler.submit(
            partial(_weighed, arrival.path, book, classes),
            partial(self._on_weighed, book, arrival),
        )

    def _on_weighed(
        self,
        book: SlideBook,
        arrival: _Arrival,
        weighed: _Weighed | None,
        error: BaseException | None,
    ) -> None:
        if weighed is None:
            self._on_error(error)
            return
        if book is not self._studies.book:
            self._arrivals[arrival.path] = arrival
            self._take_arrivals()
            return
        change = weighed.taken.change
        is_fresh = tuple(self._studies.records.classes) == weighed.classes
        if not is_fresh or any(one.id in book.document for one in change.after):
            self._weigh(book, arrival)  # somebody drew, or altered a class, meanwhile
            return
        said = change, weighed.taken.records, arrival.command
        if change and not self._studies.do(arrival.step, *said):
            self._keep(arrival)
            return
        self._tell_known(weighed.taken, arrival)
        self._session.scheduler.submit(
            partial(_forget, arrival.path, book.study), lambda _done, error: self._on_error(error)
        )

    def _tell_known(self, taken: Intake, arrival: _Arrival) -> None:
        if taken.n_known:
            text = ngettext(
                "{n:,} annotation of {file} was there already.",
                "{n:,} annotations of {file} were there already.",
                taken.n_known,
            ).format(n=taken.n_known, file=arrival.title)
            self._session.notice.emit(Notice(text))

    def _keep(self, arrival: _Arrival) -> None:
        """Show annotations as a result: the study cannot take them."""
        self._session.scheduler.submit(
            partial(_kept, arrival.path), partial(self._on_kept, arrival)
        )

    def _on_kept(
        self, arrival: _Arrival, record: RunRecord | None, error: BaseException | None
    ) -> None:
        if record is None:
            self._on_error(error)
            return
        slide = self._session.slide
        if slide is not None and slide.content_hash == arrival.slide_hash:
            self._runs.show(arrival.path)
        text = _("{file} is shown as a result: the study is only read here.")
        self._session.notice.emit(Notice(text.format(file=arrival.title), "warning"))

    # -- out -------------------------------------------------------------------------------------

    @property
    def n_annotations(self) -> int:
        """How many annotations of the open slide could be written."""
        document = self._session.annotations.document
        return 0 if document is None else len(document)

    def export(
        self, path: Path, options: ExportSettings | None = None, *, only_chosen: bool = False
    ) -> None:
        """Write annotations and results as the options say; they are remembered.

        ``only_chosen``: of the annotations only those that are selected, and no results. A job
        follows as soon as all that was drawn is on disk.
        """
        slide, study = self._session.slide, self._studies.study
        if options is not None:
            self._session.settings.export = options
        options = self._session.settings.export
        run = None if options.what == "annotations" or only_chosen else self._session.results
        if options.what == "results" or not self.n_annotations:
            study = None
        if options.format in (one.name for one in RUN_FORMATS):
            is_table = options.format == PATHOLOGY_TABLE.name and self.n_annotations
            run, study = self._session.results, self._studies.study if is_table else None
        if slide is None or (run is None and study is None):
            self._session.notice.emit(Notice(_("There is nothing to export."), "warning"))
            return
        chosen = [one.hex for one in self._session.annotations.selected_ids]
        order = orders.export(
            slide,
            path,
            options,
            run=run,
            study=None if study is None else study.path,
            ids=chosen if only_chosen else None,
        )
        submit = partial(self._runs.submit, order, slide.content_hash)
        self._when_written(study, submit)

    def export_tiles(
        self,
        output: Path,
        params: Mapping[str, Any],
        classes: Sequence[str] | None = None,
        *,
        all_slides: bool = False,
    ) -> None:
        """Write pictures and masks of the open slide, or of all slides of the study, by a job."""
        slide, study = self._session.slide, self._studies.study
        if study is None or (slide is None and not all_slides):
            self._session.notice.emit(Notice(_("There is nothing to export."), "warning"))
            return
        self._session.settings.tiles = dict(params)
        records = self._studies.records.all(SlideRecord)
        paths = [Path(one.path) for one in records if one.path]
        mpp = None
        if slide is not None and not all_slides:
            paths, mpp = [slide.path], orders.stated_scale(slide)
        order = orders.export_tiles(paths, study.path, output, params, classes, mpp)
        slide_hash = "" if slide is None else slide.content_hash
        self._when_written(study, partial(self._runs.submit, order, slide_hash))

    def _when_written(self, study: Study | None, submit: partial[Job]) -> None:
        """Start a job that reads the study when all that was drawn is on disk."""
        if study is None or not study.writer.n_waiting:
            submit()
            return

        def flushed(_is_written: bool | None, error: BaseException | None) -> None:
            if study.writer.error is not None or error is not None:
                self._on_error(study.writer.error or error)
            else:
                submit()

        self._session.scheduler.submit(partial(study.writer.flush, _PATIENCE_S), flushed)

    def _on_error(self, error: BaseException | None) -> None:
        if error is not None:
            self._session.notice.emit(from_error(error))


def _look(path: Path, frame: SlideFrame) -> ImportQuestion:
    """Say what a file is and what must be asked; raises `InputError`. In another thread."""
    # Imported when they are needed: the window's start does not wait for all formats.
    from pathoview.annotations.dialects import formats
    from pathoview.annotations.dialects.import_params import questions

    dialect = formats.recognise(path)
    formats.read(path, frame, dialect=dialect)  # refuses what cannot be read; nothing is read yet
    assert dialect is not None
    return ImportQuestion(path, dialect, questions(path, dialect, frame))


def _weighed(path: Path, book: SlideBook, classes: Sequence[LabelClass]) -> _Weighed:
    """Read the annotations, and see which are new; in another thread."""
    with RunFile.open(path) as run_file:
        features = run_file.annotations()
    return _Weighed(intake(features, book.document.get, classes), classes)


def _forget(path: Path, study: Study) -> None:
    """Take the annotations out of the file once the study has them on disk; in another thread."""
    if not study.writer.flush(_PATIENCE_S):
        return  # they are taken again at the next opening, unless they are there by then
    with RunFile.open(path, writable=True) as run_file:
        left = run_file.remove_annotations()
    if not left.n_objects:
        remove_run(path)


def _kept(path: Path) -> RunRecord:
    with RunFile.open(path, writable=True) as run_file:
        return run_file.keep_annotations()
