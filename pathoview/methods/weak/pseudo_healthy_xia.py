"""Engine `xia`: healthy tissue and a mask of what is not, told apart by two cycles. Experimental.

After Xia, Chartsias and Tsaftaris 2020, with the weights of their code. A sick picture is made
healthy, its pathology becomes a mask, and of both the picture has to come out again; a healthy
picture with an empty mask has to stay what it is. Critics tell made pictures from real ones. As the
mask says where pathology was, nothing needs to be hidden in the healthy picture.

Two things are ours: the generators begin by changing nothing and are held to what is healthy, and
training stops when they turn pictures inside out, which no cycle would notice.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pathoview.core.errors import RunError
from pathoview.core.translation import _
from pathoview.datasets.labels import UNKNOWN
from pathoview.evaluation.synthesis import correlation, identity
from pathoview.methods.engine.augment import LabelMap, augment
from pathoview.methods.engine.infer import Inference, InferencePlan
from pathoview.methods.engine.learner import Learner
from pathoview.methods.engine.plan import TrainingPlan
from pathoview.methods.engine.train import train
from pathoview.methods.engine.wasserstein import critic_loss
from pathoview.methods.engine.weights import arrays_of
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.networks.disentanglement import Disentanglement, DisentanglingNetwork
from pathoview.methods.networks.pseudo_healthy import STRIDE, Seam
from pathoview.methods.spec import Compute
from pathoview.methods.weak.pseudo_healthy_lesson import HEALTHY, PATHOLOGY, Lesson, stacked
from pathoview.methods.weak.pseudo_healthy_parts import begun, measured_dice

if TYPE_CHECKING:
    from torch import Tensor, nn

N_CRITIC_STEPS = 5
"""Before each step of the generators; the paper has 10 in the first 25 of 300 epochs."""
LEAST_CORRELATION = 0.5
"""Of a healthy picture with what is made of it."""

_LR, _BETAS = 1e-4, (0.5, 0.9)
_RATES = (("critic_", 2.0), ("healthy.segmentor.", 4.0))
"""Times the learning rate; the segmentor plays against nobody and may learn fast."""
_MOST_AVERAGED, _AVERAGED_SHARE = 100, 1 / 20
"""The weights that count are about the mean of so many of the generators' last steps, and of no
larger share of all: in a short training, the mean of half of it is still far behind."""
_POOL_SLOT = 1 << 20
"""Masks of the pool are those of the patches of slots from here on."""
_DICE_SMOOTHING = 0.1
_HEALED, _SICKENED = 2.0, 1.0
_SICK_CYCLE, _HEALTHY_CYCLE, _NO_MASK = 20.0, 10.0, 10.0
_PAIRED, _UNPAIRED = 10.0, 1.0
_KEPT = 5.0
"""Weights of the losses that `CycleLearner.cycles_loss` names."""


def network_of(settings: Mapping[str, Any], seam: Seam) -> DisentanglingNetwork:
    """See `pseudo_healthy_engines.Engine`."""
    return DisentanglingNetwork(settings["width"])


def fit(lesson: Lesson, context: FitContext) -> Fitted:
    """Learn both cycles; raise `RunError` when pictures are turned inside out."""
    learner = CycleLearner(lesson)
    trained = train(learner, plan_of(lesson), context)
    fitted = learner.fitted(learner.network)
    return replace(fitted, metrics=trained.metrics, curves=trained.curves)


def plan_of(lesson: Lesson) -> TrainingPlan:
    """Return the plan: as many turns as the generators are to have steps."""
    n_turns = N_CRITIC_STEPS + 1
    n_averaged = min(_MOST_AVERAGED, _AVERAGED_SHARE * lesson.params.n_steps)
    plan = lesson.plan(
        _LR,
        optimizer="adam",
        schedule="constant",
        betas=_BETAS,
        weight_decay=0.0,
        clip_norm=0.0,
        ema=1 - 1 / max(1, n_averaged * n_turns),
        rates=_RATES,
    )
    return replace(
        plan, n_steps=plan.n_steps * n_turns, validate_every=plan.validate_every * n_turns
    )


@dataclass(frozen=True, slots=True)
class Pictures:
    """A batch as the networks see it; pictures (n, 3, h, w) 0 … 1, masks (n, 1, h, w)."""

    sick: Tensor
    healthy: Tensor
    known: Tensor
    """1 where it is known whether the sick picture is."""
    pathology: Tensor
    """1 where it is known to be."""
    is_paired: Tensor
    """(n,) or (): 1 where the mask of the sick picture is learned from."""
    pool: Tensor | None
    """Masks of other pictures."""


class CycleLearner(Learner):
    """Critics and generators by turns, each with its own loss.

    There is no score: of networks that play against each other, no weights are the best ones.
    """

    network: Disentanglement

    def __init__(self, lesson: Lesson) -> None:
        self.lesson = lesson
        self.fingerprint = lesson.fingerprint
        self._uses_pool = lesson.params.masks != "paired"
        self.network = self._begun()

    def batch(self, step: int) -> Mapping[str, npt.NDArray[Any]]:
        lesson, slots = self.lesson, range(self.lesson.params.batch)
        sources = {
            "sick": [lesson.sick(step, slot) for slot in slots],
            "healthy": [lesson.healthy(step, slot) for slot in slots],
        }
        if self._uses_pool:
            sources["pool"] = [lesson.sick(step, _POOL_SLOT + slot) for slot in slots]
        arrays = {
            f"{name}_{kind}": array
            for name, samples in sources.items()
            for kind, array in stacked(samples).items()
        }
        return {**arrays, "step": np.full(len(slots), step)}

    def loss(
        self, network: nn.Module, batch: Mapping[str, Tensor]
    ) -> tuple[Tensor, dict[str, float]]:
        import torch

        assert isinstance(network, Disentanglement)
        step, pictures = int(batch["step"][0]), self._pictures(batch)
        is_critics_turn = step % (N_CRITIC_STEPS + 1) < N_CRITIC_STEPS
        network.critics(learn=is_critics_turn)
        if is_critics_turn:
            # Slopes of slopes are not for half the digits.
            with torch.autocast(pictures.sick.device.type, enabled=False):
                return self.critics_loss(network, pictures)
        return self.cycles_loss(network, pictures)

    def critics_loss(
        self, network: Disentanglement, seen: Pictures
    ) -> tuple[Tensor, dict[str, float]]:
        """Return how badly the critics tell real pictures, and masks, from made ones."""
        import torch

        with torch.no_grad():
            sickened = network.rebuilt(seen.healthy, torch.zeros_like(seen.known))
            made = torch.cat((network.healthy.generator(seen.sick), sickened)).float()
        real = torch.cat((seen.healthy, seen.healthy))
        loss, distance = critic_loss(network.critic_x, real, made)
        said = {"distance": float(distance)}
        if network.critic_m is not None and seen.pool is not None:
            with torch.no_grad():
                found, _of_healthy = network.masks(seen.sick, sickened)
            more, distance = critic_loss(network.critic_m, seen.pool, found.float())
            loss, said = loss + more, {**said, "distance_masks": float(distance)}
        return loss, said

    def cycles_loss(
        self, network: Disentanglement, seen: Pictures
    ) -> tuple[Tensor, dict[str, float]]:
        """Return the loss of the generators and the segmentor; the critics only pass it on."""
        import torch

        nothing = torch.zeros_like(seen.known)
        healed, kept = network.healthy.generator(torch.cat((seen.sick, seen.healthy))).chunk(2)
        sickened = network.rebuilt(seen.healthy, nothing)
        mask, of_healthy = network.masks(seen.sick, sickened)
        terms = {
            "healed": (_HEALED, -network.critic_x(healed)),
            "sickened": (_SICKENED, -network.critic_x(sickened)),
            "sick_cycle": (_SICK_CYCLE, _apart(network.rebuilt(healed, mask), seen.sick)),
            "healthy_cycle": (
                _HEALTHY_CYCLE,
                _apart(network.healthy.generator(sickened), seen.healthy),
            ),
            "no_mask": (_NO_MASK, of_healthy.mean(dim=(1, 2, 3))),
            "dice": (_PAIRED, (1 - _soft_dice(mask, seen)) * seen.is_paired),
            "kept": (_KEPT, _apart(kept, seen.healthy)),
        }
        if network.critic_m is not None:
            terms["masks"] = (_UNPAIRED, -network.critic_m(mask) * (1 - seen.is_paired))
        said = {f"loss_{name}": float(one.detach().mean()) for name, (_w, one) in terms.items()}
        _require_upright(seen.healthy, kept)
        total = torch.stack([weight * one.float().mean() for weight, one in terms.values()]).sum()
        return total, said

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Return the Dice of the masks and how much stayed the same, on what is held back."""
        assert isinstance(network, Disentanglement)
        lesson = self.lesson
        if not lesson.held_back:
            return {}
        device = str(next(network.parameters()).device)
        infer = Inference(network.healthy, InferencePlan(STRIDE), Compute(device), _as_it_is)
        alike = []
        for one in lesson.held_back:
            made = np.rint(infer.maps(one.rgb)[:3].transpose(1, 2, 0) * 255).astype(np.uint8)
            alike.append(identity(one.rgb, made, one.state != HEALTHY))
        known = [value for value in alike if np.isfinite(value)]
        return {
            "dice": measured_dice(network.healthy.segmentor, lesson),
            **({"identity": float(np.mean(known))} if known else {}),
        }

    def fitted(self, network: nn.Module) -> Fitted:
        assert isinstance(network, Disentanglement)
        lesson = self.lesson
        return Fitted(arrays_of(network.healthy), lesson.settings, parents=lesson.parents)

    def _begun(self) -> Disentanglement:
        import torch

        lesson, healthy = self.lesson, begun(network_of, self.lesson)
        assert isinstance(healthy, DisentanglingNetwork)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(lesson.seed + 1)
            width = lesson.settings["width"]
            return Disentanglement(healthy, width, judges_masks=self._uses_pool)

    def _pictures(self, batch: Mapping[str, Tensor]) -> Pictures:
        """Return the batch, changed at random."""
        names = [name for name in ("sick", "healthy", "pool") if f"{name}_rgb" in batch]
        moved = [
            augment(
                batch[f"{name}_rgb"].float() / 255,
                [LabelMap(batch[f"{name}_state"], UNKNOWN)],
                how=self.lesson.changes,
            )
            for name in names
        ]
        states = [one.labels[0][:, None] for one in moved]
        # What a turned picture shows beyond its edge is unknown, though its mask was complete.
        is_complete = (batch["sick_state"] != UNKNOWN).all(dim=(1, 2)).float()
        masks = self.lesson.params.masks
        return Pictures(
            moved[0].images,
            moved[1].images,
            (states[0] != UNKNOWN).float(),
            (states[0] == PATHOLOGY).float(),
            is_complete if masks == "mixed" else is_complete.new_full((), masks == "paired"),
            (states[2] == PATHOLOGY).float() if self._uses_pool else None,
        )


def _apart(one: Tensor, other: Tensor) -> Tensor:
    """Return the mean absolute difference of each picture, (n,)."""
    return (one - other).abs().mean(dim=(1, 2, 3))


def _soft_dice(mask: Tensor, seen: Pictures) -> Tensor:
    """Return the Dice of each mask where it is known, (n,)."""
    axes = (1, 2, 3)
    found = mask * seen.known
    shared = (found * seen.pathology).sum(dim=axes)
    both = found.sum(dim=axes) + seen.pathology.sum(dim=axes)
    return (2 * shared + _DICE_SMOOTHING) / (both + _DICE_SMOOTHING)


def _require_upright(pictures: Tensor, made: Tensor) -> None:
    """Raise `RunError` when pictures hardly go together with what was made of them.

    Where they are too even to say, nothing is required.
    """
    one, other = (
        values.detach().float().movedim(1, -1).cpu().numpy() for values in (pictures, made)
    )
    told = correlation(one, other)
    if told < LEAST_CORRELATION:
        raise RunError(
            _(
                "The generator does not keep healthy tissue any more: what it makes of it "
                "correlates with it by {told:.2f} only, where at least {least} is asked."
            ).format(told=told, least=LEAST_CORRELATION),
            _("Lower the learning rate, or choose the engine “inpaint”."),
        )


def _as_it_is(maps: Tensor) -> Tensor:
    return maps
