"""Train a method on labels: data → fit → a model with its card. A killed training goes on.

What is kept to go on from is removed when the model is safe on the disk. Methods for whole slides
are trained by `train_bags`.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict

from pathoview.core.errors import UsageError
from pathoview.core.params import BaseParams
from pathoview.core.progress import Progress, SilentProgress
from pathoview.core.registry import load_entry
from pathoview.core.translation import _
from pathoview.datasets.labels import TrainingData
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.library import SCRATCH, bundled_path, find_model, new_model_path
from pathoview.methods.model import (
    DataUsed,
    Model,
    ModelClass,
    read_model,
    write_model,
)
from pathoview.methods.registry import METHODS
from pathoview.methods.spec import Compute, Kind, MethodSpec
from pathoview.tasks.bag_order import BagOrder
from pathoview.tasks.familiarity import familiarity_of_images
from pathoview.tasks.live_preview import LivePreview, PreviewRequest
from pathoview.tasks.method_building import built
from pathoview.tasks.model_cards import new_card
from pathoview.tasks.provenance import device_name
from pathoview.tasks.train_bags import BagTraining
from pathoview.tasks.training_areas import hardest_areas
from pathoview.tasks.training_data import Prepared, TrainingSource, open_training_data
from pathoview.tasks.training_state import forget_state, state_path

ENTRY = "pathoview.tasks.train:accompany"
"""What each further process of a training on several GPUs does."""


class TrainRequest(BaseModel):
    """What to teach, from which labels, and where the model goes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    method: str
    params: dict[str, Any] = {}
    """Of the training: ``MethodSpec.fit_params``."""
    study: str = ""
    slides: list[str] = []
    """Of the study: only these; empty: all that have labels."""
    classes: list[str] | None = None
    """Names of the classes to learn; None: all."""
    images: str = ""
    labels: str = ""
    """A folder; for whole slides a CSV file."""
    val_images: str = ""
    val_labels: str = ""
    mpp: float | None = None
    """µm per px of the images; or per level-0 px of slides that state none."""
    output: str = ""
    """A model file; empty: into the library."""
    start: str = ""
    """A model to go on from; empty: the one that came with the method, if any; `SCRATCH`."""
    seed: int = 0
    title: str = ""
    licence: str = ""
    """Of the data, for the card."""
    resume: bool = True
    preview: PreviewRequest | None = None
    """Where the overlay is drawn with the weights as they are; None: nowhere."""
    round: int = 0
    bags: BagOrder = BagOrder()
    """Of methods for whole slides: how slides are described, and how it is measured."""

    @property
    def source(self) -> TrainingSource:
        return TrainingSource(
            study=self.study,
            slides=tuple(self.slides),
            classes=None if self.classes is None else tuple(self.classes),
            images=self.images,
            labels=self.labels,
            val_images=self.val_images,
            val_labels=self.val_labels,
            mpp=self.mpp,
            seed=self.seed,
            licence=self.licence,
        )


def params_of(method: str, texts: Sequence[str]) -> dict[str, Any]:
    """Return a method's checked training parameters from ``KEY=VALUE``; raise `UsageError`."""
    return fit_params_of(trainable(method)).parse_texts(texts).model_dump(mode="json")


def run(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Train a method; see `TrainRequest`. Returns the model's path and what it is worth.

    Raises `UsageError` for a wrong method or parameter and for labels that do not suffice,
    `InputError` when there is no data, `RunError` when the training fails, `StorageError` when
    the model cannot be written (the state is kept then), `Cancelled` when asked to stop.
    """
    order = TrainRequest.model_validate(request)
    progress.report(0.0, _("Reading the labels"))
    with _opened(order, progress) as training:
        model = training.run()
    path = Path(order.output) if order.output else new_model_path(model.card.title)
    write_model(path, model)
    training.forget_state()
    progress.report(1.0, _("Done"))
    return {
        "model": str(path),
        "id": model.card.id,
        "title": model.card.title,
        "metrics": dict(model.card.metrics),
        "intervals": dict(model.card.intervals),
        "labels": dict(model.card.labels),
        "left_out": [one.to_json() for one in training.left_out],
        "seconds": model.card.seconds,
        "summary": _("{title} was trained in {seconds:.0f} s.").format(
            title=model.card.title, seconds=model.card.seconds
        ),
    }


def accompany(request: Mapping[str, Any]) -> None:
    """Train along with the first process, on another GPU; what comes of it is the first one's."""
    with _opened(TrainRequest.model_validate(request), SilentProgress()) as training:
        assert isinstance(training, _Training)
        training.accompany()


@contextmanager
def _opened(order: TrainRequest, progress: Progress) -> Iterator[_Training | BagTraining]:
    """Open the data of a training; raise as `run` does."""
    spec = trainable(order.method)
    params = fit_params_of(spec).parse(order.params)
    start = beginning(order.start, spec)
    if spec.kind is Kind.BAG:
        with closing(BagTraining(order, spec, params, start, progress)) as of_slides:
            yield of_slides
        return
    with open_training_data(order.source, spec, progress) as prepared:
        yield _Training(order, spec, params, start, prepared, progress)


class _Training:
    """One training while it goes on."""

    def __init__(
        self,
        order: TrainRequest,
        spec: MethodSpec,
        params: BaseParams,
        start: Model | None,
        prepared: Prepared,
        progress: Progress,
    ) -> None:
        self.left_out = prepared.left_out
        self._study_id = prepared.study_id
        self._order = order
        self._spec = spec
        self._params = params
        self._start = start
        self._data = prepared.data
        self._progress = progress
        self._state = state_path(self._said())

    def run(self) -> Model:
        """Fit, and return the model with its card."""
        if not self._order.resume:
            self.forget_state()
        started = time.monotonic()
        device = device_name(self._spec)
        self._progress.event("started", {"n_labels": self._data.n_labels, "device": device})
        with (
            LivePreview(self._order.preview, self._progress) as preview,
            self._companions(device),
        ):
            fitted = self._fit(
                device, lambda fitted: preview.show(self._model(fitted, device, started))
            )
        model = self._model(fitted, device, started)
        return replace(model, card=model.card.model_copy(update=self._looked_back(model, device)))

    def _looked_back(self, model: Model, device: str) -> dict[str, Any]:
        """Return what is said of a model that is finished: what it knows, where it does worst."""
        check = self._progress.check
        ready = built(self._spec, self._spec.params(), model, Compute(device))
        return {
            "familiarity": familiarity_of_images(self._data.images, check),
            "areas": hardest_areas(ready, self._data, self._order.seed, check),
        }

    def accompany(self) -> None:
        """Fit as the first process does, and keep nothing."""
        self._fit(device_name(self._spec), None)

    def _fit(self, device: str, preview: Callable[[Fitted], None] | None) -> Fitted:
        context = FitContext(
            progress=self._progress,
            seed=self._order.seed,
            device=device,
            state_path=self._state,
            start=self._start,
            preview=preview,
        )
        method = load_entry(self._spec.entry)(self._spec.params())
        fitted: Fitted = method.fit(self._data, self._params, context)
        return fitted

    def _companions(self, device: str) -> AbstractContextManager[None]:
        """Return within what the method is fitted: with a process for each further GPU."""
        if not self._spec.uses_torch:
            return nullcontext()
        from pathoview.methods.engine import distributed

        payload = self._order.model_dump(mode="json")
        return distributed.companions(ENTRY, payload, distributed.n_processes(device))

    def forget_state(self) -> None:
        """Remove what was kept to go on from."""
        forget_state(self._state)

    def _said(self) -> list[Any]:
        """Return everything that has a say in the result."""
        return [
            self._spec.name,
            self._spec.version,
            self._params.model_dump(mode="json"),
            self._order.seed,
            self._start.card.id if self._start else "",
            [
                (image.slide.content_hash, image.split, image.labels.fingerprint())
                for image in self._data.images
            ],
            [one.name for one in self._data.classes],
        ]

    def _model(self, fitted: Fitted, device: str, started: float) -> Model:
        spec, data = self._spec, self._data
        card = new_card(
            *(self._order, spec, self._params, fitted, self._start),
            device=device,
            seconds=time.monotonic() - started,
            mpp=float(fitted.settings.get("mpp", spec.mpp)),
            classes=_classes(data, fitted),
            data=_used(fitted.data or data),
            labels=_counts(data),
            study_id=self._study_id,
        )
        return Model(card, fitted.tensors)


def trainable(name: str) -> MethodSpec:
    """Return a method that learns; raise `UsageError`."""
    spec = METHODS.get(name)
    if not spec.is_trainable:
        known = ", ".join(one.name for one in METHODS if one.is_trainable)
        raise UsageError(
            _("“{title}” does not learn.").format(title=spec.title),
            _("Those that learn are: {names}.").format(names=known),
        )
    return spec


def fit_params_of(spec: MethodSpec) -> type[BaseParams]:
    """Return what can be set about the training of a method that learns."""
    assert spec.fit_params is not None
    return spec.fit_params


def beginning(start: str, spec: MethodSpec) -> Model | None:
    """Return the model to go on from; None: from scratch. Raises `UsageError`, `InputError`."""
    if start == SCRATCH or not (start or spec.bundled):
        return None
    return read_model(find_model(start) if start else bundled_path(spec.bundled))


def _used(data: TrainingData) -> tuple[DataUsed, ...]:
    """Return what is said of the images that were learned from and measured on."""
    return tuple(
        DataUsed(
            name=image.name,
            slide_hash=image.slide.content_hash,
            split=image.split,
            n_labels=image.labels.n_labels,
            licence=image.licence,
            held_back_l0=tuple(rect.as_ints() for rect in data.held_back_l0.get(image.name, ())),
        )
        for image in data.images
    )


def _classes(data: TrainingData, fitted: Fitted) -> tuple[ModelClass, ...]:
    """Return what the method tells apart, in the order of its probabilities."""
    known = [ModelClass(name=one.name, color=one.color) for one in data.classes]
    values = fitted.settings.get("values", range(1, len(known) + 1))
    background = ModelClass(name=_("Background"))
    return tuple(known[value - 1] if value else background for value in values)


def _counts(data: TrainingData) -> dict[str, int]:
    """Return how many labels of each class there are; those of none under an empty name."""
    names = {0: "", **{value: one.name for value, one in enumerate(data.classes, 1)}}
    total: Counter[str] = Counter()
    for image in data.images:
        for value, n in image.labels.counts().items():
            total[names.get(value, "")] += n
    return dict(total)
