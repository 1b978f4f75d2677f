"""The networks of `scribble_segmentation`: a small U-Net, or one on an encoder."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pathoview.core.errors import UsageError
from pathoview.core.translation import _
from pathoview.methods.engine.encoder_list import ENCODERS
from pathoview.methods.engine.encoders import build_encoder, source_named
from pathoview.methods.engine.weights import arrays_of, load_arrays
from pathoview.methods.model import Model, Parent, Tensors
from pathoview.methods.networks.encoder_unet import EncoderUNet
from pathoview.methods.networks.unet import UNet

METHOD = "scribble_segmentation"
SMALL = "small U-Net"
_WIDTHS, _FOLD, _N_DEEPEST = (32, 64, 128), 2, 3
_ENCODERS = {"EfficientNet-Lite0": "tf_efficientnet_lite0", "ResNet-34": "resnet34"}

Settings = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Begun:
    """A network as training begins."""

    network: UNet | EncoderUNet
    settings: dict[str, Any]
    parents: tuple[Parent, ...] = ()


def network_of(settings: Settings) -> UNet | EncoderUNet:
    """Return the network that a model's settings tell of, with random weights."""
    n_outputs = len(settings["values"])
    if settings["network"] == SMALL:
        return UNet(n_outputs, widths=_WIDTHS, fold=_FOLD, n_deepest=_N_DEEPEST)
    name = _ENCODERS[settings["network"]]
    return EncoderUNet(build_encoder(name), ENCODERS.get(name).channels, n_outputs)


def begun(
    name: str,
    values: Sequence[int],
    names: Sequence[str],
    start: Model | None,
    seed: int,
    weights: str = "",
) -> Begun:
    """Return the network to train for classes, by their values in masks and their names.

    With ``start`` it is that model's, its outputs in the new order of the classes. Raises
    `UsageError` when that is a model of another method or of other classes. ``weights``: of the
    encoder, see `encoders.source_named`; raises `InputError` when they cannot be had.
    """
    import torch

    if start is not None:
        _check(start, names)
        name = start.card.settings["network"]
    settings = {"network": name, "values": list(values), "names": list(names)}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = network_of(settings)
    if start is not None:
        load_arrays(network, _reordered(start, names))
        card = start.card
        parent = Parent(name=card.title, licence=card.licence, id=card.id)
        return Begun(network, settings, (*card.parents, parent))
    encoder = _ENCODERS.get(name, "")
    if encoder and isinstance(network, EncoderUNet):
        filled = build_encoder(encoder, source_named(encoder, weights))
        load_arrays(network.encoder, arrays_of(filled))
        return Begun(network, settings, (filled.parent,) if filled.parent else ())
    return Begun(network, settings)


def _check(start: Model, names: Sequence[str]) -> None:
    """Raise `UsageError` unless training for these classes can go on from a model."""
    card = start.card
    if card.method != METHOD:
        raise UsageError(
            _("Training cannot begin with “{title}”: it is of another method.").format(
                title=card.title
            ),
            _("Choose a model of “{method}”, or begin without one.").format(method=METHOD),
        )
    known = card.settings["names"]
    if set(known) != set(names):
        raise UsageError(
            _(
                "“{title}” tells other classes than those labelled here: {known}; here: {here}."
            ).format(title=card.title, known=_listed(known), here=_listed(names)),
            _("Label the same classes, by the same names, or begin without a model."),
        )


def _listed(names: Sequence[str]) -> str:
    return ", ".join(name or _("Background") for name in names)


def _reordered(start: Model, names: Sequence[str]) -> Tensors:
    """Return a model's weights with its outputs in the order of these classes."""
    known = list(start.card.settings["names"])
    order = [known.index(name) for name in names]
    # Each class has the same number of rows: one for each of the pixels that are unfolded.
    return {
        name: array.reshape(len(known), -1, *array.shape[1:])[order].reshape(array.shape)
        if name.startswith("head.")
        else array
        for name, array in start.tensors.items()
    }
