"""Learning from labels of whole slides: what there is, the training, the model, its use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, get_args

from psygnal import Signal

from pathoview.core.errors import PathoViewError
from pathoview.core.params import FormRow, form_rows
from pathoview.core.translation import _
from pathoview.jobs.runner import Job, JobRequest, JobState
from pathoview.methods.engine.encoder_list import ENCODERS, EncoderSpec
from pathoview.methods.library import LibraryModel
from pathoview.methods.model import read_card
from pathoview.methods.registry import METHODS
from pathoview.methods.spec import Kind, MethodSpec
from pathoview.session import orders
from pathoview.session.beginnings import beginnings
from pathoview.session.notices import Notice, from_error
from pathoview.session.run_desk import RunDesk
from pathoview.session.slide_label_counts import (
    KnownSlide,
    SlideLabelSummary,
    classes_of,
    count_labels,
    grades_of,
    is_clip,
)
from pathoview.session.slide_plan import SlideMore, SlidePlan, plan_problem
from pathoview.session.teach_snapshot import labels_on_disk
from pathoview.session.training_round import TrainingRound
from pathoview.study.labelled_slides import patient_of
from pathoview.study.model import Block, SlideRecord

if TYPE_CHECKING:
    from pathoview.session.session import Session

Phase = Literal["features", "folds", "model", "shuffled"]
_SHARED_KINDS = {"slide", "case", "block", "class"}


class SlideLearning:
    """One training at a time. All methods are called on the session's thread."""

    changed = Signal()
    """What there is to learn from, or `job`."""
    curve_grew = Signal()
    """`curve` has another point, `folds` another fold, or `rounds` another round."""

    def __init__(self, session: Session, runs: RunDesk) -> None:
        self._session = session
        self._runs = runs
        self.methods: Sequence[MethodSpec] = [
            one for one in METHODS if one.is_trainable and one.kind is Kind.BAG
        ]
        self.encoders: Sequence[EncoderSpec] = list(ENCODERS)
        self.job: Job | None = None
        """The training that goes on, or the last one."""
        self.phase: Phase = "features"
        """What the training does."""
        self.model: LibraryModel | None = None
        """What came of the last training."""
        self._curves: dict[str, list[Mapping[str, float]]] = {}
        """Of each fold, and of the model in the end, by what it is called."""
        self._rounds: dict[str, list[TrainingRound]] = {}
        """The same, where tiles are chosen round by round."""
        self._shown_fold = ""
        self._is_starting = False
        session.studies.changed.connect(self.changed)
        session.studies.records_changed.connect(self._on_records_changed)
        session.slides.row_changed.connect(lambda _key: self.changed.emit())

    def _on_records_changed(self, kind: str) -> None:
        if kind in _SHARED_KINDS:
            self.changed.emit()

    # -- what there is ---------------------------------------------------------------------------

    @property
    def slides(self) -> Sequence[KnownSlide]:
        """All slides of the study."""
        records = self._session.studies.records
        return [
            KnownSlide(
                row.record,
                patient_of(row.record, records.get(Block, row.record.block_id)),
                row.facts.is_missing,
                is_clip(row.record),
            )
            for row in map(self._session.slides.row, self._hashes)
            if row is not None
        ]

    @property
    def _hashes(self) -> Sequence[str]:
        return [row.slide_hash for row in self._session.slides.rows]

    @property
    def grades(self) -> Sequence[str]:
        """What is graded in some slide."""
        return grades_of(self.slides)

    def classes(self, grade: str = "") -> Sequence[str]:
        """Return the classes, or grades, that some slide has; of two the second is looked for."""
        return classes_of(self.slides, self._session.studies.records.classes, grade)

    def summary(
        self, classes: Sequence[str], grade: str = "", method: str = ""
    ) -> SlideLabelSummary:
        """Return what a method would learn from."""
        if not method:
            return count_labels(self.slides, classes, grade)
        spec = METHODS.get(method)
        return count_labels(
            *(self.slides, classes, grade),
            has_several=spec.has_several_labels,
            is_of_whole=spec.looks_at_whole,
        )

    def form(self, spec: MethodSpec) -> Sequence[FormRow]:
        """Return the rows of the form of a method's training."""
        assert spec.fit_params is not None
        return form_rows(spec.fit_params)

    @property
    def more_form(self) -> Sequence[FormRow]:
        """The rows of the form of what seldom has to be said."""
        return form_rows(SlideMore)

    def beginnings(self, method: str) -> Mapping[str, str]:
        """Return what a method can go on from, and what each is called; from scratch is first."""
        return beginnings(METHODS.get(method), self._session.models.models)

    def source(self, plan: SlidePlan) -> str:
        """Return where the weights of an encoder come from; empty: nobody has said.

        Never at random: what one chooses by name should be what one gets.
        """
        spec = ENCODERS.get(plan.encoder)
        if plan.weights or spec.is_bundled:
            return plan.weights or "bundled"
        return "" if spec.hub == "" else "hub"

    def problem(self, plan: SlidePlan) -> str:
        """Return why a training cannot begin, as a sentence; empty: it can, or one goes on."""
        if self.is_training:
            return ""
        known = [one for one in self._session.models.models if str(one.path) == plan.start]
        found = self.summary(plan.classes, plan.grade, plan.method)
        problem = plan_problem(plan, found, known[0].card if known else None)
        if not problem and not self.source(plan):
            problem = _("Choose the file of the encoder’s weights: it is given to persons only.")
        return problem

    # -- training --------------------------------------------------------------------------------

    @property
    def is_training(self) -> bool:
        return self._is_starting or (self.job is not None and not self.job.is_over)

    def get_ready(self) -> None:
        """Have a process waiting that has imported what training needs."""
        self._runs.runner.warm_up("learn", orders.warm_up(self.methods[0]))

    def start(self, plan: SlidePlan) -> None:
        """Begin a training with the labels as they are now; a notice says why it cannot begin."""
        problem = self.problem(plan)
        if problem:
            self._session.notice.emit(Notice(problem, "warning"))
        elif not self.is_training:
            try:
                self._begin(self._order(plan))
            except PathoViewError as error:
                self._on_error(error)

    def _order(self, plan: SlidePlan) -> JobRequest:
        """Return the order to do what is planned; raise `UsageError` for wrong parameters."""
        spec, settings = METHODS.get(plan.method), self._session.settings
        assert spec.fit_params is not None
        said = settings.teach_params.get(spec.name, {}) if plan.params is None else plan.params
        params = settings.teach_params[spec.name] = spec.fit_params.parse(said).model_dump(
            mode="json"
        )
        settings.slide_training = plan.remembered
        more = plan.more
        found = self.summary(plan.classes, plan.grade, plan.method)
        bags = {
            "items": "clips" if found.is_of_clips else "slides",
            "features": {
                "encoder": plan.encoder,
                "source": self.source(plan),
                "mpp": list(plan.mpp) if found.has_scale else [],
                "tile_px": plan.tile_px,
                "normalisation": more.normalisation if found.has_scale else "none",
                "least_tissue": more.least_tissue,
            },
            "grade": plan.grade,
            "n_folds": plan.n_folds,
            "hold_out": more.hold_out,
            "threshold": more.threshold,
            "n_permutations": more.n_permutations,
        }
        said = {
            "classes": list(plan.classes),
            "start": plan.start,
            "seed": more.seed,
            "licence": more.licence,
            "resume": not plan.begins_anew,
        }
        between = ", " if spec.has_several_labels else _(" or ")
        title = plan.grade or between.join(reversed(plan.classes))
        return orders.slide_training(spec, params, bags, said, f"{title}, {spec.title}")

    def again(self, job_id: str) -> None:
        """Begin a training anew that has ended without a model: it goes on where it was."""
        ended = [one for one in self._session.jobs if one.id == job_id]
        if ended and not self.is_training:
            self._begin(ended[0].request)

    def _begin(self, order: JobRequest) -> None:
        """Order a training when all labels are on disk, on another one if need be."""
        study, records = self._session.studies.study, self._session.studies.records
        known = records.all(SlideRecord)
        if study is None or not known:
            return
        self._is_starting = True
        self.changed.emit()
        self._session.scheduler.submit(
            partial(labels_on_disk, study, known[0]), partial(self._on_written, order, study.path)
        )

    def _on_written(
        self, order: JobRequest, study: Path, copy: Path | None, error: BaseException | None
    ) -> None:
        self._is_starting = False
        self._on_error(error)
        if error is None:
            if copy is not None:
                text = _("The disk refuses the newest labels: they are learned from all the same.")
                self._session.notice.emit(Notice(text, "warning"))
            order = replace(order, payload={**order.payload, "study": str(copy or study)})
            self._curves, self._rounds, self._shown_fold = {}, {}, ""
            self.phase, self.model = "features", None
            self.job = self._runs.submit(order, "")
            self.job.event.connect(self._on_event)
            self.job.changed.connect(self._on_job_changed)
        self.changed.emit()

    def finish(self) -> None:
        """End the training well: what it has so far becomes a model, measured in fewer folds."""
        if self.job is not None:
            self.job.finish()

    def stop(self) -> None:
        """Stop the training; started again with the same labels, it goes on."""
        if self.job is not None:
            self.job.cancel()

    def _on_event(self, kind: str, data: Mapping[str, Any]) -> None:
        if kind == "started":
            self.phase = "folds"
        elif kind == "fold" and data["fold"] == data["n_folds"]:
            self.phase = "model"
        elif kind == "shuffled":
            self.phase = "shuffled"
        elif kind == "curve":
            self._add_point(data)
        elif kind == "round":
            self._rounds.setdefault(_fold_of(data), []).append(TrainingRound.model_validate(data))
            self.curve_grew.emit()
        elif kind == "notice":
            self._session.notice.emit(Notice(str(data.get("text", "")), "warning"))
        if kind in ("started", "fold", "shuffled"):
            self.changed.emit()

    def _on_job_changed(self, job: Job) -> None:
        if job is not self.job:
            return
        if job.state is JobState.DONE and self.model is None:
            path = Path(str((job.result or {})["model"]))
            self.model = self._read(path)
        self.changed.emit()

    def _read(self, path: Path) -> LibraryModel | None:
        try:
            return LibraryModel(path, read_card(path))
        except PathoViewError as error:
            self._on_error(error)
            return None

    @property
    def phases(self) -> Sequence[Phase]:
        """What the training does, one after the other."""
        bags = {} if self.job is None else self.job.request.payload["bags"]
        return [one for one in get_args(Phase) if one != "shuffled" or bags.get("n_permutations")]

    @property
    def left_out(self) -> Sequence[str]:
        """What the last training could not use, and why, a sentence a slide."""
        result = (None if self.job is None else self.job.result) or {}
        return [
            _("{name} was left out. {reason}").format(name=one["slide"], reason=one["reason"])
            for one in result.get("left_out", ())
        ]

    # -- curves ----------------------------------------------------------------------------------

    @property
    def folds(self) -> Sequence[str]:
        """Those that have curves, in order; the model's own come last."""
        return list(self._curves)

    @property
    def shown_fold(self) -> str:
        """Whose curve is shown: the chosen one's, else the newest."""
        return self._shown_fold or next(reversed(self._curves), "")

    @property
    def curve(self) -> Sequence[Mapping[str, float]]:
        """What was measured in the fold that is shown: ``step``, ``loss`` and metrics."""
        return self._curves.get(self.shown_fold, [])

    @property
    def rounds(self) -> Sequence[TrainingRound]:
        """The rounds of the fold that is shown; none where tiles are not chosen."""
        return self._rounds.get(self.shown_fold, [])

    def show_fold(self, name: str) -> None:
        """Show another fold's curve; the newest one is followed again when it is chosen."""
        self._shown_fold = "" if name == next(reversed(self._curves), "") else name
        self.curve_grew.emit()

    def _add_point(self, data: Mapping[str, Any]) -> None:
        point = {key: one for key, one in data.items() if isinstance(one, int | float)}
        self._curves.setdefault(_fold_of(data), []).append(point)
        self.curve_grew.emit()

    # -- what came of it -------------------------------------------------------------------------

    def apply(self, path: str = "") -> Job | None:
        """Use a model on the open slide; empty: the last one."""
        model = self._read(Path(path)) if path else self.model
        return None if model is None else self._session.models.apply(model)

    def apply_to_all(self) -> int:
        """Use the last model on all slides of the study that can be found; return how many."""
        return 0 if self.model is None else self._session.teaching.apply_to_all(self.model)

    def _on_error(self, error: BaseException | None) -> None:
        if error is not None:
            self._session.notice.emit(from_error(error))


def _fold_of(data: Mapping[str, Any]) -> str:
    """Return what the fold is called that an event is of."""
    return str(data.get("stage") or _("Model of all slides"))
