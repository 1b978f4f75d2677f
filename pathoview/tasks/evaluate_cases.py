"""What a method is scored against: pictures with labels in folders, or the labels of a study."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from pathoview.core.errors import InputError, UsageError
from pathoview.core.progress import Progress
from pathoview.core.translation import _, ngettext
from pathoview.datasets import label_files
from pathoview.datasets.image_labels import ClassImage, InstanceImage
from pathoview.datasets.label_files import PointTable
from pathoview.datasets.labels import LabelledImage, Labels, TargetClass
from pathoview.methods.spec import Kind, LearnsFrom, MethodSpec
from pathoview.slides.opening import open_slide, with_scale
from pathoview.slides.slide import Slide
from pathoview.tasks.method_building import BuiltMethod
from pathoview.tasks.training_data import TrainingSource, open_training_data

NUCLEUS = _("Nucleus")
_READ_AS: dict[Kind, LearnsFrom] = {
    Kind.INSTANCE: "instances",
    Kind.PIXEL: "scribbles",
    Kind.OBJECT: "objects",
}
"""How a study's labels are read to score a method of each kind."""


class CaseSource(BaseModel):
    """Where the truth is: two folders, or a study."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    images: str = ""
    """Folder of ``x.png``, ``x.jpg`` or ``x.tif``."""
    labels: str = ""
    """Folder of ``x.png`` or ``x.tif`` (instance ids, or classes when ``classes.json`` says so),
    or ``x.csv`` (``x,y[,class]``). For whole slides a table, see `bag_labels.BagSource`."""
    study: str = ""
    slides: list[str] = Field(default_factory=list)
    """Of the study: only these; empty: those that the model was not trained on, if there are any.
    Without a study: the private study of each."""
    mpp: float | None = None
    """µm per px of the pictures; or per level-0 px of slides that state none."""
    positive: str = ""
    """Which class of the model label images without ``classes.json`` show."""


@dataclass(frozen=True, slots=True)
class Case:
    """One image with what is known of it; the slide is open while it is scored."""

    name: str
    slide: Slide
    labels: Labels | None
    """None: only `table` is known."""
    table: PointTable | None = None
    classes: tuple[TargetClass, ...] = ()
    """What masks say, from 1 on."""
    is_one_positive: bool = False
    """The label image shows one class, whatever it is called."""

    @property
    def points_l0(self) -> npt.NDArray[np.float64]:
        """Places of nuclei that were pointed at, (n, 2)."""
        if self.table is not None:
            return self.table.xy_l0
        if self.labels is None or self.is_one_positive:
            return np.empty((0, 2))
        return self.labels.points().xy_l0


@dataclass(frozen=True, slots=True)
class Cases:
    """All that is scored."""

    n: int
    each: Iterator[Case]
    warnings: tuple[str, ...] = ()


@contextmanager
def open_cases(
    source: CaseSource, methods: Sequence[BuiltMethod], progress: Progress
) -> Iterator[Cases]:
    """Open what is scored; raises `UsageError` and `InputError` when there is nothing."""
    if bool(source.images) == bool(source.study or source.slides):
        raise UsageError(
            _("It is not said what to score against."),
            _("Name a folder of images and one of labels, or a study, not both."),
        )
    if source.mpp is not None and not (math.isfinite(source.mpp) and source.mpp > 0):
        raise UsageError(_("The µm per pixel must be above zero."))
    if source.images:
        yield _of_folders(source, methods)
        return
    spec = methods[0].spec
    reading = replace(spec, learns_from=_READ_AS[spec.kind])
    with _study(source, reading, progress) as cases:
        yield _held_back(source, cases, methods)


def _of_folders(source: CaseSource, methods: Sequence[BuiltMethod]) -> Cases:
    if not source.labels:
        raise UsageError(_("A folder of images needs a folder of labels."))
    if source.mpp is None:
        raise UsageError(_("How many µm a pixel of the images has is not said."), _("Give --mpp."))
    found = label_files.pairs(Path(source.images), Path(source.labels))
    masks = label_files.read_classes(Path(source.labels))
    kind = methods[0].spec.kind
    return Cases(len(found), _opened(source.mpp, found, kind, masks))


def _opened(
    mpp: float,
    found: Sequence[tuple[Path, Path]],
    kind: Kind,
    masks: tuple[TargetClass, ...] | None,
) -> Iterator[Case]:
    """Yield pictures one by one: each is closed before the next."""
    for image, labels in found:
        with with_scale(open_slide(image), mpp) as slide:
            yield _case(image.stem, slide, labels, kind, masks)


def _case(
    name: str, slide: Slide, labels: Path, kind: Kind, masks: tuple[TargetClass, ...] | None
) -> Case:
    if label_files.is_points(labels):
        if kind is Kind.PIXEL:
            raise InputError(
                _("“{name}” has points, which say nothing of areas.").format(name=labels.name),
                _("Score against images of classes."),
            )
        return Case(name, slide, None, label_files.read_points(labels))
    if kind is Kind.OBJECT:
        raise InputError(
            _("“{name}” does not say the class of each object.").format(name=labels.name),
            _("Score against tables “x,y,class”."),
        )
    pixels = label_files.read_label_image(labels, (slide.info.width, slide.info.height))
    if kind is Kind.PIXEL and masks is not None:
        numbers = [one.number for one in masks]
        return Case(name, slide, ClassImage(pixels, numbers), classes=masks)
    one_class = (TargetClass(NUCLEUS),)
    return Case(name, slide, InstanceImage(pixels), classes=one_class, is_one_positive=True)


@contextmanager
def _study(
    source: CaseSource, reading: MethodSpec, progress: Progress
) -> Iterator[list[tuple[LabelledImage, Case]]]:
    wanted = TrainingSource(study=source.study, slides=tuple(source.slides), mpp=source.mpp)
    with open_training_data(wanted, reading, progress) as prepared:
        classes = prepared.data.classes
        yield [
            (one, Case(one.name, one.slide, one.labels, classes=classes))
            for one in prepared.data.images
        ]


def _held_back(
    source: CaseSource, found: Sequence[tuple[LabelledImage, Case]], methods: Sequence[BuiltMethod]
) -> Cases:
    """Leave out slides that were learned from, where there are others and none was named."""
    seen = learned_from(methods)
    new = [case for image, case in found if image.slide.content_hash not in seen]
    if new and not source.slides:
        return Cases(len(new), iter(new), left_out_seen(len(found) - len(new)))
    every = [case for _image, case in found]
    return Cases(len(every), iter(every))


def learned_from(methods: Sequence[BuiltMethod]) -> Collection[str]:
    """Return the hashes of the images that any of the models was made with."""
    return {one.slide_hash for built in methods if built.card for one in built.card.data}


def left_out_seen(n: int) -> tuple[str, ...]:
    """Return what is to be said when ``n`` slides were not scored as they were learned from."""
    if not n:
        return ()
    text = ngettext(
        "{n} slide was left out: the model has learned from it.",
        "{n} slides were left out: the model has learned from them.",
        n,
    )
    return (text.format(n=n),)


def seen_before(n: int, n_all: int) -> tuple[str, ...]:
    """Return what is to be said when ``n`` of the images were learned from."""
    if not n:
        return ()
    text = ngettext(
        "The model has learned from {n} of {all} image: its scores there say nothing of new ones.",
        "The model has learned from {n} of {all} images: its scores there say nothing of new ones.",
        n_all,
    )
    return (text.format(n=n, all=n_all),)
