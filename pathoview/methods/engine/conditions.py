"""What surrounds a training: as many threads as there are cores, and the same result twice."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch

from pathoview.core.machine import usable_cores


@contextlib.contextmanager
def all_cores(n_processes: int = 1) -> Iterator[None]:
    """Have torch compute with this process's share of the cores, and with as many as before after.

    A worker computes tiles with one thread each; a training has only one thread that computes.
    """
    before = torch.get_num_threads()
    torch.set_num_threads(max(1, usable_cores() // n_processes))
    try:
        yield
    finally:
        torch.set_num_threads(before)


@contextlib.contextmanager
def repeatable(device: torch.device) -> Iterator[None]:
    """Keep torch's random numbers as they are outside; on a CPU, have all sums be repeatable."""
    was_on = torch.are_deterministic_algorithms_enabled()
    was_warning = torch.is_deterministic_algorithms_warn_only_enabled()
    filling: Any = torch.utils.deterministic  # its attributes are not declared
    was_filling = filling.fill_uninitialized_memory
    with torch.random.fork_rng(devices=[]):
        try:
            if device.type == "cpu":
                torch.use_deterministic_algorithms(True, warn_only=True)
                filling.fill_uninitialized_memory = False  # it costs time
            yield
        finally:
            torch.use_deterministic_algorithms(was_on, warn_only=was_warning)
            filling.fill_uninitialized_memory = was_filling
