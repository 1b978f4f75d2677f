"""One training in several processes, each with its own GPU and its part of every batch.

`companions` starts the others; `Team` is what the training loop sees of them, and does nothing for
one process. Gradients are averaged here rather than by `DistributedDataParallel`: that wants every
forward pass to go through its wrapper and every process to make equally many, but a learner may
call parts of its network, and a process that is short of memory takes its part in smaller pieces.

Small numbers travel by gloo before the gradients travel by NCCL. So a process that ended is noticed
at once, and waiting (a pause, a validation) is no hanging of the GPUs.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
import torch.distributed as dist

from pathoview.core.errors import RunError
from pathoview.core.registry import load_entry
from pathoview.core.translation import _

Batch = Mapping[str, npt.NDArray[Any]]

_PATIENCE = timedelta(days=1)
"""A paused training waits in a collective."""
_END_S = 60.0
"""What the others may take to end after the first one has."""
_DYING_S = 2.0
_LOOK_S = 0.02
_COMMAND = "from pathoview.methods.engine.distributed import accompany; accompany()"


@dataclass(frozen=True, slots=True)
class Team:
    """The processes that train one network; one alone is a team too."""

    rank: int = 0
    size: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that measures, reports and writes."""
        return self.rank == 0

    def device(self, name: str) -> torch.device:
        """Return this process's device of that kind."""
        if name.startswith("cuda") and self.size > 1:
            return torch.device("cuda", self.rank)
        return torch.device(name)

    def part(self, batch: Batch) -> tuple[Batch, float]:
        """Return this process's part of a batch, and which fraction of the batch it is.

        Where there is nothing left for it, it gets one sample that counts nothing.
        """
        if self.size == 1:
            return batch, 1.0
        n = batch_size(batch)
        mine = np.array_split(np.arange(n), self.size)[self.rank]
        rows = mine if len(mine) else np.zeros(1, np.intp)
        return {name: array[rows] for name, array in batch.items()}, len(mine) / n

    def sum(self, values: Sequence[float]) -> list[float]:
        """Return the sums of numbers over all processes."""
        if self.size == 1:
            return list(values)
        total = torch.tensor(values, dtype=torch.float64)
        dist.all_reduce(total)
        return [float(value) for value in total]

    def sum_gradients(self, weights: Sequence[torch.Tensor]) -> None:
        """Replace the gradient of each weight by its sum over all processes.

        A weight that nobody used stays without one, and the optimiser leaves it alone.
        """
        if self.size == 1:
            return
        n_users = self.sum([float(weight.grad is not None) for weight in weights])
        # A weight that one process did not use has no gradient there, but may have one elsewhere.
        for weight, n in zip(weights, n_users, strict=True):
            if n and weight.grad is None:
                weight.grad = torch.zeros_like(weight)
        self._sum([weight.grad for weight in weights if weight.grad is not None])

    def average(self, tensors: Sequence[torch.Tensor]) -> None:
        """Replace each tensor of floating numbers by its mean over all processes."""
        floating = [tensor for tensor in tensors if tensor.is_floating_point()]
        if self.size == 1 or not floating:
            return
        self._sum(floating)
        for tensor in floating:
            tensor /= self.size

    def follow_first(self, tensors: Sequence[torch.Tensor]) -> None:
        """Replace tensors by those of the first process."""
        if self.size == 1:
            return
        for tensor in tensors:
            values = tensor.detach().contiguous()
            dist.broadcast(values, 0)
            tensor.copy_(values)

    def _sum(self, tensors: Sequence[torch.Tensor]) -> None:
        """Sum in one go: a message a tensor would take longer than what it carries."""
        flat = torch.cat([tensor.flatten() for tensor in tensors])
        dist.all_reduce(flat)
        parts = torch.split(flat, [tensor.numel() for tensor in tensors])
        for tensor, values in zip(tensors, parts, strict=True):
            tensor.copy_(values.view(tensor.shape))


def current_team() -> Team:
    """Return the team that this process is in."""
    if not (dist.is_available() and dist.is_initialized()):
        return Team()
    return Team(dist.get_rank(), dist.get_world_size())


def batch_size(batch: Batch) -> int:
    """Return how many samples a batch has."""
    return len(next(iter(batch.values())))


def n_processes(device: str) -> int:
    """Return how many processes a training on that device takes: one a GPU."""
    return max(1, torch.cuda.device_count()) if device.startswith("cuda") else 1


@contextlib.contextmanager
def companions(entry: str, payload: Mapping[str, Any], n: int) -> Iterator[None]:
    """Have ``n`` - 1 other processes train along as long as the block lasts; 1: does nothing.

    Each calls ``entry`` (``"module:function"``) with the JSON-able payload, and has to come to the
    same `train` with the same learner. Raises `RunError` when one of them ended before its time.
    They end with this process, however it ends.
    """
    if n < 2:
        yield
        return
    with tempfile.TemporaryDirectory(prefix="pathoview-") as folder:
        meeting = str(Path(folder) / "meeting")
        store = _store(meeting, n)
        orders = [_order(entry, payload, rank, n, meeting) for rank in range(1, n)]
        others = [_start(order) for order in orders]
        try:
            _await(store, others)
            _meet(store, 0, n)
            yield
            for other in others:
                other.wait(_END_S)
        except (RuntimeError, subprocess.TimeoutExpired) as error:
            if not any(_has_failed(other) for other in others):
                raise
            raise _companion_lost() from error
        finally:
            _part(others)


def accompany() -> None:
    """Be a companion: read the order from standard input, and train along."""
    order = json.loads(sys.stdin.readline())
    threading.Thread(target=_end_with_parent, name="parent", daemon=True).start()
    store = _store(order["meeting"], order["n"])
    store.set(_here(order["rank"]), "")
    _meet(store, order["rank"], order["n"])
    load_entry(order["entry"])(order["payload"])
    dist.destroy_process_group()


def _end_with_parent() -> None:
    sys.stdin.read()  # ends when the first process closes its end, or is gone
    os._exit(0)


def _order(entry: str, payload: Mapping[str, Any], rank: int, n: int, meeting: str) -> str:
    order = {"entry": entry, "payload": payload, "rank": rank, "n": n, "meeting": meeting}
    return json.dumps(order) + "\n"


def _start(order: str) -> subprocess.Popen[str]:
    # Not by multiprocessing: a worker is a daemon, and those may have no children there.
    process = subprocess.Popen([sys.executable, "-c", _COMMAND], stdin=subprocess.PIPE, text=True)
    assert process.stdin is not None
    process.stdin.write(order)
    process.stdin.flush()
    return process


def _store(meeting: str, n: int) -> Any:
    """Return the file in which processes find each other."""
    return dist.FileStore(meeting, n)  # type: ignore[attr-defined]


def _here(rank: int) -> str:
    return f"process {rank} is here"


def _await(store: Any, others: Sequence[subprocess.Popen[str]]) -> None:
    """Wait until all have come; raise `RunError` when one never will."""
    keys = [_here(rank) for rank in range(1, len(others) + 1)]
    while not store.check(keys):
        if any(other.poll() is not None for other in others):
            raise _companion_lost()
        time.sleep(_LOOK_S)


def _meet(store: Any, rank: int, n: int) -> None:
    has_cuda = torch.cuda.is_available()
    if has_cuda:
        torch.cuda.set_device(rank)
    backend = "cpu:gloo,cuda:nccl" if has_cuda else "gloo"
    dist.init_process_group(backend, store=store, rank=rank, world_size=n, timeout=_PATIENCE)


def _has_failed(other: subprocess.Popen[str]) -> bool:
    """Say whether a process ended badly; it may be about to."""
    with contextlib.suppress(subprocess.TimeoutExpired):
        other.wait(_DYING_S)
    return other.returncode not in (None, 0)


def _companion_lost() -> RunError:
    return RunError(
        _("One of the processes that trained together has ended."),
        _("Train again; the log says what happened."),
    )


def _part(others: Sequence[subprocess.Popen[str]]) -> None:
    for other in others:
        other.kill()
        other.wait()
        assert other.stdin is not None
        other.stdin.close()
    if dist.is_initialized():
        dist.destroy_process_group()
