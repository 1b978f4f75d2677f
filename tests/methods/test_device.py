"""The device a torch method computes on, and the sentence that says why."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from pathoview.methods.engine import device

torch = pytest.importorskip("torch")


def choose(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> device.Device:
    """Choose anew on a machine with the given properties."""
    cuda = SimpleNamespace(
        is_available=lambda: changes.get("cuda", False), get_device_name=lambda index: "H9000"
    )
    mps = SimpleNamespace(is_available=lambda: changes.get("mps", False))
    monkeypatch.setattr(torch, "cuda", cuda)
    monkeypatch.setattr(torch.backends, "mps", mps)
    monkeypatch.setattr(torch.version, "cuda", changes.get("built_for"))
    monkeypatch.setattr(device, "_problem", lambda torch, name: changes.get("problem", ""))
    monkeypatch.setattr(device, "_has_nvidia_gpu", lambda: changes.get("has_gpu", False))
    device.choose_device.cache_clear()
    chosen = device.choose_device()
    device.choose_device.cache_clear()
    return chosen


def test_a_gpu_that_computes_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = choose(monkeypatch, cuda=True)
    assert (chosen.name, chosen.is_gpu) == ("cuda:0", True)
    assert "H9000" in chosen.reason
    assert choose(monkeypatch, mps=True).name == "mps"


@pytest.mark.parametrize(
    ("machine", "words"),
    [
        ({"cuda": True, "problem": "no kernel image is available"}, "no kernel image"),
        ({}, "No GPU"),
        ({"has_gpu": True}, "without CUDA"),
        ({"has_gpu": True, "built_for": "12.8"}, "driver does not work with CUDA 12.8"),
    ],
)
def test_the_reason_says_why_no_gpu_is_used(
    monkeypatch: pytest.MonkeyPatch, machine: dict[str, Any], words: str
) -> None:
    chosen = choose(monkeypatch, **machine)
    assert (chosen.name, chosen.is_gpu) == ("cpu", False)
    assert words in chosen.reason
    assert "\n" not in chosen.reason


def test_a_device_that_does_not_compute_tells_its_first_line() -> None:
    assert device._problem(torch, "cpu") == ""
    assert device._problem(torch, "meta") != ""
