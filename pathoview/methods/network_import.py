"""A network of an ONNX file becomes a model: its bytes as one tensor, and a card."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson

from pathoview.core.errors import InputError, UsageError
from pathoview.core.files import replacing
from pathoview.core.translation import _, ngettext
from pathoview.methods.model import Model, ModelCard, ModelClass
from pathoview.methods.network_card import NetworkCard, said_beside
from pathoview.methods.onnx_network import OnnxNetwork, runtime_version

ONNX = ".onnx"
METHOD = "imported_network"
TENSOR = "onnx"
_ID_LETTERS = 32
_SLACK = 1e-3


def network_model(path: Path, said: Mapping[str, Any] | None = None) -> Model:
    """Return the model that an ONNX file is, with what the JSON file beside it says, and ``said``.

    Raises `InputError` for what is missing or contradicts the network, with a hint; `UsageError`
    for a value of ``said`` that is wrong; `RunError` without ONNX Runtime.
    """
    card = NetworkCard.parse({**said_beside(path), **(said or {})})
    data = _read(path)
    network = OnnxNetwork(data)
    card.check_complete()
    picture = np.random.default_rng(0).integers(0, 256, (*network.trial_px(card.multiple_px), 3))
    shape, maps = network.tried(scaled(picture.astype(np.uint8), card))
    _check_classes(card, shape.n_maps)
    _check_activation(card, maps)
    settings = {**card.model_dump(mode="json"), "stride": shape.stride}
    digest = hashlib.sha256(data + orjson.dumps(settings, option=orjson.OPT_SORT_KEYS))
    return Model(
        ModelCard(
            id=digest.hexdigest()[:_ID_LETTERS],
            title=card.title.strip() or path.stem,
            method=METHOD,
            kind="pixel",
            mpp=card.mpp,
            stains=tuple(one.strip() for one in card.stains.split(",") if one.strip()),
            classes=told_classes(card, shape.n_maps),
            settings=settings,
            licence=card.licence.strip(),
            notes=card.notes.strip(),
            versions={"onnxruntime": runtime_version()},
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            origin="imported",
        ),
        {TENSOR: np.frombuffer(data, np.uint8)},
    )


def write_network(path: Path, model: Model) -> None:
    """Write the ONNX file of a model, and beside it what is said of it as JSON.

    Raises `UsageError` for a model that was no ONNX file, `StorageError`.
    """
    if model.card.method != METHOD:
        raise UsageError(
            _("“{title}” was no ONNX file.").format(title=model.card.title),
            _("Write it as .safetensors."),
        )
    said = {**card_of(model.card.settings).to_json(), "title": model.card.title}
    with replacing(path) as file:
        file.write(model.tensors[TENSOR].tobytes())
    with replacing(path.with_suffix(".json")) as file:
        file.write(orjson.dumps(said, option=orjson.OPT_INDENT_2) + b"\n")


def card_of(settings: Mapping[str, Any]) -> NetworkCard:
    """Return what was said of the network of a model; raise `UsageError`."""
    known = {name: settings[name] for name in NetworkCard.model_fields if name in settings}
    return NetworkCard.parse(known)


def scaled(picture: npt.NDArray[np.uint8], card: NetworkCard) -> npt.NDArray[np.float32]:
    """Return a picture (height, width, 3) as the network wants it, (1, 3, height, width)."""
    mean, std = (np.array(one, np.float32) for one in card.scaling())
    pixels = picture.astype(np.float32)
    if card.range == "0-1":
        pixels /= 255
    pixels = (pixels - mean) / std
    return np.ascontiguousarray(pixels.transpose(2, 0, 1)[None])


def needs_background(card: NetworkCard, n_maps: int) -> bool:
    """Say whether what is none of the classes has no map: each class is told on its own."""
    return card.activation == "sigmoid" or n_maps == 1


def told_classes(card: NetworkCard, n_maps: int) -> tuple[ModelClass, ...]:
    """Return the classes of the probabilities, in their order."""
    background = (ModelClass(name=_("Background")),) if needs_background(card, n_maps) else ()
    return (*background, *card.model_classes())


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(_("“{name}” cannot be read.").format(name=path.name)) from error


def _check_classes(card: NetworkCard, n_maps: int) -> None:
    names = [one.name for one in card.model_classes()]
    if len(names) != n_maps:
        raise InputError(
            ngettext(
                "The card says {n} class, the network gives {m} maps.",
                "The card says {n} classes, the network gives {m} maps.",
                len(names),
            ).format(n=len(names), m=n_maps),
            _("Name one class for each map, in their order."),
        )
    if len(set(names)) < len(names):
        raise InputError(
            _("Two classes of the card have the same name."), _("Give each a name of its own.")
        )


def _check_activation(card: NetworkCard, maps: npt.NDArray[np.float32]) -> None:
    if card.activation == "softmax" and len(maps) == 1:
        raise InputError(
            _("The network gives one map, and a softmax of one map is always 1."),
            _("Say “sigmoid”; or “none”, if the map is a probability already."),
        )
    low, high = float(maps.min()), float(maps.max())
    if card.activation == "none" and (low < -_SLACK or high > 1 + _SLACK):
        text = _("The card says that maps are probabilities, but they go from {low} to {high}.")
        raise InputError(
            text.format(low=f"{low:.3g}", high=f"{high:.3g}"),
            _("Say “softmax” or “sigmoid” as the activation."),
        )
