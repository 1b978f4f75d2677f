"""The training loop: the same result whatever happens on the way, and clear words when it fails."""

from __future__ import annotations

import copy
import math
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor, nn  # noqa: E402

from pathoview.core.errors import Cancelled, RunError, StorageError  # noqa: E402
from pathoview.core.machine import usable_cores  # noqa: E402
from pathoview.core.progress import Control, SilentProgress  # noqa: E402
from pathoview.methods.engine import descent  # noqa: E402
from pathoview.methods.engine import train as loop  # noqa: E402
from pathoview.methods.engine.learner import Learner, Trained  # noqa: E402
from pathoview.methods.engine.plan import (  # noqa: E402
    TrainingPlan,
    learning_rate,
    make_optimizer,
)
from pathoview.methods.engine.state import forget_states, state_file  # noqa: E402
from pathoview.methods.engine.train import train  # noqa: E402
from pathoview.methods.engine.weights import arrays_of, load_arrays  # noqa: E402
from pathoview.methods.fitting import FitContext, Fitted  # noqa: E402

PLAN = TrainingPlan(
    n_steps=12, lr=0.02, weight_decay=0.01, ema=0.9, clip_norm=1.0, validate_every=4
)


class Killed(BaseException):
    """Stands for the end of the process at any place."""


class Squares(Learner):
    """Learns noisy images' means with dropout and batch norm: all that has a state or chance."""

    score = "score"

    def __init__(self, fingerprint: str = "squares") -> None:
        torch.manual_seed(5)
        self.network = nn.Sequential(
            nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.3),
            nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 1),
        )  # fmt: skip
        self.fingerprint = fingerprint
        self.scores: list[float] = []
        self.before_loss: Callable[[int], None] = lambda n: None
        self.sizes: list[int] = []

    def batch(self, step: int) -> dict[str, np.ndarray[Any, Any]]:
        rng = np.random.default_rng(step)
        images = rng.random((4, 3, 6, 6), np.float32)
        return {"images": images, "targets": images.mean((1, 2, 3))[:, None] * 2}

    def loss(
        self, network: nn.Module, batch: Mapping[str, Tensor]
    ) -> tuple[Tensor, dict[str, float]]:
        self.before_loss(len(batch["images"]))
        self.sizes.append(len(batch["images"]))
        noisy = batch["images"] + torch.randn_like(batch["images"]) * 0.01
        error = (network(noisy) - batch["targets"]).square().mean()
        return error, {"error": float(error.detach())}

    def validate(self, network: nn.Module) -> dict[str, float]:
        assert not network.training
        if self.scores:
            return {"score": self.scores.pop(0)}
        return {"score": float(network(torch.ones(1, 3, 6, 6)))}

    def fitted(self, network: nn.Module) -> Fitted:
        return Fitted(arrays_of(network), {"of": "squares"})


class Worsening(Squares):
    """Is best at the first validation, so that what counts at the end comes from a state."""

    def validate(self, network: nn.Module) -> dict[str, float]:
        return {"score": -float(network.get_buffer("1.num_batches_tracked"))}


class Watched(SilentProgress):
    """Keeps what it is told; may raise at a check, as a kill would."""

    def __init__(self, kill_at: int = -1, control: Control | None = None) -> None:
        super().__init__(control)
        self.kill_at, self.n_checks = kill_at, 0
        self.events: list[tuple[str, Mapping[str, object]]] = []
        self.reports: list[tuple[float, dict[str, float]]] = []

    def check(self) -> None:
        super().check()
        self.n_checks += 1
        if self.n_checks == self.kill_at:
            raise Killed

    def event(self, kind: str, data: Mapping[str, object]) -> None:
        self.events.append((kind, data))

    def report(self, fraction: float, text: str = "", **metrics: float) -> None:
        self.reports.append((fraction, metrics))

    def notices(self) -> list[Mapping[str, object]]:
        return [data for kind, data in self.events if kind == "notice"]


def run(learner: Learner | None = None, plan: TrainingPlan = PLAN, **context: Any) -> Trained:
    context.setdefault("progress", SilentProgress())
    return train(learner or Squares(), plan, FitContext(**context))


def assert_same(one: Trained, other: Trained) -> None:
    assert one.tensors.keys() == other.tensors.keys()
    for name, array in one.tensors.items():
        np.testing.assert_array_equal(array, other.tensors[name], strict=True)
    assert (one.metrics, one.curves) == (other.metrics, other.curves)
    assert (one.n_steps, one.best_step) == (other.n_steps, other.best_step)


def test_it_learns_and_gives_float32_arrays_in_c_order() -> None:
    learner = Squares()
    plan = replace(PLAN, n_steps=60, ema=0.0, validate_every=0)
    trained = run(learner, plan)
    losses = [point["loss"] for point in trained.curves]
    assert np.mean(losses[-10:]) < 0.3 * losses[0]
    floats = [array for array in trained.tensors.values() if array.dtype.kind == "f"]
    assert floats
    assert all(array.dtype == np.float32 and array.flags.c_contiguous for array in floats)
    for name, array in arrays_of(learner.network).items():
        np.testing.assert_array_equal(array, trained.tensors[name])


def test_the_same_seed_gives_the_same_result_and_another_seed_another() -> None:
    first = run()
    assert_same(first, run())
    assert any((first.tensors[name] != array).any() for name, array in run(seed=1).tensors.items())


@pytest.mark.parametrize("optimizer", ["adamw", "adam", "sgd"])
@pytest.mark.parametrize("kept_every", [0.0, 1e9])
def test_a_killed_training_goes_on_to_exactly_the_same_result(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, optimizer: Any, kept_every: float
) -> None:
    monkeypatch.setattr(loop, "_KEEP_EVERY_S", kept_every)
    plan = replace(PLAN, optimizer=optimizer)
    whole = run(Worsening(), plan)
    assert whole.best_step == 4
    path = tmp_path / "state"
    for kill_at in (2, 4, 1, 5):  # counted from where it goes on
        with pytest.raises(Killed):
            run(Worsening(), plan, state_path=path, progress=Watched(kill_at))
    progress = Watched()
    assert_same(run(Worsening(), plan, state_path=path, progress=progress), whole)
    assert progress.n_checks < plan.n_steps
    again = Watched()
    assert_same(run(Worsening(), plan, state_path=path, progress=again), whole)
    assert again.n_checks == 0


class Choosing(Squares):
    """Chooses what it learns from by its network, and by what it chose before."""

    rounds = (0, 2, 7)

    def __init__(self) -> None:
        super().__init__()
        self.begun: list[int] = []
        self.chosen = np.zeros(3, np.float32)

    def begin_round(self, number: int, network: nn.Module) -> dict[str, float]:
        assert not network.training
        assert not torch.is_grad_enabled()
        self.begun.append(number)
        weight = float(network.get_parameter("6.weight").sum())
        self.chosen = self.chosen / 2 + np.float32(weight + number) * np.arange(1, 4)
        return {"chosen": float(self.chosen[0])}

    def kept(self) -> dict[str, np.ndarray[Any, Any]]:
        return {"chosen": self.chosen}

    def go_on(self, kept: Mapping[str, np.ndarray[Any, Any]]) -> None:
        self.chosen = kept["chosen"]

    def batch(self, step: int) -> dict[str, np.ndarray[Any, Any]]:
        made = super().batch(step)
        return {**made, "targets": made["targets"] + self.chosen[0]}


def test_what_each_round_learns_from_is_chosen_by_the_network_and_measured_where_it_ends() -> None:
    learner = Choosing()
    plan = replace(PLAN, validate_every=0)
    trained = run(learner, plan)
    assert learner.begun == [0, 1, 2]
    assert [one["step"] for one in trained.curves if "score" in one] == [2, 7, 12]
    told = [one["chosen"] for one in trained.curves if "chosen" in one]
    assert len(set(told)) == 3
    assert run(Choosing(), replace(plan, n_steps=5)).n_steps == 5


@pytest.mark.parametrize("kept_every", [0.0, 1e9])
def test_a_training_killed_within_a_round_goes_on_with_what_was_chosen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept_every: float
) -> None:
    monkeypatch.setattr(loop, "_KEEP_EVERY_S", kept_every)
    whole = run(Choosing())
    path = tmp_path / "state"
    for kill_at in (2, 3, 1, 4):  # counted from where it goes on
        with pytest.raises(Killed):
            run(Choosing(), state_path=path, progress=Watched(kill_at))
    last = Choosing()
    assert_same(run(last, state_path=path), whole)
    assert 0 not in last.begun


@pytest.mark.parametrize(
    ("fingerprint", "plan", "seed"),
    [("others", PLAN, 0), ("squares", replace(PLAN, lr=0.01), 0), ("squares", PLAN, 1)],
)
def test_a_state_of_another_training_is_not_gone_on_from(
    tmp_path: Path, fingerprint: str, plan: TrainingPlan, seed: int
) -> None:
    path = tmp_path / "state"
    run(state_path=path)
    progress = Watched()
    run(Squares(fingerprint), plan, state_path=path, seed=seed, progress=progress)
    assert progress.n_checks == plan.n_steps


@pytest.mark.parametrize("damage", ["cut", "flipped", "text"])
def test_a_damaged_state_is_ignored_and_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: str
) -> None:
    path = tmp_path / "state"
    whole = run(state_path=path)
    data = bytearray(path.read_bytes())
    data[-3] ^= 255
    path.write_bytes({"cut": data[:-40], "flipped": data, "text": b"no state"}[damage])
    progress = Watched()
    assert_same(run(state_path=path, progress=progress), whole)
    assert progress.n_checks == PLAN.n_steps
    assert "damaged" in caplog.text


def test_stages_keep_their_own_states_and_their_part_of_the_bar(tmp_path: Path) -> None:
    path = tmp_path / "state"
    progress = Watched()
    context = FitContext(progress, state_path=path)
    first = train(Squares(), PLAN, context, stage="one", span=(0.0, 0.25))
    second = train(Squares(), PLAN, context, stage="two", span=(0.25, 1.0))
    assert any((first.tensors[name] != second.tensors[name]).any() for name in first.tensors)
    assert progress.reports[11][0] == pytest.approx(0.25)
    assert progress.reports[-1][0] == pytest.approx(1.0)
    assert state_file(path, "one").exists()
    (tmp_path / ".state.0123.part").touch()
    (tmp_path / "other").touch()
    forget_states(path)
    assert [file.name for file in tmp_path.iterdir()] == ["other"]


def test_the_average_is_the_closed_form_after_three_steps() -> None:
    weights = weights_of_steps(3)
    d = 0.5
    expected = d**3 * weights[0] + (1 - d) * (d * d * weights[1] + d * weights[2] + weights[3])
    averaged = run(plan=replace(PLAN, n_steps=3, ema=d, validate_every=0, schedule="constant"))
    np.testing.assert_allclose(averaged.tensors["6.weight"], expected, rtol=1e-5)


def test_a_slow_average_begins_as_the_plain_mean() -> None:
    averaged = run(plan=replace(PLAN, n_steps=3, ema=0.999, validate_every=0, schedule="constant"))
    expected = np.mean(weights_of_steps(3), axis=0)
    np.testing.assert_allclose(averaged.tensors["6.weight"], expected, rtol=1e-5)


def weights_of_steps(n: int) -> list[np.ndarray[Any, Any]]:
    plan = replace(PLAN, ema=0.0, validate_every=0, schedule="constant")
    start = arrays_of(Squares().network)["6.weight"]
    ends = [run(plan=replace(plan, n_steps=step)).tensors["6.weight"] for step in range(1, n + 1)]
    return [start, *ends]


def test_the_best_weights_count_and_patience_ends_the_training() -> None:
    learner = Squares()
    learner.scores = [0.5, 0.9, 0.2, 0.9, 0.1, 0.95]
    plan = replace(PLAN, n_steps=60, validate_every=2, patience=3, ema=0.0, schedule="constant")
    trained = run(learner, plan)
    assert (trained.n_steps, trained.best_step) == (10, 4)
    assert trained.metrics == {"score": 0.9}
    after_four = run(plan=replace(plan, n_steps=4, validate_every=0))
    np.testing.assert_array_equal(trained.tensors["6.weight"], after_four.tensors["6.weight"])
    assert [point["step"] for point in trained.curves if "score" in point] == [2, 4, 6, 8, 10]


def test_it_ends_in_the_midst_of_its_schedule_when_told_to() -> None:
    learner = Squares()
    learner.scores = [0.5, 0.9, 0.2, 0.1, 0.1, 0.1]
    plan = replace(PLAN, n_steps=12, validate_every=2, ema=0.0)
    whole = run(learner, plan)
    assert (whole.n_steps, whole.best_step) == (12, 4)
    trained = run(plan=replace(plan, validate_every=0, ends_after=4))
    assert (trained.n_steps, trained.best_step) == (4, 4)
    for name, array in trained.tensors.items():
        np.testing.assert_array_equal(array, whole.tensors[name])
    assert run(plan=replace(plan, ends_after=20)).n_steps == 12


def test_without_a_score_the_last_weights_count() -> None:
    learner = Squares()
    learner.score = ""
    learner.scores = [0.9, 0.5, 0.1]
    trained = run(learner)
    assert (trained.best_step, trained.metrics) == (12, {"score": 0.1})


def test_ending_early_validates_and_keeps_the_best() -> None:
    control, learner = Control(), Squares()
    learner.before_loss = lambda n: control.finish() if len(learner.sizes) == 5 else None
    trained = run(learner, progress=Watched(control=control))
    assert trained.n_steps == 6
    assert [point["step"] for point in trained.curves if "score" in point] == [4, 6]


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_a_loss_that_is_no_number_is_told_with_what_to_do(tmp_path: Path, bad: float) -> None:
    class Diverging(Squares):
        def loss(self, network: nn.Module, batch: Mapping[str, Tensor]) -> Any:
            loss, said = super().loss(network, batch)
            return loss * (bad if len(self.sizes) == 7 else 1.0), said

    learner = Diverging()
    with pytest.raises(RunError, match="step 7") as caught:
        run(learner, state_path=tmp_path / "state")
    assert "learning rate" in caught.value.hint
    assert all(np.isfinite(array).all() for array in arrays_of(learner.network).values())
    assert (tmp_path / "state").exists()


@pytest.mark.parametrize(
    "error", [torch.OutOfMemoryError("CUDA"), RuntimeError("can't allocate memory"), MemoryError()]
)
def test_short_memory_takes_smaller_pieces_and_the_same_gradient(error: Exception) -> None:
    class Plain(Squares):
        def __init__(self) -> None:
            super().__init__()
            self.network = nn.Sequential(nn.Conv2d(3, 1, 6), nn.Flatten())

        def loss(self, network: nn.Module, batch: Mapping[str, Tensor]) -> Any:
            self.before_loss(len(batch["images"]))
            return (network(batch["images"]) - batch["targets"]).square().mean(), {}

    def refuse(n: int) -> None:
        if n > 1:
            raise error

    learner, progress = Plain(), Watched()
    learner.before_loss = refuse
    small = run(learner, progress=progress)
    assert small.n_pieces == 4
    assert len(progress.notices()) == 1
    torch.manual_seed(5)
    whole = run(Plain())
    for name, array in whole.tensors.items():
        np.testing.assert_allclose(small.tensors[name], array, atol=1e-5)


def test_memory_that_is_short_for_one_image_is_told_with_what_to_do() -> None:
    def refuse(n: int) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory")

    learner = Squares()
    learner.before_loss = refuse
    with pytest.raises(RunError, match="not enough memory") as caught:
        run(learner)
    assert "smaller patches" in caught.value.hint


def test_another_error_of_the_loss_is_not_taken_for_short_memory() -> None:
    def refuse(n: int) -> None:
        raise RuntimeError("shapes do not match")

    learner = Squares()
    learner.before_loss = refuse
    with pytest.raises(RuntimeError, match="shapes"):
        run(learner)


def test_an_error_while_a_batch_is_made_comes_out() -> None:
    class Broken(Squares):
        def batch(self, step: int) -> Any:
            if step == 3:
                raise OSError("the slide is gone")
            return super().batch(step)

    with pytest.raises(OSError, match="slide is gone"):
        run(Broken())
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("batches")]


def test_a_full_disk_is_told_once_and_training_goes_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: Path, state: object) -> None:
        raise StorageError("the disk is full", "free some space")

    monkeypatch.setattr(loop, "write_state", refuse)
    progress = Watched()
    assert_same(run(state_path=tmp_path / "state", progress=progress), run())
    assert progress.notices() == [{"text": "the disk is full", "hint": "free some space"}]


def test_it_can_be_cancelled_and_paused() -> None:
    control = Control()
    learner = Squares()
    learner.before_loss = lambda n: control.cancel() if len(learner.sizes) == 2 else None
    with pytest.raises(Cancelled):
        run(learner, progress=Watched(control=control))
    assert len(learner.sizes) == 3

    control, learner = Control(), Squares()
    reached = threading.Event()

    def pause(n: int) -> None:
        if len(learner.sizes) == 2:
            control.pause()
            reached.set()

    learner.before_loss = pause
    done: list[Trained] = []
    thread = threading.Thread(
        target=lambda: done.append(run(learner, progress=Watched(control=control)))
    )
    thread.start()
    assert reached.wait(20)
    thread.join(0.2)
    assert thread.is_alive()
    assert len(learner.sizes) <= 3
    control.resume()
    thread.join(20)
    assert_same(done[0], run())


class Rivals(Squares):
    """Two networks in one; they learn in turn, the second one at a rate of its own."""

    def __init__(self) -> None:
        super().__init__()
        both = {"one": self.network, "other": copy.deepcopy(self.network)}
        self.network = nn.ModuleDict(both)

    def batch(self, step: int) -> dict[str, np.ndarray[Any, Any]]:
        return {**super().batch(step), "step": np.full(4, step)}

    def loss(
        self, network: nn.Module, batch: Mapping[str, Tensor]
    ) -> tuple[Tensor, dict[str, float]]:
        assert isinstance(network, nn.ModuleDict)
        turn = "other" if int(batch["step"][0]) % 2 else "one"
        return super().loss(network[turn], batch)

    def validate(self, network: nn.Module) -> dict[str, float]:
        return {}


def test_networks_may_learn_in_turn_and_go_on_to_the_same_result(tmp_path: Path) -> None:
    plan = replace(PLAN, n_steps=7, weight_decay=0.1)
    first = run(Rivals(), replace(plan, n_steps=1, ema=0.0, schedule="constant"))
    for name, weight in arrays_of(Rivals().network).items():
        if name.startswith("other"):
            np.testing.assert_array_equal(first.tensors[name], weight)
    assert (first.tensors["one.6.weight"] != arrays_of(Rivals().network)["one.6.weight"]).any()
    with pytest.raises(Killed):
        run(Rivals(), plan, state_path=tmp_path / "state", progress=Watched(kill_at=5))
    assert_same(run(Rivals(), plan, state_path=tmp_path / "state"), run(Rivals(), plan))


def test_weights_may_have_a_learning_rate_of_their_own() -> None:
    plan = replace(PLAN, n_steps=2, ema=0.0, schedule="constant", weight_decay=0.0)
    before = arrays_of(Rivals().network)
    alike, slower = (
        run(Rivals(), replace(plan, rates=rates)).tensors for rates in ((), (("other.", 0.1),))
    )
    moved, less = (one["other.6.weight"] - before["other.6.weight"] for one in (alike, slower))
    np.testing.assert_allclose(less, 0.1 * moved, rtol=1e-3, atol=1e-6)
    np.testing.assert_array_equal(alike["one.6.weight"], slower["one.6.weight"])


def test_previews_are_of_the_averaged_weights_and_change_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(loop, "_PREVIEW_SHARE", 1.0)
    previews: list[Fitted] = []
    plan = replace(PLAN, n_steps=3, ema=0.999, validate_every=0, schedule="constant")
    trained = run(plan=plan, preview=previews.append, preview_every_s=0.0)
    assert len(previews) == 3
    np.testing.assert_array_equal(previews[-1].tensors["6.weight"], trained.tensors["6.weight"])
    assert (previews[0].tensors["6.weight"] != previews[1].tensors["6.weight"]).any()
    assert previews[-1].settings == {"of": "squares"}
    assert previews[-1].curves == trained.curves
    assert_same(trained, run(plan=plan))


def test_slow_previews_leave_most_of_the_time_to_the_training() -> None:
    previews: list[Fitted] = []

    def show(fitted: Fitted) -> None:
        previews.append(fitted)
        time.sleep(0.3)

    run(plan=replace(PLAN, n_steps=10), preview=show, preview_every_s=0.0)
    assert 1 <= len(previews) < 5


def test_curves_tell_loss_rate_speed_and_metrics() -> None:
    progress = Watched()
    trained = run(progress=progress)
    told = [data for kind, data in progress.events if kind == "curve"]
    assert [data["step"] for data in told] == list(range(1, 13))
    assert told[3].keys() >= {"loss", "lr", "error", "score", "samples_per_s", "stage"}
    assert [point["lr"] for point in trained.curves] == [learning_rate(PLAN, k) for k in range(12)]
    assert progress.reports[-1][1].keys() == {"samples_per_s", "loss"}


def test_threads_chance_and_determinism_are_as_before_afterwards() -> None:
    before = torch.get_num_threads(), torch.get_rng_state()
    learner = Squares()
    seen: list[int] = []
    learner.before_loss = lambda n: seen.append(torch.get_num_threads())
    torch.set_num_threads(1)
    try:
        state = torch.get_rng_state()
        run(learner)
        assert torch.get_num_threads() == 1
        assert torch.equal(torch.get_rng_state(), state)
        assert not torch.are_deterministic_algorithms_enabled()
        assert set(seen) == {usable_cores()}
    finally:
        torch.set_num_threads(before[0])


def test_bf16_learns_too() -> None:
    trained = run(plan=replace(PLAN, n_steps=15, numerics="bf16", validate_every=0))
    assert trained.curves[-1]["loss"] < trained.curves[0]["loss"]
    assert not np.array_equal(trained.tensors["6.weight"], run().tensors["6.weight"])


@pytest.mark.parametrize("n_steps", [1, 2, 3, 4, 10, 50])
def test_one_cycle_is_that_of_torch(n_steps: int) -> None:
    plan = TrainingPlan(n_steps, lr=0.3, schedule="one-cycle")
    rates = [learning_rate(plan, step) for step in range(n_steps)]
    assert max(rates) <= 0.3
    if n_steps < 4:
        return
    optimizer = make_optimizer(plan, [("weight", nn.Parameter(torch.zeros(1)))])
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.3, n_steps, cycle_momentum=False)
    expected = []
    for _step in range(n_steps):
        expected.append(schedule.get_last_lr()[0])
        optimizer.step()
        schedule.step() if _step < n_steps - 1 else None
    assert rates == pytest.approx(expected)


def test_the_other_schedules_rise_and_fall_as_they_say() -> None:
    plan = TrainingPlan(10, lr=1.0, schedule="cosine", warm_up_steps=4)
    rates = [learning_rate(plan, step) for step in range(10)]
    assert rates[:5] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert rates[7] == pytest.approx(0.5)
    assert rates == [*rates[:5], *sorted(rates[5:], reverse=True)]
    assert learning_rate(replace(plan, schedule="constant"), 9) == 1.0


def test_a_gradient_is_not_longer_than_the_clip() -> None:
    plan = replace(PLAN, n_steps=1, optimizer="sgd", betas=(0.0, 0.0), weight_decay=0.0, ema=0.0)
    plan = replace(plan, clip_norm=1e-3, lr=1.0, schedule="constant")
    start = arrays_of(Squares().network)
    end = run(plan=plan).tensors
    names = [name for name, _weight in Squares().network.named_parameters()]
    length = math.sqrt(sum(float(((end[name] - start[name]) ** 2).sum()) for name in names))
    assert length == pytest.approx(1e-3, rel=1e-2)


def test_seeds_of_steps_stages_and_processes_differ() -> None:
    seeds = {
        descent.seed_of(seed, stage, step, rank)
        for seed in (0, 1) for stage in ("", "a") for step in range(5) for rank in range(2)
    }  # fmt: skip
    assert len(seeds) == 40


def test_weights_of_another_network_are_refused_by_name() -> None:
    network = Squares().network
    arrays = arrays_of(network)
    load_arrays(network, {**arrays, "1.num_batches_tracked": np.array([3])})
    assert int(network[1].num_batches_tracked) == 3
    with pytest.raises(Exception, match=r"6\.weight"):
        load_arrays(network, {**arrays, "6.weight": np.zeros((2, 4), np.float32)})
