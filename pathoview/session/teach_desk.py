"""Teaching: a method learns from the labels there are, shows what it finds meanwhile, is applied.

A round of teaching gives a model of the library; every round stays, and can be applied again.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from psygnal import Signal

from pathoview.core.errors import PathoViewError
from pathoview.core.geometry import Rect
from pathoview.core.params import FormRow, form_rows
from pathoview.core.translation import _
from pathoview.jobs.runner import Job, JobRequest, JobState
from pathoview.methods.library import LibraryModel, library
from pathoview.methods.model import read_card
from pathoview.methods.registry import METHODS
from pathoview.methods.spec import Kind, LearnsFrom, MethodSpec
from pathoview.session import orders
from pathoview.session.beginnings import beginnings
from pathoview.session.hard_places import hard_places
from pathoview.session.notices import Notice, from_error
from pathoview.session.preview_run import PreviewRun
from pathoview.session.run_desk import RunDesk
from pathoview.session.teach_labels import LabelSummary, SlideLabels, read_labels, summary
from pathoview.session.teach_pseudo import PseudoLabels
from pathoview.session.teach_snapshot import labels_on_disk
from pathoview.slides.slide import Slide
from pathoview.study.model import SlideRecord
from pathoview.study.study import Study

if TYPE_CHECKING:
    from pathoview.session.session import Session

Scope = Literal["slide", "study"]
TOOLS: Mapping[LearnsFrom, str] = {
    "points": "tool.points",
    "scribbles": "tool.brush",
    "instances": "tool.nucleus",
    "objects": "tool.points",
}
"""The command that puts the tool in hand which draws what a method learns from."""


class TeachDesk:
    """The teaching of one session. All methods are called on the session's thread."""

    changed = Signal()
    """`method`, `scope`, `summary`, or `job`."""
    curve_grew = Signal()
    """`curve` has another point."""
    rounds_changed = Signal()

    def __init__(self, session: Session, runs: RunDesk, preview: PreviewRun) -> None:
        self._session = session
        self._runs = runs
        self._preview = preview
        self.methods: Sequence[MethodSpec] = [
            one for one in METHODS if one.is_trainable and one.kind is not Kind.BAG
        ]
        """Those that learn from what is drawn; whole slides are learned from many at once."""
        self.scope: Scope = "slide"
        self.summary: LabelSummary | None = None
        """None: nothing was counted yet, or no slide is open."""
        self.job: Job | None = None
        """The training that goes on, or the last one."""
        self.curve: list[Mapping[str, float]] = []
        """What was measured in it: ``step``, ``loss`` and metrics; in its last stage, if any."""
        self._stage: object = None
        self._taught: Slide | None = None
        """The slide that the training is shown on."""
        self._models: Sequence[LibraryModel] = ()
        self._study_id = ""
        self._n_counted = 0
        self._is_starting = False
        self.pseudo = PseudoLabels(session, runs.runner, lambda: self.method)
        """What the method will learn from, to be looked at."""
        session.slide_changed.connect(self._on_slide_changed)
        session.studies.changed.connect(self._on_study_changed)
        runs.job_changed.connect(self._on_job_changed)
        preview.failed.connect(self._on_error)

    # -- what is to be learned -------------------------------------------------------------------

    @property
    def method(self) -> MethodSpec | None:
        """The method that is taught; None: there is none that learns."""
        chosen = self._session.settings.teach_method
        named = [one for one in self.methods if one.name == chosen]
        return named[0] if named else next(iter(self.methods), None)

    def choose_method(self, name: str) -> None:
        self._session.settings.teach_method = name
        self.refresh()

    def form(self, spec: MethodSpec) -> Sequence[FormRow]:
        """Return the rows of the form of a method's training."""
        assert spec.fit_params is not None
        return form_rows(spec.fit_params)

    def choose_scope(self, scope: Scope) -> None:
        """Learn from the open slide's labels only, or from those of all slides of the study."""
        self.scope = scope
        self.refresh()

    def refresh(self) -> None:
        """Count again what there is to learn from, and show it; `changed` follows."""
        session, spec, book = self._session, self.method, self._session.studies.book
        slide = session.slide
        self._n_counted += 1
        self.pseudo.renew()
        if slide is None or book is None or spec is None or slide.info.mpp is None:
            self.summary = None
            self.changed.emit()
            return
        size_l0 = slide.info.width, slide.info.height
        shown = SlideLabels(tuple(book.document), slide.mpp, size_l0)
        session.scheduler.submit(
            partial(self._count, spec, shown, self._others(slide), book.study),
            partial(self._on_counted, self._n_counted),
        )

    def _others(self, shown: Slide) -> dict[str, tuple[float, tuple[int, int]]]:
        """Return the other slides that are learned from, by hash, with scale and size."""
        if self.scope == "slide":
            return {}
        return {
            one.slide_hash: (one.mpp[0], (one.width_l0, one.height_l0))
            for one in self._session.studies.records.all(SlideRecord)
            if one.slide_hash != shown.content_hash and one.mpp is not None
        }

    def _count(
        self,
        spec: MethodSpec,
        shown: SlideLabels,
        others: Mapping[str, tuple[float, tuple[int, int]]],
        study: Study,
    ) -> LabelSummary:
        read = read_labels(study.path, others) if others else []
        classes = self._session.studies.records.classes
        return summary(spec.learns_from, spec.kind, [shown, *read], classes)

    def _on_counted(
        self, number: int, counted: LabelSummary | None, error: BaseException | None
    ) -> None:
        if number != self._n_counted:
            return
        self._on_error(error)
        self.summary = counted
        self.changed.emit()

    # -- teaching --------------------------------------------------------------------------------

    @property
    def is_teaching(self) -> bool:
        return self._is_starting or (self.job is not None and not self.job.is_over)

    @property
    def is_live(self) -> bool:
        """Whether strokes are answered now."""
        job = self.job
        return job is not None and not job.is_over and job.request.task == orders.LIVE

    @property
    def problem(self) -> str:
        """Why no round can begin, as a sentence; empty: one can, or one goes on."""
        slide, spec = self._session.slide, self.method
        if slide is None:
            return _("Open a slide first.")
        if slide.info.mpp is None:
            return _("State the slide's scale first.")
        if spec is None or self.summary is None or self.is_teaching or spec.is_live:
            return ""
        return self.summary.problem

    @property
    def tool_needed(self) -> str:
        """Id of the command that takes the tool which draws what is missing; empty: none is."""
        spec, found = self.method, self.summary
        if spec is None or found is None or not (found.problem or found.advice):
            return ""
        command_id = TOOLS.get(spec.learns_from, "")
        return "" if command_id == f"tool.{self._session.tool}" else command_id

    def get_ready(self) -> None:
        """Have a process waiting that has imported what teaching the method needs."""
        if self.method is not None:
            self._runs.runner.warm_up("learn", orders.warm_up(self.method))

    def start(self, params: Mapping[str, Any] | None = None, start: str = "") -> None:
        """Begin a round with the labels as they are now; a notice says why it cannot begin.

        ``params`` None: those of the last round. ``start``: a key of `beginnings`. A live method
        answers strokes from now on, and learns in full in the end.
        """
        session, spec, slide = self._session, self.method, self._session.slide
        if slide is None or session.studies.book is None or spec is None or self.is_teaching:
            return
        if self.problem:
            session.notice.emit(Notice(self.problem, "warning"))
            return
        try:
            assert spec.fit_params is not None
            said = session.settings.teach_params.get(spec.name, {}) if params is None else params
            checked = spec.fit_params.parse(said).model_dump(mode="json")
        except PathoViewError as error:
            self._on_error(error)
            return
        session.settings.teach_params[spec.name] = checked
        number = len(self.rounds) + 1
        title = _("{title}, round {number}").format(title=spec.title, number=number)
        is_whole = session.studies.is_named and self.scope == "study"
        slides = [] if is_whole else [slide.path]
        order = orders.training(
            *(spec, checked, self._study_path, slides, slide),
            start=start,
            title=title,
            number=number,
        )
        self._begin(order, slide)

    def again(self, job_id: str) -> None:
        """Begin a round anew that has ended without a model: it goes on, if labels are the same."""
        slide = self._session.slide
        ended = [one for one in self._session.jobs if one.id == job_id]
        if ended and slide is not None and not self.is_teaching:
            self.choose_method(str(ended[0].request.payload["method"]))
            self._begin(ended[0].request, slide)

    def _begin(self, order: JobRequest, slide: Slide) -> None:
        """Order a round when all labels are on disk, on another one if need be."""
        book, info = self._session.studies.book, slide.info
        if book is None:
            return
        self._is_starting = True
        self.changed.emit()
        shown = SlideRecord(
            slide_hash=slide.content_hash,
            path=str(slide.path),
            pseudonym=slide.pseudonym,
            mpp=info.mpp,
            width_l0=info.width,
            height_l0=info.height,
        )
        self._session.scheduler.submit(
            partial(labels_on_disk, book.study, shown), partial(self._on_written, order, slide)
        )

    def _on_written(
        self, order: JobRequest, slide: Slide, copy: Path | None, error: BaseException | None
    ) -> None:
        self._is_starting = False
        self._on_error(error)
        if error is None and slide is self._session.slide:
            study = copy or self._study_path or ""
            order = replace(order, payload={**order.payload, "study": str(study)})
            if copy is not None:
                text = _("The disk refuses the newest labels: they are learned from all the same.")
                self._session.notice.emit(Notice(text, "warning"))
            self.curve, self._stage = [], None
            self._taught = slide
            self.job = self._runs.submit(order, slide.content_hash)
            self.job.set_focus(self._session.viewport.visible_l0)
            self.job.event.connect(partial(self._on_event, slide))
        self.changed.emit()

    @property
    def _study_path(self) -> Path | None:
        """Where the study's file lies; None: labels are in private ones, of each slide."""
        studies = self._session.studies
        return studies.study.path if studies.study is not None and studies.is_named else None

    def finish(self) -> None:
        """End the training well: its best weights so far become a model."""
        if self.job is not None:
            self.job.finish()

    def stop(self) -> None:
        """Stop the training; started again with the same labels, it goes on."""
        if self.job is not None:
            self.job.cancel()

    def _on_event(self, slide: Slide, kind: str, data: dict[str, Any]) -> None:
        if kind == "curve":
            self._add_point(data)
        elif kind == "preview" and slide is self._session.slide and self.is_teaching:
            self._preview.show(Path(str(data["run_file"])), slide)
        elif kind == "notice":
            self._session.notice.emit(Notice(str(data.get("text", "")), "warning"))

    def _add_point(self, data: Mapping[str, Any]) -> None:
        """Let the curve grow; each stage of a training begins one of its own."""
        if data.get("stage") != self._stage:
            self._stage = data.get("stage")
            self.curve = []
        self.curve.append({key: one for key, one in data.items() if isinstance(one, int | float)})
        self.curve_grew.emit()

    def _on_job_changed(self, job: Job) -> None:
        if job is not self.job:
            return
        if job.is_over:
            self._preview.end()
            self.read_rounds()
        self.changed.emit()

    # -- rounds ----------------------------------------------------------------------------------

    @property
    def rounds(self) -> Sequence[LibraryModel]:
        """Models taught in this study by what is drawn, the newest first."""
        own = [one for one in self._models if one.card.study_id == self._study_id]
        return [one for one in own if self._study_id and one.card.kind != Kind.BAG]

    @property
    def beginnings(self) -> Mapping[str, str]:
        """What training can begin with, and its name; the usual beginning is first."""
        return beginnings(self.method, self._models)

    @property
    def can_apply(self) -> bool:
        """Whether there is a model of this study, or the last training gave one."""
        return bool(self.rounds) or (self.job is not None and self.job.state is JobState.DONE)

    def apply_file(self, path: str = "") -> Job | None:
        """Use the model of a file on the open slide; empty: the newest round."""
        known = [one for one in self.rounds if path in ("", str(one.path))]
        if known or not path:
            return self.apply(known[0]) if known else None
        try:
            return self.apply(LibraryModel(Path(path), read_card(Path(path))))
        except PathoViewError as error:
            self._on_error(error)
            return None

    def apply(self, model: LibraryModel, where: Any = "slide") -> Job | None:
        """Use a model on the open slide; where as in `Session.analyze`."""
        return self._session.analyze(model.card.method, {}, where, model.path)

    @property
    def can_apply_to_all(self) -> bool:
        """Whether there are more slides than the open one."""
        return self._session.studies.is_named

    def apply_to_all(self, model: LibraryModel) -> int:
        """Use a model on all slides of the study that can be found; return how many."""
        found = [
            one
            for one in self._session.studies.records.all(SlideRecord)
            if one.mpp is not None and Path(one.path).is_file()
        ]
        spec = METHODS.get(model.card.method)
        for one in found:
            order = orders.analysis_of(one, spec, model.path, self._session.settings.numerics)
            self._runs.submit(order, one.slide_hash)
        return len(found)

    def places_of(self, model: LibraryModel) -> list[tuple[Rect, float]]:
        """Return where on the open slide a model does worst of what it was taught, and its loss."""
        return hard_places(self._session.slide, model.card)

    def read_rounds(self) -> None:
        """Read the library again; `rounds_changed` follows."""
        study = self._session.studies.study
        study_id = "" if study is None else study.info.id
        self._session.scheduler.submit(library, partial(self._on_library, study_id))

    def _on_library(
        self, study_id: str, models: list[LibraryModel] | None, error: BaseException | None
    ) -> None:
        self._on_error(error)
        self._models, self._study_id = models or [], study_id
        self.rounds_changed.emit()

    # -- what changes around ---------------------------------------------------------------------

    def _on_slide_changed(self) -> None:
        if self._session.slide is not self._taught:
            self._preview.end()
            if self.is_live:  # its slide is gone: what was learned is kept
                self.finish()
            self._taught = None
        self.refresh()

    def _on_study_changed(self) -> None:
        if not self._session.studies.is_named:
            self.scope = "slide"
        self.read_rounds()
        self.refresh()

    def _on_error(self, error: BaseException | None) -> None:
        if error is not None:
            self._session.notice.emit(from_error(error))
