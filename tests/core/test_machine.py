from __future__ import annotations

import os
from pathlib import Path

import pytest

from pathoview.core import machine

GIB = 2**30


@pytest.fixture
def limit(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "memory.max"
    monkeypatch.setattr(machine, "_CGROUP_LIMIT", path)
    monkeypatch.setattr(machine, "_machine_bytes", lambda: 16 * GIB)
    return path


@pytest.mark.parametrize(
    ("text", "expected"),
    [("max\n", 16), (f"{3 * GIB}\n", 3), (f"{64 * GIB}\n", 16), ("?", 16), (None, 16)],
)
def test_a_container_has_what_it_may_take(limit: Path, text: str | None, expected: int) -> None:
    if text is not None:
        limit.write_text(text)
    assert machine.memory_bytes() == expected * GIB


def test_cores_are_those_that_the_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _process: {1, 3}, raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    assert machine.usable_cores() == 2
    monkeypatch.delattr(os, "sched_getaffinity")
    assert machine.usable_cores() == 8
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert machine.usable_cores() == 1


def test_a_machine_that_does_not_tell_is_taken_for_a_small_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert machine._machine_bytes() > GIB / 4
    monkeypatch.delattr(os, "sysconf", raising=False)
    assert machine._machine_bytes() == 4 * GIB
