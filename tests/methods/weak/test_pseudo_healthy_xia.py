"""The engine of the paper: turns, losses, settings of masks, and when it stops."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from synthesis_scenes import synthesis_data, twins  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from pathoview.core.errors import Cancelled, RunError  # noqa: E402
from pathoview.core.progress import Control, SilentProgress  # noqa: E402
from pathoview.datasets.labels import UNKNOWN  # noqa: E402
from pathoview.methods.engine.augment import GEOMETRY  # noqa: E402
from pathoview.methods.engine.weights import arrays_of  # noqa: E402
from pathoview.methods.fitting import FitContext, Fitted  # noqa: E402
from pathoview.methods.networks.pseudo_healthy import Seam  # noqa: E402
from pathoview.methods.weak.pseudo_healthy import PseudoHealthy  # noqa: E402
from pathoview.methods.weak.pseudo_healthy_lesson import Lesson, Sample  # noqa: E402
from pathoview.methods.weak.pseudo_healthy_params import (  # noqa: E402
    Masks,
    PseudoHealthyFitParams,
    PseudoHealthyParams,
)
from pathoview.methods.weak.pseudo_healthy_xia import (  # noqa: E402
    N_CRITIC_STEPS,
    CycleLearner,
    network_of,
    plan_of,
)

SIDE = 32
CRITICS_TURN, CYCLES_TURN = 0, N_CRITIC_STEPS


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Networks as small as these wait for threads most of the time."""
    monkeypatch.setattr("pathoview.methods.engine.conditions.usable_cores", lambda: 1)
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


def params(masks: Masks = "paired", **given: Any) -> PseudoHealthyFitParams:
    small = {"n_steps": 2, "batch": 2, "patch_px": SIDE, "width": 4}
    return PseudoHealthyFitParams(engine="xia", masks=masks, **small | given)


def sample(seed: int, *, is_sick: bool) -> Sample:
    of = twins(seed, SIDE)
    return (
        Sample(of.sick, of.lesion.astype(np.uint8))
        if is_sick
        else Sample(of.healthy, np.zeros((SIDE, SIDE), np.uint8))
    )


def partly_known(step: int, slot: int) -> Sample:
    whole = sample(100 * step + slot, is_sick=True)
    if slot % 2:
        whole.state[:4] = UNKNOWN
    return whole


def lesson(masks: Masks = "paired", **given: Any) -> Lesson:
    return Lesson(
        lambda step, slot: sample(100 * step + slot, is_sick=True),
        lambda step, slot: sample(7000 + 100 * step + slot, is_sick=False),
        [sample(9001, is_sick=True), sample(9002, is_sick=False)],
        params(masks, **given),
        SIDE,
        seed=3,
        changes=replace(GEOMETRY, p_affine=0.0),
        settings={"engine": "xia", "width": 4},
        start=None,
        parents=(),
        fingerprint="lesson",
    )


def tensors(learner: CycleLearner, step: int) -> dict[str, Tensor]:
    return {name: torch.from_numpy(array) for name, array in learner.batch(step).items()}


def learned_parts(learner: CycleLearner, step: int) -> set[str]:
    """Return which parts of the network have a gradient after a step."""
    learner.network.zero_grad(set_to_none=True)
    loss, _said = learner.loss(learner.network, tensors(learner, step))
    loss.backward()  # type: ignore[no-untyped-call]
    named = learner.network.named_parameters()
    return {name.split(".")[0] for name, weight in named if weight.grad is not None}


def test_critics_and_generators_learn_by_turns() -> None:
    learner = CycleLearner(lesson("unpaired"))
    for step in (*range(N_CRITIC_STEPS + 2), 2 * N_CRITIC_STEPS + 1):
        is_cycles_turn = step in (CYCLES_TURN, CYCLES_TURN + N_CRITIC_STEPS + 1)
        expected = {"healthy", "rebuilder"} if is_cycles_turn else {"critic_x", "critic_m"}
        assert learned_parts(learner, step) == expected, step


def test_as_many_turns_are_taken_as_the_generators_are_to_have_steps() -> None:
    plan = plan_of(lesson(n_steps=30))
    assert plan.n_steps == 30 * (N_CRITIC_STEPS + 1)
    assert plan.validate_every == 3 * (N_CRITIC_STEPS + 1)
    assert (plan.lr, plan.betas, plan.optimizer) == (1e-4, (0.5, 0.9), "adam")
    names = [name for name, _weight in CycleLearner(lesson("mixed")).network.named_parameters()]
    times = {
        name: next((t for start, t in plan.rates if name.startswith(start)), 1.0) for name in names
    }
    assert {name.split(".")[0] for name, t in times.items() if t == 2} == {"critic_x", "critic_m"}
    assert all(name.startswith("healthy.segmentor.") for name, t in times.items() if t == 4)


@pytest.mark.parametrize(("n_steps", "n_averaged"), [(200, 10), (2000, 100), (50_000, 100)])
def test_weights_are_averaged_over_a_small_part_of_the_training(
    n_steps: int, n_averaged: int
) -> None:
    plan = plan_of(lesson(n_steps=n_steps))
    assert 1 / (1 - plan.ema) == pytest.approx(n_averaged * (N_CRITIC_STEPS + 1))


def test_it_begins_by_changing_nothing_whatever_the_mask() -> None:
    learner = CycleLearner(lesson())
    picture = torch.from_numpy(sample(5, is_sick=True).rgb).permute(2, 0, 1)[None] / 255
    for value in (0.0, 1.0):
        mask = torch.full((1, 1, SIDE, SIDE), value)
        assert torch.allclose(learner.network.rebuilt(picture, mask), picture, atol=1.1e-3)
    maps = network_of({"width": 4}, Seam()).eval()(picture)
    assert maps.shape == (1, 5, SIDE, SIDE)
    assert torch.equal((maps[:, :3] * 255).round(), (picture * 255).round())
    assert bool((maps[:, 3] == 1).all())
    assert learner.validate(learner.network)["identity"] == pytest.approx(1, abs=1e-6)


def test_losses_have_the_weights_of_the_papers_code() -> None:
    weights = {"healed": 2, "sickened": 1, "sick_cycle": 20, "healthy_cycle": 10, "no_mask": 10}
    weights |= {"dice": 10, "kept": 5, "masks": 1}
    learner = CycleLearner(lesson("mixed"))
    nn.init.normal_(learner.network.healthy.generator.change.weight, std=0.05)
    nn.init.normal_(learner.network.rebuilder.change.weight, std=0.05)
    loss, said = learner.loss(learner.network, tensors(learner, CYCLES_TURN))
    assert said.keys() == {f"loss_{name}" for name in weights}
    assert min(abs(said[f"loss_{name}"]) for name in weights if name != "masks") > 1e-4
    expected = sum(weight * said[f"loss_{name}"] for name, weight in weights.items())
    assert float(loss.detach()) == pytest.approx(expected, rel=1e-5)


def test_a_mask_counts_where_it_is_paired_and_a_critic_judges_the_others() -> None:
    paired, unpaired = CycleLearner(lesson("paired")), CycleLearner(lesson("unpaired"))
    assert paired.network.critic_m is None
    assert not any(name.startswith("pool") for name in paired.batch(0))
    _loss, said = unpaired.loss(unpaired.network, tensors(unpaired, CYCLES_TURN))
    assert said["loss_dice"] == 0
    assert said["loss_masks"] != 0
    _loss, said = unpaired.loss(unpaired.network, tensors(unpaired, CRITICS_TURN))
    assert said.keys() == {"distance", "distance_masks"}


def test_of_mixed_masks_the_complete_ones_are_paired() -> None:
    mixed = CycleLearner(replace(lesson("mixed", batch=4), sick=partly_known))
    pictures = mixed._pictures(tensors(mixed, 0))
    assert pictures.is_paired.tolist() == [1, 0, 1, 0]
    assert pictures.known.mean(dim=(1, 2, 3)).tolist() == [1, 0.875, 1, 0.875]


def test_masks_of_the_pool_are_those_of_other_pictures() -> None:
    learner = CycleLearner(lesson("unpaired"))
    pictures = learner._pictures(tensors(learner, 0))
    assert pictures.pool is not None
    assert set(pictures.pool.flatten().tolist()) == {0, 1}
    batch = learner.batch(0)
    assert not np.array_equal(batch["pool_rgb"], batch["sick_rgb"])


def test_where_the_window_ends_changes_nothing_within() -> None:
    torch.manual_seed(6)
    network = network_of({"width": 4}, Seam()).eval()
    nn.init.normal_(network.generator.change.weight, std=0.3)
    picture = torch.rand(1, 3, 256, 256)
    margin, reach = 48, network.reach_px
    part = picture[..., margin:, margin:].contiguous()
    told, whole = network(part), network(picture)[..., margin:, margin:]
    assert torch.allclose(told[..., reach:, reach:], whole[..., reach:, reach:], atol=1e-5)
    assert not torch.allclose(told[..., :reach, :reach], whole[..., :reach, :reach], atol=1e-5)


class InsideOut(nn.Module):
    def forward(self, seen: Tensor) -> Tensor:
        return 1 - seen[:, :3]


def test_pictures_turned_inside_out_end_the_training(monkeypatch: pytest.MonkeyPatch) -> None:
    learner = CycleLearner(lesson())
    monkeypatch.setattr(learner.network.healthy, "generator", InsideOut())
    monkeypatch.setattr(learner.network, "rebuilder", InsideOut())
    with pytest.raises(RunError, match=r"by -1\.00 only") as caught:
        learner.loss(learner.network, tensors(learner, CYCLES_TURN))
    assert "inpaint" in caught.value.hint


def fit(masks: Masks = "mixed", progress: SilentProgress | None = None, **context: Any) -> Fitted:
    data = synthesis_data(6, 6, 2)
    said = FitContext(progress or SilentProgress(), seed=3, **context)
    return PseudoHealthy(PseudoHealthyParams()).fit(data, params(masks), said)


class StopsAt(SilentProgress):
    def __init__(self, n: int) -> None:
        super().__init__(Control())
        self._n_left = n

    def check(self) -> None:
        self._n_left -= 1
        if not self._n_left:
            self.control.cancel()
        super().check()


@pytest.mark.parametrize("stop", [2, N_CRITIC_STEPS + 3])
def test_a_training_that_was_stopped_goes_on_to_the_same_bits(stop: int, tmp_path: Path) -> None:
    state = tmp_path / "training.state"
    whole = fit()
    with pytest.raises(Cancelled):
        fit(progress=StopsAt(stop), state_path=state)
    again = fit(state_path=state)
    assert all(np.array_equal(again.tensors[name], whole.tensors[name]) for name in whole.tensors)
    assert again.curves == whole.curves


def test_what_was_learned_predicts_and_has_only_what_predicts() -> None:
    what = fit("paired")
    assert what.tensors.keys() == arrays_of(network_of({"width": 4}, Seam())).keys()
    assert {"dice", "identity"} == what.metrics.keys()
    picture = twins(77).sick
    made = PseudoHealthy(PseudoHealthyParams(), what).predict(picture, 1.0, {})
    assert made.picture.shape == picture.shape
    assert made.pathology.shape == picture.shape[:2]
    assert 0 <= made.pathology.min() <= made.pathology.max() <= 1
    assert np.abs(made.picture.astype(int) - picture).mean() < 3  # two small steps from nothing
