"""A training takes a process a GPU, and comes to the same model with two as with one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from teaching import teach_study  # noqa: E402
from tiny_network import register  # noqa: E402

from pathoview.core.paths import data_folder  # noqa: E402
from pathoview.core.progress import SilentProgress  # noqa: E402
from pathoview.methods.engine import distributed  # noqa: E402
from pathoview.methods.model import Model, read_model  # noqa: E402
from pathoview.tasks import train  # noqa: E402


@pytest.fixture(autouse=True)
def tiny(monkeypatch: pytest.MonkeyPatch) -> None:
    register(monkeypatch)
    monkeypatch.setattr(train, "ENTRY", "tiny_network:accompany")
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    torch.manual_seed(0)


def trained(study: Path, output: Path) -> Model:
    order = {"method": "tiny", "study": str(study), "output": str(output), "seed": 4}
    train.run(order, SilentProgress())
    return read_model(output)


def test_two_processes_come_to_the_model_of_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Any] = []
    start = distributed._start

    def noting(order: str) -> Any:
        started.append(start(order))
        return started[-1]

    monkeypatch.setattr(distributed, "_start", noting)
    study, _slide = teach_study(tmp_path, "scribbles")
    alone = trained(study, tmp_path / "alone.safetensors")
    assert started == []
    torch.manual_seed(0)
    monkeypatch.setattr(distributed, "n_processes", lambda device: 2)
    together = trained(study, tmp_path / "together.safetensors")
    assert [one.returncode for one in started] == [0]
    for name, array in alone.tensors.items():
        np.testing.assert_allclose(together.tensors[name], array, atol=1e-5)
    assert together.card.familiarity == alone.card.familiarity
    assert not list((data_folder() / "training").glob("*"))
