"""How the networks of whole slides learn: some slides a step, each by some of its tiles."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import torch
from torch import Tensor, nn
from torch.nn import functional

from pathoview.core.errors import UsageError
from pathoview.core.params import BaseParams
from pathoview.core.translation import _
from pathoview.datasets.bag_batches import BagSampler, spread, tile_statistics
from pathoview.datasets.bags import UNSAID, Bag, BagData
from pathoview.evaluation.slides import auroc
from pathoview.methods.bag_params import BagFitParams
from pathoview.methods.engine.learner import Learner
from pathoview.methods.engine.plan import TrainingPlan
from pathoview.methods.engine.train import train
from pathoview.methods.engine.weights import arrays_of, load_arrays
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.model import Model, Parent
from pathoview.methods.networks.bag_network import BagNetwork

SCORE = "likelihood"
"""The geometric mean of the probability of the right class, where classes count alike."""

_N_VALIDATIONS = 20
_CLIP_NORM = 5.0
_MOST_TILES_MEASURED = 4096
"""Of a held-back slide, evenly spread."""
_LEAST_PROBABILITY = 1e-6
_HALF = 0.5

Build = Callable[[Mapping[str, Any]], BagNetwork]


@dataclass(frozen=True, slots=True)
class BagLesson:
    """What a learner is told."""

    sampler: BagSampler
    held_back: Sequence[Bag]
    answers_weight: float
    settings: Mapping[str, Any]
    parents: tuple[Parent, ...]
    fingerprint: str
    n_steps: int
    """Of the whole training."""


class BagLearner(Learner):
    """Learns classes of slides, from labels of slides and what is said of single tiles."""

    score = SCORE

    def __init__(self, network: BagNetwork, lesson: BagLesson) -> None:
        self.network = network
        self.fingerprint = lesson.fingerprint
        self._lesson = lesson
        sampler = lesson.sampler
        n_rest = network.instance_rest * len(sampler.bags)
        self._n_rest_steps = min(-(-n_rest // sampler.n_in_batch), lesson.n_steps // 2)

    def batch(self, step: int) -> Mapping[str, npt.NDArray[Any]]:
        sampler = self._lesson.sampler
        return {**sampler.batch(step), "step": np.full(sampler.n_in_batch, step)}

    def loss(
        self, network: nn.Module, batch: Mapping[str, Tensor]
    ) -> tuple[Tensor, dict[str, float]]:
        assert isinstance(network, BagNetwork)
        labels, is_tile = batch["label"], batch["is_tile"]
        output = network(batch["features"], is_tile)
        several = labels.ndim == 2
        losses = slide_losses(output.streams, labels, batch["weight"])
        said = {"loss_slides": float(losses.detach().mean())}
        if network.instance_weight and int(batch["step"][0]) >= self._n_rest_steps:
            of_tiles = network.instance_losses(output, labels, is_tile)
            said["loss_tiles"] = float(of_tiles.detach().mean())
            losses = (1 - network.instance_weight) * losses + network.instance_weight * of_tiles
        losses = losses if several else losses * batch["weight"]
        weight = self._lesson.answers_weight
        if weight and "judged" in batch and not several:
            answered = answer_losses(network, batch["judged"], batch["answers"], labels)
            said["loss_answers"] = float(answered.detach().mean())
            losses = losses + weight * answered
        return losses.mean(), said

    def validate(self, network: nn.Module) -> dict[str, float]:
        held_back = self._lesson.held_back
        if not held_back:
            return {}
        assert isinstance(network, BagNetwork)
        if self._lesson.settings["ordering"] == "labels":
            told = np.stack([logits_of(network, bag).sigmoid().numpy() for bag in held_back])
            return measured_labels(told, np.array([bag.labels for bag in held_back], bool))
        told = np.stack([logits_of(network, bag).softmax(0).numpy() for bag in held_back])
        return measured(told, np.array([bag.label for bag in held_back]))

    def fitted(self, network: nn.Module) -> Fitted:
        lesson = self._lesson
        return Fitted(arrays_of(network), lesson.settings, parents=lesson.parents)


def fit(
    build: Build,
    structure: Mapping[str, Any],
    data: BagData,
    params: BagFitParams,
    context: FitContext,
    *,
    stage: str = "",
) -> Fitted:
    """Train the network that ``build`` makes of ``structure`` and what is known of the data.

    See `fitting.Trainable.fit`; the structure is that of ``context.start`` where there is one.
    """
    bags = of_training(data)
    if context.start is not None:
        structure = structure_of(context.start, data, structure)
    settings = settings_of(data, structure)
    network = _begun(build, settings, bags, context)
    lesson = BagLesson(
        BagSampler(
            bags,
            len(data.classes),
            params.batch,
            params.n_tiles,
            context.seed,
            params.tile_dropout,
            params.feature_dropout,
            network.mean.numpy().copy(),
        ),
        data.of("val"),
        params.answers_weight,
        settings,
        parents_of(data, context.start),
        fingerprint_of(data, params, context.start),
        params.n_steps,
    )
    learner = BagLearner(network, lesson)
    plan = replace(_plan(params), ends_after=context.n_steps)
    trained = train(learner, plan, context, stage=stage)
    return replace(
        learner.fitted(network),
        metrics=dict(trained.metrics),
        curves=trained.curves,
        n_steps=trained.best_step,
    )


def of_training(data: BagData) -> list[Bag]:
    """Return the bags to learn from; raise `UsageError` when they do not tell classes apart."""
    bags = data.of("train")
    if len({(bag.label, bag.labels) for bag in bags}) < 2:
        raise UsageError(
            _("The slides to learn from have fewer than two different labels."),
            _("Label slides of at least two classes, some of each for training."),
        )
    return bags


def settings_of(data: BagData, structure: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a model's card says of its network and of what it expects."""
    return {
        **structure,
        "n_features": data.encoder.n_features,
        "values": list(range(1, len(data.classes) + 1)),
        "mpp": data.encoder.mpp[0] if data.encoder.mpp else 0.0,
        "encoder": asdict(data.encoder),
        "ordering": data.ordering,
        "temperature": 1.0,
    }


def slide_losses(streams: Sequence[Tensor], labels: Tensor, weights: Tensor) -> Tensor:
    """Return the loss of each bag, (bag,), the mean over the streams of (bag, class) logits.

    ``labels``: (bag,) its class; or (bag, class) 0 and 1, where ``weights`` (bag, class) are what
    having each counts.
    """
    if labels.ndim == 1:
        each = [functional.cross_entropy(one, labels, reduction="none") for one in streams]
    else:
        each = [
            functional.binary_cross_entropy_with_logits(
                one, labels, pos_weight=weights[0], reduction="none"
            ).mean(1)
            for one in streams
        ]
    return torch.stack(each).mean(0)


def logits_of(network: BagNetwork, bag: Bag) -> Tensor:
    """Return what a network says of a bag, by at most some thousand of its tiles, (class,)."""
    device = network.mean.device
    tiles = torch.from_numpy(bag.numbers(spread(bag.n_tiles, _MOST_TILES_MEASURED)))
    tiles = tiles.to(device)[None]
    output = network(tiles, torch.ones(tiles.shape[:2], dtype=torch.bool, device=device))
    told: Tensor = output.logits[0].double().cpu()
    return told


def measured(told: npt.NDArray[np.float64], truth: npt.NDArray[np.integer]) -> dict[str, float]:
    """Return metrics of slides: probabilities (n, class), and the right classes (n,).

    ``log_loss`` and ``likelihood`` give the classes that are there the same weight; ``auroc`` is
    the mean over them of each against the rest, and is missing where there is one only.
    """
    right = np.maximum(told[np.arange(len(truth)), truth], _LEAST_PROBABILITY)
    there = np.unique(truth)
    log_loss = -float(np.mean([np.log(right[truth == one]).mean() for one in there]))
    found = {
        SCORE: float(np.exp(-log_loss)),
        "log_loss": log_loss,
        "accuracy": float(np.mean(told.argmax(axis=1) == truth)),
    }
    if len(there) > 1:
        found["auroc"] = float(np.mean([auroc(told[:, one], truth == one) for one in there]))
    return found


def measured_labels(
    told: npt.NDArray[np.float64], truth: npt.NDArray[np.bool_]
) -> dict[str, float]:
    """Return metrics of bags with several labels: probabilities and truth, (n, class) each.

    ``likelihood`` is over bags and labels, in each label those with and without it count alike.
    """
    right = np.log(np.maximum(np.where(truth, told, 1 - told), _LEAST_PROBABILITY))
    parts = [right[is_it, place].mean() for place, is_it in _with_and_without(truth)]
    log_loss = -float(np.mean(parts))
    found = {
        SCORE: float(np.exp(-log_loss)),
        "log_loss": log_loss,
        "accuracy": float(np.mean((told >= _HALF) == truth)),
    }
    both = [place for place, one in enumerate(truth.T) if one.any() and not one.all()]
    if both:
        areas = [auroc(told[:, place], truth[:, place]) for place in both]
        found["auroc"] = float(np.mean(areas))
    return found


def _with_and_without(
    truth: npt.NDArray[np.bool_],
) -> Iterator[tuple[int, npt.NDArray[np.bool_]]]:
    for place, one in enumerate(truth.T):
        for rows in (one, ~one):
            if rows.any():
                yield place, rows


def answer_losses(network: BagNetwork, judged: Tensor, answers: Tensor, labels: Tensor) -> Tensor:
    """Return a loss of each bag, (bag,): the mean over its judged tiles, 0 where it has none.

    A tile that shows what the label says has to be evidence for its class (the cross entropy), one
    that does not show it evidence against. ``judged``: (bag, tile, feature); ``answers``: (bag,
    tile) 1, 0, -1; ``labels``: (bag,).
    """
    logits = network.evidence(judged.flatten(0, 1)).view(*judged.shape[:2], -1)
    is_label = functional.one_hot(labels, logits.shape[-1]).bool()[:, None]
    everything = logits.logsumexp(-1)
    against = everything - logits.masked_fill(is_label, -torch.inf).logsumexp(-1)
    for_it = everything - logits.masked_fill(~is_label, -torch.inf).logsumexp(-1)
    losses = torch.where(answers == 1, for_it, against)
    is_known = answers != UNSAID
    return (losses * is_known).sum(1) / is_known.sum(1).clamp(min=1)


def _begun(
    build: Build, settings: Mapping[str, Any], bags: Sequence[Bag], context: FitContext
) -> BagNetwork:
    """Return the network that training begins with, which knows what tiles look like."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(context.seed)
        network = build(settings)
    if context.start is not None:
        load_arrays(network, context.start.tensors)
        return network
    look = tile_statistics(bags)
    network.begin(*(torch.from_numpy(one) for one in (look.mean, look.scale, look.sample)))
    return network


def structure_of(start: Model, data: BagData, structure: Mapping[str, Any]) -> dict[str, Any]:
    """Return the structure of a model to go on from; raise `UsageError` when it is of no use."""
    card, encoder = start.card, data.encoder
    own = card.settings.get("encoder", {})
    names = ("name", "weights", "n_features")
    is_same = [own.get(name) for name in names] == [getattr(encoder, name) for name in names]
    has_classes = [one.name for one in card.classes] == [one.name for one in data.classes]
    if not (is_same and has_classes and structure.keys() <= card.settings.keys()):
        raise UsageError(
            _("“{title}” has another encoder or other classes than these slides.").format(
                title=card.title
            ),
            _("Begin from scratch, or with features of the same encoder."),
        )
    return {name: card.settings[name] for name in structure}


def _plan(params: BagFitParams) -> TrainingPlan:
    return TrainingPlan(
        params.n_steps,
        params.lr,
        weight_decay=params.weight_decay,
        schedule="cosine",
        clip_norm=_CLIP_NORM,
        validate_every=max(1, params.n_steps // _N_VALIDATIONS),
        patience=params.patience,
    )


def parents_of(data: BagData, start: Model | None) -> tuple[Parent, ...]:
    """Return the weights it is made with: the encoder's, and those it goes on from."""
    encoder = Parent(name=data.encoder.name, licence=data.encoder.licence, id=data.encoder.weights)
    if start is None:
        return (encoder,)
    card = start.card
    own = Parent(name=card.title, licence=card.licence, id=card.id)
    return (*dict.fromkeys((*card.parents, encoder)), own)


def fingerprint_of(data: BagData, params: BaseParams, start: Model | None) -> str:
    """Return a hash that is equal for the same data, parameters and beginning."""
    said = [
        params.model_dump(mode="json"),
        start.card.id if start else "",
        [bag.fingerprint() for split in ("train", "val") for bag in data.of(split)],
        asdict(data.encoder),
        [one.name for one in data.classes],
    ]
    return hashlib.sha256(orjson.dumps(said)).hexdigest()
