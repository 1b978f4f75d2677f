"""The two networks of `point_nuclei`: where nucleus is, and which pixels belong together.

Both are built from the same settings and share no weights. Where nucleus is has one logit, which
is the same as two with a softmax; a second one, where the schedule has it, says where centers are.
In a model file tensors begin with ``where.`` and ``parting.``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from pathoview.core.errors import UsageError
from pathoview.core.translation import _
from pathoview.methods.engine.encoder_list import ENCODERS
from pathoview.methods.engine.encoders import build_encoder, source_named
from pathoview.methods.engine.weights import load_arrays
from pathoview.methods.fitting import FitContext
from pathoview.methods.model import Model, Parent, Tensors
from pathoview.methods.networks.coordconv import PlacedNetwork
from pathoview.methods.networks.encoder_unet import EncoderUNet
from pathoview.methods.networks.unet import UNet
from pathoview.methods.nuclei_maps import N_MAPS

if TYPE_CHECKING:
    from torch import nn

SMALL = "small"
MAPS_METHOD = "nuclei_unet"
"""Its models can be begun with, too: their first map is where nucleus is."""
SMALL_SETTINGS: Mapping[str, Any] = {"widths": [32, 64, 128], "fold": 2, "n_deepest": 3}
N_EMBEDDING = 16
WHERE, PARTING = "where.", "parting."


def body(settings: Mapping[str, Any], n_outputs: int) -> UNet | EncoderUNet:
    """Return a network of random weights from a model's settings."""
    name = settings["encoder"]
    if name == SMALL:
        return UNet(
            n_outputs,
            widths=tuple(settings["widths"]),
            fold=settings["fold"],
            n_deepest=settings["n_deepest"],
        )
    return EncoderUNet(build_encoder(name), ENCODERS.get(name).channels, n_outputs)


def where_network(settings: Mapping[str, Any]) -> UNet | EncoderUNet:
    """(batch, 3, height, width) → logits of a pixel: nucleus and, of two, how near a center is."""
    return body(settings, n_maps(settings))


def n_maps(settings: Mapping[str, Any]) -> int:
    """Return how many maps the network of where nucleus is gives: 1, or 2 with that of centers."""
    return int(settings.get("n_maps", 1))


def parting_network(settings: Mapping[str, Any]) -> PlacedNetwork:
    """(batch, 3, height, width) → the embedding of each pixel."""
    return PlacedNetwork(body(settings, N_EMBEDDING), settings["window_px"])


def part_of(tensors: Tensors, prefix: str) -> dict[str, Any]:
    """Return the tensors of one of the networks, without the prefix."""
    return {
        name.removeprefix(prefix): array
        for name, array in tensors.items()
        if name.startswith(prefix)
    }


def named(tensors: Tensors, prefix: str) -> dict[str, Any]:
    """Return tensors with a prefix."""
    return {f"{prefix}{name}": array for name, array in tensors.items()}


def stride_of(settings: Mapping[str, Any]) -> int:
    """Return of what sides of images are multiples."""
    if settings["encoder"] != SMALL:
        return EncoderUNet.stride
    return int(settings["fold"] * 2 ** (len(settings["widths"]) - 1))


def begun(
    settings: Mapping[str, Any], context: FitContext, weights: str = ""
) -> tuple[nn.Module, nn.Module, tuple[Parent, ...], bool]:
    """Return both networks as training begins, where their weights come from, if from anywhere.

    ``weights``: of the encoder, see `encoders.source_named`. The last says whether an encoder
    begins with random ones, so that training takes longer. Raises `UsageError` when the model to
    begin with is of a method that does not fit, `InputError` when the weights cannot be had.
    """
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(context.seed)
        where, parting = where_network(settings), parting_network(settings)
    if context.start is not None:
        _take_over(context.start, where, parting)
        return where, parting, _parents(context.start), False
    if isinstance(where, EncoderUNet):
        return _with_encoders(settings["encoder"], weights, where, parting)
    return where, parting, (), False


def start_settings(start: Model) -> dict[str, Any]:
    """Return the settings of a model to begin with; raise `UsageError` when it does not fit."""
    settings = dict(start.card.settings)
    if start.card.method == "point_nuclei":
        return settings
    if start.card.method == MAPS_METHOD:
        return {"encoder": SMALL, "n_maps": N_MAPS, **settings}
    raise UsageError(
        _("Training cannot begin with “{title}”: it is of another method.").format(
            title=start.card.title
        ),
        _("Choose a model of “nuclei_unet” or “point_nuclei”."),
    )


def start_tensors(start: Model) -> dict[str, Any]:
    """Return the weights for `where_network` of a model to begin with."""
    if start.card.method == "point_nuclei":
        return part_of(start.tensors, WHERE)
    # Its maps are where nucleus is and how deep in it, which is near to how near a center is; the
    # head puts out a map's pixels one after another.
    n = N_MAPS * int(start.card.settings["fold"]) ** 2
    return {
        name: array[:n] if name.startswith("head.") else array
        for name, array in start.tensors.items()
    }


def _take_over(start: Model, where: nn.Module, parting: nn.Module) -> None:
    tensors = start_tensors(start)
    load_arrays(where, tensors)
    known = part_of(start.tensors, PARTING)
    if known:
        load_arrays(parting, known)
        return
    own = {name: array.numpy() for name, array in parting.state_dict().items()}
    shared = {f"network.{name}": np.asarray(array) for name, array in tensors.items()}
    heads = {name for name in shared if name.startswith("network.head.")}
    load_arrays(parting, {**own, **{k: v for k, v in shared.items() if k not in heads}})


def _parents(start: Model) -> tuple[Parent, ...]:
    card = start.card
    return (Parent(name=card.title, licence=card.licence, id=card.id), *card.parents)


def _with_encoders(
    name: str, weights: str, where: EncoderUNet, parting: nn.Module
) -> tuple[nn.Module, nn.Module, tuple[Parent, ...], bool]:
    source = source_named(name, weights)
    if source == "random":
        return where, parting, (), True
    encoder = build_encoder(name, source)
    for network in (where, parting.network):
        network.encoder.load_state_dict(encoder.state_dict())  # type: ignore[union-attr]
    return where, parting, (encoder.parent,) if encoder.parent else (), False
