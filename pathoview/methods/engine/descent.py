"""One step's gradient: a batch, in smaller pieces where memory is short."""

from __future__ import annotations

import contextlib
import logging
import zlib
from collections import Counter
from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from pathoview.core.errors import RunError
from pathoview.core.translation import _
from pathoview.methods.engine.distributed import Batch, batch_size
from pathoview.methods.engine.learner import Learner
from pathoview.methods.engine.plan import TrainingNumerics

_logger = logging.getLogger(__name__)

_NO_MEMORY = ("out of memory", "can't allocate", "cannot allocate", "not enough memory")


def seed_of(seed: int, stage: str, step: int, rank: int = 0) -> int:
    """Return the seed of a step, unlike that of any other."""
    parts = [abs(seed), zlib.crc32(stage.encode()), step, rank]
    return int(np.random.SeedSequence(parts).generate_state(1, np.uint64)[0])


class Gradient:
    """Computes the gradient of a batch's mean loss into the weights of the learner's network."""

    def __init__(self, learner: Learner, device: torch.device, numerics: TrainingNumerics) -> None:
        self._learner = learner
        self._device = device
        self._numerics = numerics
        self.n_pieces = 1

    def compute(self, batch: Batch, fraction: float, seed: int) -> tuple[float, dict[str, float]]:
        """Return the loss, times ``fraction`` like the gradient, and what else was measured.

        Raises `RunError` when memory does not suffice for a single sample.
        """
        while True:
            torch.manual_seed(seed)
            try:
                return self._in_pieces(batch, fraction)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error):
                    raise
                self._take_smaller_pieces(batch_size(batch), error)
            self._free()

    def _in_pieces(self, batch: Batch, fraction: float) -> tuple[float, dict[str, float]]:
        self._learner.network.zero_grad(set_to_none=True)
        n, total = batch_size(batch), 0.0
        sums: Counter[str] = Counter()
        for piece in self._pieces(batch):
            share = batch_size(piece) / n
            with autocast(self._device, self._numerics):
                tensors = {name: self._tensor(array) for name, array in piece.items()}
                loss, said = self._learner.loss(self._learner.network, tensors)
            weighted = loss.float() * (share * fraction)
            weighted.backward()  # type: ignore[no-untyped-call]
            total += float(weighted.detach())
            for name, value in said.items():
                sums[name] += float(value) * share  # type: ignore[assignment]
        return total, dict(sums)

    def _pieces(self, batch: Batch) -> Iterator[Batch]:
        if self.n_pieces == 1:
            yield batch
            return
        n = batch_size(batch)
        for rows in np.array_split(np.arange(n), min(n, self.n_pieces)):
            yield {name: array[rows] for name, array in batch.items()}

    def _tensor(self, array: npt.NDArray[Any]) -> Tensor:
        own = array if array.flags.writeable else array.copy()
        tensor = torch.from_numpy(np.ascontiguousarray(own)).to(self._device)
        if tensor.ndim == 4 and tensor.is_floating_point():
            return tensor.to(memory_format=torch.channels_last)
        return tensor

    def _take_smaller_pieces(self, n: int, error: Exception) -> None:
        if self.n_pieces >= n:
            raise RunError(
                _("There is not enough memory to train, not even with one image at a time."),
                _("Choose smaller patches or a smaller network, or close other programs."),
            ) from error
        self.n_pieces *= 2
        _logger.warning("memory is short: batches of %d in %d pieces", n, self.n_pieces)

    def _free(self) -> None:
        self._learner.network.zero_grad(set_to_none=True)
        if self._device.type == "cuda":
            torch.cuda.empty_cache()


def autocast(
    device: torch.device, numerics: TrainingNumerics
) -> contextlib.AbstractContextManager[object]:
    """Return the surroundings in which a network computes with the given numbers."""
    if numerics == "bf16":
        return torch.autocast(device.type, torch.bfloat16)
    return contextlib.nullcontext()


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an error is a lack of memory, by its kind or its words."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return any(words in str(error).lower() for words in _NO_MEMORY)
