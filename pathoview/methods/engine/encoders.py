"""Networks that turn an image into maps of features, from fine to coarse, by name.

`encoder_list` says which there are. Nothing is fetched from the network unless ``source="hub"``
asks for it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Literal, cast, get_args

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from pathoview.core.errors import InputError, UsageError
from pathoview.core.paths import resources_folder
from pathoview.core.translation import _
from pathoview.methods.engine.efficientnet_lite import lite0_file, timm_names
from pathoview.methods.engine.encoder_list import ENCODERS, EncoderSpec
from pathoview.methods.engine.torchvision_shim import make_importable
from pathoview.methods.engine.weights import array_of
from pathoview.methods.model import Parent, read_card, weights_hash

Source = Literal["random", "bundled", "hub"]

TAUGHT = "body.encoder.body."
"""Before the names of an encoder's weights, in a model that was taught with it."""
_COUNT = "num_batches_tracked"
_NAMED = 3


class Encoder(nn.Module):
    """Image → maps of features. Normalises by itself, and says what its weights come from."""

    def __init__(self, spec: EncoderSpec, body: nn.Module, parent: Parent | None) -> None:
        super().__init__()
        self.spec = spec
        self.body = body
        self.parent = parent
        """For the model card; None: the weights are random."""
        self._mean: Tensor
        self._std: Tensor
        self.register_buffer("_mean", torch.tensor(spec.mean).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("_std", torch.tensor(spec.std).view(1, 3, 1, 1), persistent=False)

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return (N, channels[i], H / strides[i], W / strides[i]) of (N, 3, H, W) RGB, 0–1.

        An encoder without strides gives a single vector, (N, channels[0]).
        """
        given: list[Tensor] | Tensor = self.body((images - self._mean) / self._std)
        return [given] if isinstance(given, Tensor) else given


def build_encoder(name: str, source: Source | Path = "random") -> Encoder:
    """Return an encoder with random, bundled or the hub's weights, or those of a file.

    A file is safetensors or what ``torch.save`` made of a state dict; its names are timm's, and
    what it says of a classifier is left out. A model that was taught with its encoder gives that.

    Raises `UsageError` for an unknown name or without bundled weights, `InputError` when weights
    cannot be had or are of another network.
    """
    spec = ENCODERS.get(name)
    options = {"features_only": True} if spec.strides else {}
    body = _timm().create_model(spec.timm_name, pretrained=False, **options, **spec.options)
    match source:
        case "random":
            return Encoder(spec, body, None)
        case "bundled":
            weights, parent = _bundled(spec)
        case "hub":
            weights, parent = _from_hub(spec)
        case Path():
            weights = read_weights(source)
            parent = _parent(source.name, spec.file_licence, source)
            if any(key.startswith(TAUGHT) for key in weights):
                return _taught(spec, body, weights, source)
    _fill(body, weights, parent.name)
    return Encoder(spec, body, parent)


def body_hash(body: nn.Module) -> str:
    """Return a hash of a network's weights, equal for equal ones wherever they come from."""
    return weights_hash({name: array_of(value) for name, value in body.state_dict().items()})


def _taught(
    spec: EncoderSpec, body: nn.Module, weights: Mapping[str, Tensor], path: Path
) -> Encoder:
    """Return the encoder that a model of this program was taught with."""
    card = read_card(path)
    own = {
        # A count comes back from a model's file as an array of one.
        key.removeprefix(TAUGHT): value.reshape(()) if key.endswith(_COUNT) else value
        for key, value in weights.items()
        if key.startswith(TAUGHT)
    }
    _fill(body, own, path.name)
    return Encoder(spec, body, Parent(name=card.title, licence=card.licence, id=body_hash(body)))


def source_named(name: str, said: str) -> Source | Path:
    """Return where an encoder's weights come from, as a person says it.

    One of `Source`, a file, or nothing: those that came with the program, else random ones.
    """
    if not said:
        return "bundled" if ENCODERS.get(name).is_bundled else "random"
    return cast("Source", said) if said in get_args(Source) else Path(said)


def read_weights(path: Path) -> dict[str, Tensor]:
    """Return the tensors of a file, without running what else it may hold; raise `InputError`."""
    try:
        if path.suffix == ".safetensors":
            return safetensors.torch.load_file(path)
        loaded = torch.load(path, map_location="cpu", weights_only=True)
    # torch tells of a file that is none, or holds code, by whatever its unpickler stumbled on
    except Exception as error:
        raise InputError(
            _("The weights in “{name}” cannot be read.").format(name=path.name),
            _("Choose a .safetensors file, or a .pth file that holds tensors only."),
        ) from error
    inner = loaded.get("state_dict", loaded) if isinstance(loaded, dict) else {}
    return {name: value for name, value in inner.items() if isinstance(value, Tensor)}


def _timm() -> ModuleType:
    make_importable()
    import timm

    module: ModuleType = timm
    return module


def _bundled(spec: EncoderSpec) -> tuple[dict[str, Tensor], Parent]:
    if not spec.is_bundled:
        known = ", ".join(entry.name for entry in ENCODERS if entry.is_bundled)
        raise UsageError(
            _("There are no weights of {name} in this installation.").format(name=spec.name),
            _("Take {names}, or choose a file of weights.").format(names=known),
        )
    if spec.bundled_file:
        path = resources_folder() / "models" / spec.bundled_file
        weights = read_weights(path)
    else:
        path = lite0_file()
        weights = timm_names(read_weights(path))
    return weights, _parent(spec.origin, spec.licence, path)


def _from_hub(spec: EncoderSpec) -> tuple[dict[str, Tensor], Parent]:
    if spec.hub == "" and spec.is_bundled:
        raise UsageError(
            _("The hub has no weights of {name}.").format(name=spec.name),
            _("Take those that came with the program."),
        )
    if spec.hub == "":
        raise UsageError(
            _("The weights of {name} are given to persons only.").format(name=spec.name),
            _("Ask for them where they are given out, then choose the file."),
        )
    try:
        network = _timm().create_model(spec.hub or spec.name, pretrained=True, **spec.options)
    except (OSError, RuntimeError, ValueError) as error:
        raise InputError(
            _("The weights of {name} could not be fetched from the hub.").format(name=spec.name),
            _("Is this computer online? A file of weights can be chosen instead."),
        ) from error
    weights: dict[str, Tensor] = network.state_dict()
    return weights, Parent(name=spec.origin, licence=spec.licence, id=_hash_of_tensors(weights))


def _fill(body: nn.Module, weights: Mapping[str, Tensor], name: str) -> None:
    """Load what the body has; raise `InputError` when anything of it is missing or otherwise."""
    wanted = body.state_dict()
    counts = {key for key in wanted if key.endswith(_COUNT)}
    wrong = [
        key
        for key in wanted.keys() - counts
        if key not in weights or weights[key].shape != wanted[key].shape
    ]
    if wrong:
        sentence = _("“{name}” has weights of another network: {n} of {total} do not fit ({keys}).")
        keys = ", ".join(sorted(wrong)[:_NAMED])
        raise InputError(
            sentence.format(name=name, n=len(wrong), total=len(wanted), keys=keys),
            _("Choose the encoder that these weights are of."),
        )
    body.load_state_dict({key: weights.get(key, wanted[key]) for key in wanted})


def _parent(name: str, licence: str, path: Path) -> Parent:
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256")
    return Parent(name=name, licence=licence, id=f"sha256:{digest.hexdigest()}")


def _hash_of_tensors(weights: Mapping[str, Tensor]) -> str:
    data = safetensors.torch.save({name: value.contiguous() for name, value in weights.items()})
    return f"sha256:{hashlib.sha256(data).hexdigest()}"
