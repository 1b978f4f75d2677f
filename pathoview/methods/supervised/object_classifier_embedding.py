"""What EfficientNet-Lite0, trained on photographs, sees in the pictures of objects."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from pathoview.core.errors import InputError
from pathoview.core.translation import _
from pathoview.methods.model import Parent
from pathoview.methods.object_features import PICTURE_PX, Floats, Pictures
from pathoview.methods.spec import Compute

if TYPE_CHECKING:
    from torch import Tensor

ENCODER = "tf_efficientnet_lite0"
_BATCH = 64
_WHOLE, _MIDDLE = slice(2, 5), slice(1, 4)
"""Which maps of features are averaged over the whole picture, and over its middle third."""


class Embedding:
    """Pictures → numbers. The network is read when it is first needed; safe from any thread."""

    def __init__(self, compute: Compute) -> None:
        self._compute = compute
        self._lock = threading.Lock()
        self._ready: tuple[Callable[[Tensor], Any], Parent] | None = None

    @property
    def parent(self) -> Parent:
        """Whose weights these are."""
        return self._network()[1]

    def check(self, wanted: str) -> None:
        """Raise `InputError` when the installed weights are not those of an id."""
        if self.parent.id != wanted:
            raise InputError(
                _("This model was trained with other weights of {name}.").format(name=ENCODER),
                _("Train it again with this installation."),
            )

    def rows(self, shown: Pictures) -> Floats:
        """Return (n, k) of (n, side, side, 3) RGB."""
        import torch

        network, _parent = self._network()
        found = []
        for start in range(0, max(1, len(shown)), _BATCH):
            batch = torch.from_numpy(shown[start : start + _BATCH]).to(self._compute.device)
            with torch.inference_mode():
                maps = network(batch.permute(0, 3, 1, 2).float() / 255)
                pooled = [_mean(one) for one in maps[_WHOLE]]
                pooled += [_mean(_middle(one)) for one in maps[_MIDDLE]]
                found.append(torch.cat(pooled, dim=1).float().cpu().numpy())
        return np.concatenate(found)

    def _network(self) -> tuple[Callable[[Tensor], Any], Parent]:
        with self._lock:
            if self._ready is None:
                self._ready = self._built()
            return self._ready

    def _built(self) -> tuple[Callable[[Tensor], Any], Parent]:
        import torch

        from pathoview.methods.engine.encoders import build_encoder
        from pathoview.methods.engine.numerics import prepare

        encoder = build_encoder(ENCODER, "bundled").eval()
        assert encoder.parent is not None
        example = torch.zeros(2, 3, PICTURE_PX, PICTURE_PX, device=self._compute.device)
        return prepare(encoder, self._compute.numerics, example), encoder.parent  # type: ignore[arg-type]


def _mean(one: Tensor) -> Tensor:
    return one.mean(dim=(2, 3))


def _middle(one: Tensor) -> Tensor:
    side = one.shape[-1]
    inner = max(1, side // 3)
    start = (side - inner) // 2
    stop = side - start
    return one[:, :, start:stop, start:stop]
