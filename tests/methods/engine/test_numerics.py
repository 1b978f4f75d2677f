"""Ways to compute a network: what they give, and how wrong they are."""

from __future__ import annotations

import sys
from typing import Any

import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from pathoview.core.errors import RunError  # noqa: E402
from pathoview.methods.engine import numerics  # noqa: E402
from pathoview.methods.engine.numerics import TOLERANCE, measure, outputs, prepare  # noqa: E402


class Two(nn.Module):
    """Gives a map and a number an image."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU())
        self.head = nn.Conv2d(8, 2, 1)

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        features = self.body(images)
        return {"map": self.head(features), "number": features.mean((1, 2, 3))}


@pytest.mark.parametrize("path", ["float32", "bf16", "onnx"])
def test_every_path_gives_what_the_network_gives(path: numerics.NumericPath) -> None:
    if path == "onnx":
        pytest.importorskip("onnx")
        pytest.importorskip("onnxruntime")
    network = Two().eval()
    compute = prepare(network, path, torch.rand(2, 3, 16, 16))
    images = torch.rand(3, 3, 24, 32)
    with torch.no_grad():
        expected = network(images)
    found = outputs(compute(images))
    for one, other in zip(found, expected.values(), strict=True):
        assert torch.allclose(one.float(), other, atol=max(1e-6, TOLERANCE[path]))


def test_a_path_is_measured_against_float32() -> None:
    found = measure(Two().eval(), torch.rand(1, 3, 16, 16), ["float32", "bf16"])
    assert [one.path for one in found] == ["float32", "bf16"]
    assert found[0].max_error == 0
    assert 0 < found[1].max_error < TOLERANCE["bf16"]
    assert all(one.seconds > 0 and not one.problem for one in found)


def test_a_path_that_is_wrong_or_missing_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(numerics.TOLERANCE, "bf16", 0.0)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)

    def broken(*arguments: Any, **options: Any) -> Any:
        raise RuntimeError("no compiler")

    monkeypatch.setattr(torch, "compile", broken)
    example = torch.rand(1, 3, 16, 16)
    wrong, missing, failing = measure(Two().eval(), example, ["bf16", "onnx", "compile"])
    assert "not exact enough" in wrong.problem
    assert missing.seconds == float("inf")
    assert "ONNX Runtime" in missing.problem
    assert failing.problem == "no compiler"
    with pytest.raises(RunError, match="ONNX Runtime"):
        prepare(Two(), "onnx", example)


def test_the_network_is_left_as_it_is() -> None:
    network = Two().train()
    measure(network, torch.rand(1, 3, 16, 16), ["float32", "bf16"])
    assert network.training
    assert all(weight.requires_grad for weight in network.parameters())
