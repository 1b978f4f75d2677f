"""A trained model: its weights (safetensors) and its card (JSON), in one file without pickles.

The card lies in the header of the safetensors file, so that a model is one file that can be copied;
the same card stands beside it as ``NAME.json`` for people and other programs. Torch is not needed
to read either.
"""

from __future__ import annotations

import hashlib
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import safetensors
import safetensors.numpy
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pathoview.core.errors import InputError
from pathoview.core.files import replacing, storage_error
from pathoview.core.translation import _

SUFFIX = ".safetensors"
_HEADER = "pathoview"

Tensors = Mapping[str, npt.NDArray[Any]]


class ModelClass(BaseModel):
    """A class that a model tells."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    color: tuple[int, int, int] = (128, 128, 128)


class DataUsed(BaseModel):
    """One image that a model was trained or measured on; names are pseudonyms."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    slide_hash: str
    split: str = "train"
    n_labels: int = 0
    licence: str = ""
    held_back_l0: tuple[tuple[int, int, int, int], ...] = ()
    """x, y, width, height in level-0 px of the blocks that it was measured on, not trained on."""


class Parent(BaseModel):
    """Weights that training began with."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    licence: str = ""
    id: str = ""


class Familiarity(BaseModel):
    """What the training data looked like, to tell when a slide is unlike it."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    names: tuple[str, ...]
    mean: tuple[float, ...]
    inverse_covariance: tuple[tuple[float, ...], ...]
    threshold: float
    """Mahalanobis distance above which data are unlike those of training; from held-back data."""


class TrainingArea(BaseModel):
    """A labelled place, and how badly the model does there."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    slide_hash: str
    name: str
    """The slide's pseudonym, or the name of a picture."""
    rect_l0: tuple[int, int, int, int]
    """x, y, width, height in level-0 px."""
    loss: float


class HeldOut(BaseModel):
    """A slide that was predicted by weights that had not seen it, in cross-validation."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    name: str
    slide_hash: str
    group: str = ""
    """Pseudonym of the patient; empty: the slide alone."""
    fold: int
    label: int
    """Place of its class in the card's classes."""
    probabilities: dict[str, tuple[float, ...]]
    """Of the classes, by the name of what predicted: the method, and what ran beside it.
    Calibrated by what the other folds tell."""
    said: dict[str, int] = Field(default_factory=dict)
    """The class that each decided for, cut where the other folds tell."""
    labels: tuple[int, ...] = ()
    """Where slides have several labels: 1 for each class that it has; `label` is -1 then."""
    said_labels: dict[str, tuple[int, ...]] = Field(default_factory=dict)
    """The same of what each decided."""


class ModelCard(BaseModel):
    """Everything known of a model, frozen; members that a newer version added are ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    id: str = Field(default_factory=lambda: uuid.uuid4().hex)
    title: str
    method: str
    method_version: int = 1
    kind: str
    """See `spec.Kind`."""
    mpp: float
    """µm per px it was trained at; 0: at none, it sees whole frames of clips, or whole
    pictures."""
    stains: tuple[str, ...] = ()
    classes: tuple[ModelClass, ...] = ()
    settings: dict[str, Any] = Field(default_factory=dict)
    """What the method needs to build the network again."""
    fit_params: dict[str, Any] = Field(default_factory=dict)
    data: tuple[DataUsed, ...] = ()
    labels: dict[str, int] = Field(default_factory=dict)
    """How many labels of each class it learned from."""
    data_licence: str = ""
    parents: tuple[Parent, ...] = ()
    """Weights it was derived from, with their licences."""
    licence: str = ""
    """Of these weights."""
    metrics: dict[str, float] = Field(default_factory=dict)
    """On held-back data, with its best weights."""
    intervals: dict[str, tuple[float, float]] = Field(default_factory=dict)
    """95 % intervals of some of the metrics."""
    held_out: tuple[HeldOut, ...] = ()
    """Of a method for whole slides: what was predicted of slides in cross-validation."""
    curves: tuple[dict[str, float], ...] = ()
    """What was measured on the way, one entry a measurement, each with ``step``."""
    familiarity: Familiarity | None = None
    areas: tuple[TrainingArea, ...] = ()
    """Labelled places where it does worst, worst first."""
    seed: int = 0
    device: str = "cpu"
    numerics: str = "float32"
    versions: dict[str, str] = Field(default_factory=dict)
    created: str = ""
    seconds: float = 0.0
    study_id: str = ""
    """The study whose labels it learned from; empty: a folder."""
    round: int = 0
    """Which round of teaching in that study; 0: none."""
    notes: str = ""
    origin: Literal["bundled", "trained", "imported"] = "trained"


@dataclass(frozen=True, slots=True)
class Model:
    """A card with its weights."""

    card: ModelCard
    tensors: Tensors


def read_card(path: Path) -> ModelCard:
    """Return the card of a model file without reading its weights; raise `InputError`."""
    try:
        with safetensors.safe_open(path, framework="np") as file:
            header = file.metadata() or {}
    except (OSError, safetensors.SafetensorError) as error:
        raise _unreadable(path) from error
    return _card(path, header)


def read_model(path: Path) -> Model:
    """Return a model; raise `InputError` when it is none, or of a form that is not known."""
    card = read_card(path)
    try:
        return Model(card, safetensors.numpy.load_file(path))
    except (OSError, safetensors.SafetensorError) as error:
        raise _unreadable(path) from error


def write_model(path: Path, model: Model) -> None:
    """Write a model whole or not at all; raise `StorageError`.

    Beside it, the card is written once more as ``.json``, for people.
    """
    card = model.card.model_dump_json(indent=1)
    tensors = {name: np.ascontiguousarray(array) for name, array in model.tensors.items()}
    data = safetensors.numpy.save(tensors, metadata={_HEADER: model.card.model_dump_json()})
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(path, error) from error
    with replacing(path) as file:
        file.write(data)
    with replacing(path.with_suffix(".json")) as file:
        file.write(card.encode() + b"\n")


def weights_hash(tensors: Tensors) -> str:
    """Return a hexadecimal hash of weights, equal for equal weights."""
    digest = hashlib.sha256()
    for name in sorted(tensors):
        array = np.ascontiguousarray(tensors[name])
        digest.update(f"{name} {array.dtype} {array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()[:32]


def _card(path: Path, header: Mapping[str, str]) -> ModelCard:
    beside = path.with_suffix(".json")
    try:
        text = header[_HEADER] if _HEADER in header else beside.read_text("utf-8")
        return ModelCard.model_validate_json(text)
    except (OSError, ValidationError) as error:
        raise InputError(
            _("“{name}” has no model card that can be read.").format(name=path.name),
            _("Put its card beside it, as “{name}”.").format(name=beside.name),
        ) from error


def _unreadable(path: Path) -> InputError:
    return InputError(
        _("“{name}” is not a model that can be read.").format(name=path.name),
        _("Choose a .safetensors file that PathoView has written."),
    )
