"""Two processes that train together give what one gives."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from pathoview.core.errors import RunError  # noqa: E402
from pathoview.core.progress import SilentProgress  # noqa: E402
from pathoview.methods.engine.distributed import (  # noqa: E402
    Team,
    companions,
    current_team,
    n_processes,
)
from pathoview.methods.engine.learner import Learner, Trained  # noqa: E402
from pathoview.methods.engine.plan import TrainingPlan  # noqa: E402
from pathoview.methods.engine.train import train  # noqa: E402
from pathoview.methods.engine.weights import arrays_of  # noqa: E402
from pathoview.methods.fitting import FitContext, Fitted  # noqa: E402

ENTRY = "tests.methods.engine.test_distributed:accompany"
PLAN = TrainingPlan(n_steps=6, lr=0.02, ema=0.5, clip_norm=0.1, validate_every=2, patience=2)


class Line(Learner):
    """Batches of five cannot be shared evenly; each process begins with other weights.

    Every second step, the first layer does not learn.
    """

    score = "score"
    fingerprint = "line"

    def __init__(self, seed: int) -> None:
        torch.manual_seed(seed)
        self.network = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(16, 1))
        self.scores = [0.1, 0.3, 0.2]

    def batch(self, step: int) -> dict[str, np.ndarray[Any, Any]]:
        rng = np.random.default_rng(step)
        return {"images": rng.random((5, 3, 4, 4), np.float32), "step": np.full(5, step)}

    def loss(
        self, network: nn.Module, batch: Mapping[str, Tensor]
    ) -> tuple[Tensor, dict[str, float]]:
        network.get_submodule("0").requires_grad_(int(batch["step"][0]) % 2 == 0)
        target = batch["images"].mean((1, 2, 3))[:, None]
        return (network(batch["images"]) - target).square().mean(), {}

    def validate(self, network: nn.Module) -> dict[str, float]:
        return {"score": self.scores.pop(0)}

    def fitted(self, network: nn.Module) -> Fitted:
        return Fitted(arrays_of(network), {})


def accompany(payload: Mapping[str, Any]) -> None:
    """What the second process does; it writes what it came to."""
    if payload.get("is_broken"):
        raise SystemExit(3)
    trained = fit(Line(seed=1), Path(payload["state"]))
    sums = {name: float(array.sum()) for name, array in trained.tensors.items()}
    Path(payload["sums"]).write_text(json.dumps([current_team().rank, trained.n_steps, sums]))


def fit(learner: Line, state: Path | None = None) -> Trained:
    return train(learner, PLAN, FitContext(SilentProgress(), state_path=state))


def test_two_processes_come_to_the_weights_of_one(tmp_path: Path) -> None:
    alone = fit(Line(seed=0))
    payload = {"sums": str(tmp_path / "sums.json"), "state": str(tmp_path / "state")}
    with companions(ENTRY, payload, 2):
        assert current_team() == Team(0, 2)
        together = fit(Line(seed=0), tmp_path / "state")
    assert current_team() == Team()
    assert together.best_step == alone.best_step == 4
    for name, array in alone.tensors.items():
        np.testing.assert_allclose(together.tensors[name], array, atol=1e-5)
    rank, n_steps, sums = json.loads((tmp_path / "sums.json").read_text())
    assert (rank, n_steps) == (1, 6)
    assert sums == {name: float(array.sum()) for name, array in together.tensors.items()}


def test_a_companion_that_ends_is_told_instead_of_waited_for(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="has ended"), companions(ENTRY, {"is_broken": True}, 2):
        fit(Line(seed=0))
    assert current_team() == Team()


def test_parts_of_a_batch_are_all_of_it_once() -> None:
    batch = {"images": np.arange(5), "targets": np.arange(5) * 2}
    parts = [Team(rank, 2).part(batch) for rank in range(2)]
    assert [part["images"].tolist() for part, _fraction in parts] == [[0, 1, 2], [3, 4]]
    assert [part["targets"].tolist() for part, _fraction in parts] == [[0, 2, 4], [6, 8]]
    assert [fraction for _part, fraction in parts] == [0.6, 0.4]
    left_over, fraction = Team(2, 3).part({"images": np.arange(2)})
    assert (left_over["images"].tolist(), fraction) == ([0], 0.0)


def test_there_is_a_process_for_each_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    assert (n_processes("cuda:0"), n_processes("cpu")) == (3, 1)
    assert Team(2, 3).device("cuda:0") == torch.device("cuda", 2)
    assert Team().device("cuda:1") == torch.device("cuda", 1)
