"""Which way networks are computed: measured, compared, and only taken where it is exact."""

from __future__ import annotations

import shutil
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from tiny_network import register, tiny_model  # noqa: E402

from pathoview.core.errors import UsageError  # noqa: E402
from pathoview.core.progress import SilentProgress  # noqa: E402
from pathoview.methods.engine import numerics  # noqa: E402
from pathoview.methods.engine.numerics import Measured  # noqa: E402
from pathoview.methods.library import LibraryModel, library, new_model_path  # noqa: E402
from pathoview.methods.model import Model, ModelCard, write_model  # noqa: E402
from pathoview.tasks import device, tune  # noqa: E402


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the library hold models of the tiny method only."""
    register(monkeypatch)
    monkeypatch.setattr(
        tune, "library", lambda: [one for one in library() if one.card.method == "tiny"]
    )


def pretend(monkeypatch: pytest.MonkeyPatch, **found: tuple[float, float, str]) -> None:
    """Have each path take so many seconds, be so far off, and have a problem."""

    def measure(network: Any, example: Any, paths: list[Any]) -> list[Measured]:
        return [Measured(path, *found.get(path, (1.0, 0.0, ""))) for path in paths]

    monkeypatch.setattr(numerics, "measure", measure)


def run(**request: Any) -> tuple[dict[str, dict[str, Any]], str]:
    result = tune.run(request, SilentProgress())
    return {row["path"]: row for row in result["paths"]}, result["fastest"]


def test_probabilities_of_a_patch_of_real_size_are_compared() -> None:
    model = tiny_model()
    result = tune.run({"model": str(model.path)}, SilentProgress())
    assert result["model"] == "Two kinds"
    assert result["image_px"] == [[64, 64]]  # 48 px and a halo of 8 µm on both sides
    rows = {row["path"]: row for row in result["paths"]}
    assert rows["float32"]["speed_up"] == 1
    assert rows["float32"]["max_error"] == 0
    assert 0 < rows["bf16"]["max_error"] < rows["bf16"]["tolerance"]
    assert "compile" not in rows
    allowed = [row for row in rows.values() if not row["problem"]]
    assert result["fastest"] == min(allowed, key=lambda row: row["seconds"])["path"]


def test_the_fastest_that_is_exact_is_proposed(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_model()
    pretend(monkeypatch, bf16=(0.2, 0.5, "It is not exact enough."), onnx=(0.5, 1e-6, ""))
    rows, fastest = run()
    assert fastest == "onnx"
    assert rows["onnx"]["speed_up"] == 2
    assert rows["bf16"]["problem"]
    pretend(monkeypatch, bf16=(1.5, 0, ""), onnx=(float("inf"), float("inf"), "Not installed."))
    rows, fastest = run()
    assert fastest == "float32"
    assert rows["onnx"]["seconds"] is None


def test_compiling_needs_a_compiler_and_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_model()
    monkeypatch.setattr(shutil, "which", lambda name: None)
    rows, _fastest = run(compile=True)
    assert "compiler" in rows["compile"]["problem"]
    monkeypatch.setattr(shutil, "which", lambda name: "/usr/bin/" + name)
    slow = Measured("compile", 0.1, 0.0, "", first_s=90.0)
    monkeypatch.setattr(
        numerics,
        "measure",
        lambda network, example, paths: [
            slow if path == "compile" else Measured(path, 1.0, 0.0) for path in paths
        ],
    )
    rows, fastest = run(compile=True)
    assert "90 s" in rows["compile"]["problem"]
    assert fastest == "float32"


def test_without_a_network_there_is_nothing_to_measure() -> None:
    with pytest.raises(UsageError, match="no model that a network") as caught:
        run()
    assert caught.value.hint


def test_a_picture_to_measure_on_has_the_colours_of_tissue() -> None:
    picture = tune.example_picture(64, 0.5)
    assert picture.shape == (64, 64, 3)
    assert (picture == tune.example_picture(64, 0.5)).all()
    assert picture.std() > 10
    assert picture[..., 1].mean() < picture[..., 0].mean()  # green is what H&E absorbs most


def test_the_device_is_told_with_its_reason() -> None:
    found = device.run({}, SilentProgress())
    assert found["name"]
    assert found["reason"].endswith(".")
    assert isinstance(found["gpus"], list)


def test_models_of_whole_slides_have_no_pictures_to_measure_with(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    card = ModelCard(title="Slides", method="attention_mil", kind="bag", mpp=0.5)
    path = new_model_path("slides")
    write_model(path, Model(card, {"weight": np.zeros(1, np.float32)}))
    with pytest.raises(UsageError, match="not computed by a network"):
        tune.run({"model": str(path)}, SilentProgress())
    monkeypatch.setattr(tune, "library", lambda: [LibraryModel(path, card)])
    with pytest.raises(UsageError, match="no model that a network computes"):
        tune.run({}, SilentProgress())
