"""How a network of tiles learns from labels of slides: rounds of looking, choosing and learning."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, astuple, dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import torch
from torch import Tensor, nn
from torch.nn import functional

from pathoview.core.errors import UsageError
from pathoview.core.progress import Progress
from pathoview.core.translation import _
from pathoview.datasets.bag_batches import tile_statistics
from pathoview.datasets.bags import Bag, BagData
from pathoview.datasets.tile_choice import KeptTile, TileChoice
from pathoview.datasets.weights import class_weights
from pathoview.methods import tile_aggregation
from pathoview.methods.engine.augment import Augmentation, augment
from pathoview.methods.engine.bag_learner import SCORE, measured, of_training, parents_of
from pathoview.methods.engine.encoders import body_hash, source_named
from pathoview.methods.engine.learner import Learner
from pathoview.methods.engine.plan import TrainingPlan
from pathoview.methods.engine.tile_encoder import PooledEncoder, begun_encoder
from pathoview.methods.engine.tile_looking import as_images, batches_of, looked_at
from pathoview.methods.engine.train import train
from pathoview.methods.engine.weights import arrays_of, load_arrays
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.model import Model, Parent, Tensors
from pathoview.methods.networks.tile_network import TileNetwork, take_statistics
from pathoview.methods.tile_aggregation import Aggregation
from pathoview.methods.tile_params import OWN_NETWORK, TileFitParams

_CLIP_NORM = 5.0
_MOST_SCALED = 10.0
"""Times the middle one: how much a number that describes tiles is scaled."""
_N_SETTLED = 256
"""Tiles by which random weights are settled."""
_N_SHOWN = 6
"""Tiles that are told of in a round, of slides with what is looked for and of those without."""
_TINY = 1e-6
_REVERSE = 4.0
"""What reverse cross entropy takes for the logarithm of 0, turned around (Wang et al. 2019)."""
_AUGMENTATION = Augmentation(p_affine=0.0, hue=0.0, p_blur=0.0, p_noise=0.0, p_jpeg=0.0)

Floats = npt.NDArray[np.float32]

MakeChoice = Callable[[Sequence[Bag], int], TileChoice]
"""Bags and seed → what is learned from."""
Build = Callable[[BagData, TileFitParams], TileNetwork]


@dataclass(frozen=True, slots=True)
class TileLesson:
    """What a learner is told."""

    bags: Sequence[Bag]
    held_back: Sequence[Bag]
    choice: TileChoice
    params: TileFitParams
    tile_px: int
    settings: Mapping[str, Any]
    parents: tuple[Parent, ...]
    fingerprint: str
    progress: Progress
    """Asked while tiles are looked at, and told in each round which were kept."""
    names: Sequence[str]
    """Of the classes."""


class TileLearner(Learner):
    """Learns classes of slides by some of their tiles."""

    score = SCORE

    def __init__(self, network: TileNetwork, lesson: TileLesson) -> None:
        self.network = network
        self.fingerprint = lesson.fingerprint
        self._lesson = lesson
        params, choice = lesson.params, lesson.choice
        steps = [-(-choice.n_chosen(one) // params.batch) for one in range(params.n_rounds)]
        ends = np.cumsum(steps).tolist()
        self.rounds = (0, *ends[:-1])
        self.n_steps: int = ends[-1]
        self._labels = np.array([bag.label for bag in lesson.bags], np.int64)

    def begin_round(self, number: int, network: nn.Module) -> dict[str, float]:
        assert isinstance(network, TileNetwork)
        lesson, choice = self._lesson, self._lesson.choice
        asked = choice.to_score(number)
        told = [self._told(network, lesson.bags[place], tiles) for place, tiles in asked]
        replaced = choice.choose(number, told)
        if number:  # the first ones are drawn at random
            said = {"round": number + 1, "n_rounds": len(self.rounds), "replaced": replaced}
            kept = [self._shown(one) for one in choice.best_kept(asked, told, _N_SHOWN)]
            lesson.progress.event("round", {**said, "tiles": kept})
        return {} if replaced is None else {"replaced": replaced}

    def _shown(self, kept: KeptTile) -> dict[str, Any]:
        """Return a tile that was kept, as somebody who looks on is told of it, JSON-able."""
        bag = self._lesson.bags[kept.place]
        column, row = float(bag.grid.columns[kept.tile]), float(bag.grid.rows[kept.tile])
        return {
            "slide_hash": bag.slide_hash,
            "name": bag.name,
            "label": self._lesson.names[bag.label],
            "is_looked_for": bag.label > 0,
            "rect_l0": astuple(bag.grid.cell_l0.rect(column, row)),
            "score": kept.score,
        }

    def kept(self) -> Tensors:
        return self._lesson.choice.kept()

    def go_on(self, kept: Tensors) -> None:
        self._lesson.choice.go_on(kept)

    def batch(self, step: int) -> Mapping[str, npt.NDArray[Any]]:
        number = int(np.searchsorted(self.rounds, step, side="right")) - 1
        first, *later = (*self.rounds[number:], self.n_steps)
        chosen = self._lesson.choice.chosen
        rows = np.array_split(chosen, later[0] - first)[step - first]
        rows = rows[np.argsort(rows[:, 0], kind="stable")]
        labels = self._labels[rows[:, 0]]
        weights = class_weights(np.bincount(self._labels[chosen[:, 0]])).astype(np.float32)
        return {
            "pixels": np.concatenate(
                [
                    _pixels(self._lesson.bags[place], rows[rows[:, 0] == place, 1])
                    for place in np.unique(rows[:, 0]).tolist()
                ]
            ),
            "label": labels,
            "weight": weights[labels],
        }

    def loss(
        self, network: nn.Module, batch: Mapping[str, Tensor]
    ) -> tuple[Tensor, dict[str, float]]:
        labels = batch["label"]
        logits = network(augment(as_images(batch["pixels"]), how=_AUGMENTATION).images)
        losses = functional.cross_entropy(logits, labels, reduction="none")
        if self._lesson.params.loss == "symmetric":
            own = logits.softmax(1).gather(1, labels[:, None])[:, 0]
            losses = losses + _REVERSE * (1 - own)
        return (losses * batch["weight"]).mean(), {}

    def validate(self, network: nn.Module) -> dict[str, float]:
        held_back = self._lesson.held_back
        if not held_back:
            return {}
        assert isinstance(network, TileNetwork)
        rule = Aggregation().rule
        slides = [tile_aggregation.slide_told(rule, one) for one in self.told(network)]
        return measured(np.stack(slides), np.array([bag.label for bag in held_back]))

    def told(self, network: TileNetwork) -> list[npt.NDArray[np.float64]]:
        """Return what is said of tiles of each bag held back, (tile, class)."""
        most = self._lesson.params.n_validated
        numbers = [
            np.linspace(0, bag.n_tiles - 1, min(most, bag.n_tiles)).round().astype(np.int32)
            for bag in self._lesson.held_back
        ]
        return [
            self._told(network, bag, tiles)
            for bag, tiles in zip(self._lesson.held_back, numbers, strict=True)
        ]

    def fitted(self, network: nn.Module) -> Fitted:
        assert isinstance(network, TileNetwork)
        lesson = self._lesson
        encoder = {**lesson.settings["encoder"], "weights": body_hash(body_of(network))}
        settings = {**lesson.settings, "encoder": encoder}
        return Fitted(arrays_of(network), settings, parents=lesson.parents)

    def _told(
        self, network: TileNetwork, bag: Bag, tiles: npt.NDArray[np.int32]
    ) -> npt.NDArray[np.float64]:
        assert bag.pixels is not None
        lesson, device = self._lesson, network.mean.device
        logits = looked_at(
            network, bag.pixels, tiles, lesson.tile_px, device, lesson.progress.check
        )
        if not len(tiles):
            return np.zeros((0, len(lesson.settings["values"])))
        return np.asarray(torch.from_numpy(logits).double().softmax(1).numpy())


def fit(
    data: BagData,
    params: TileFitParams,
    context: FitContext,
    make_choice: MakeChoice,
    build: Build | None = None,
) -> Fitted:
    """Teach the encoder that described the slides, on their pixels; see `fitting.Trainable.fit`.

    ``build`` gives another network than that encoder's.
    """
    bags = of_training(data)
    _check(data)
    network = _begun(build or built_of, data, params, bags, context)
    lesson = TileLesson(
        bags,
        data.of("val"),
        make_choice(bags, context.seed),
        params,
        data.encoder.tile_px,
        _settings(data, params),
        parents_of(data, context.start),
        _fingerprint(data, params, context.start),
        context.progress,
        [one.name for one in data.classes],
    )
    learner = TileLearner(network, lesson)
    trained = train(learner, _plan(params, learner.n_steps), context)
    fitted = learner.fitted(network)
    if lesson.held_back:
        truth = np.array([bag.label for bag in lesson.held_back])
        aggregation = tile_aggregation.chosen(learner.told(network), truth)
        fitted = replace(fitted, settings={**fitted.settings, "aggregation": aggregation.to_json()})
    return replace(fitted, metrics=dict(trained.metrics), curves=trained.curves)


def built_of(data: BagData, params: TileFitParams) -> TileNetwork:
    """Return the encoder that described the slides, with a last layer."""
    used = data.encoder
    encoder = begun_encoder(used.name, source_named(used.name, used.source))
    return TileNetwork(
        PooledEncoder(encoder),
        encoder.spec.n_features,
        len(data.classes),
        tuned=params.tuned,
        dropout=params.dropout,
    )


def network_of(fitted: Fitted, device: str) -> TileNetwork:
    """Return a taught network, ready to look at tiles."""
    settings = fitted.settings
    encoder = begun_encoder(settings["encoder"]["name"], "random")
    n_classes = len(settings["values"])
    body = PooledEncoder(encoder)
    network = TileNetwork(body, settings["n_features"], n_classes, tuned="head", dropout=0.0)
    load_arrays(network, fitted.tensors)
    return network.to(device).eval()


def _begun(
    build: Build, data: BagData, params: TileFitParams, bags: Sequence[Bag], context: FitContext
) -> TileNetwork:
    """Return the network that training begins with."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(context.seed)
        network = build(data, params)
    if context.start is not None:
        _check_start(context.start, data)
        load_arrays(network, context.start.tensors)
        return network
    is_random = data.encoder.source == "random"
    mean, scale = _settled(network, bags) if is_random else _look(network, bags)
    varies = scale > 0
    if varies.any():
        # What hardly varies now may once the network has learned: it must not drown the others.
        scale = np.minimum(scale, _MOST_SCALED * np.median(scale[varies]))
    network.begin(torch.from_numpy(mean), torch.from_numpy(scale))
    return network


def _look(network: TileNetwork, bags: Sequence[Bag]) -> tuple[Floats, Floats]:
    """Return mean and 1 / deviation of what the network gives of tiles, as described already."""
    look = tile_statistics(bags)
    n = len(network.mean)  # the first magnification's
    return look.mean[:n], look.scale[:n]


def _settled(network: TileNetwork, bags: Sequence[Bag]) -> tuple[Floats, Floats]:
    """Give a network of random weights the running statistics of tiles; else as `_look`.

    Through many layers of such weights pictures fade, until each step of learning shakes all.
    """
    tiles, device = _some_tiles(bags), torch.device("cpu")
    take_statistics(network.body, batches_of(tiles, device))
    with torch.no_grad():
        given = torch.cat([network.body(images) for images in batches_of(tiles, device)])
    deviation = given.std(0)
    scale = torch.where(deviation > _TINY, 1 / deviation.clamp(min=_TINY), 0.0)
    return given.mean(0).numpy(), scale.numpy()


def _some_tiles(bags: Sequence[Bag]) -> npt.NDArray[np.uint8]:
    """Return tiles of all bags, evenly spread."""
    n_each = -(-_N_SETTLED // len(bags))
    return np.concatenate(
        [
            _pixels(bag, np.linspace(0, bag.n_tiles - 1, min(n_each, bag.n_tiles)).astype(np.int32))
            for bag in bags
        ]
    )


def _check(data: BagData) -> None:
    """Raise `UsageError` for data that such a network cannot learn from."""
    if any(bag.pixels is None for split in ("train", "val") for bag in data.of(split)):
        raise UsageError(
            _("This method learns from pixels, and there are only numbers of these tiles."),
            _("Name the slides themselves."),
        )


def _check_start(start: Model, data: BagData) -> None:
    """Raise `UsageError` when a model to go on from is of no use."""
    card = start.card
    own = card.settings.get("encoder", {})
    fits = (own.get("name"), own.get("source")) == (data.encoder.name, OWN_NETWORK)
    has_classes = [one.name for one in card.classes] == [one.name for one in data.classes]
    if not (fits and has_classes):
        raise UsageError(
            _("“{title}” has another encoder or other classes than these slides.").format(
                title=card.title
            ),
            _("Begin from scratch, or describe the slides by the same encoder."),
        )


def _settings(data: BagData, params: TileFitParams) -> dict[str, Any]:
    """Return what a model's card says of its network and of what it expects.

    The hash of its encoder's weights is known when these are.
    """
    before = data.encoder
    own = replace(
        before,
        weights="",
        n_features=before.n_features // max(1, len(before.mpp)),
        mpp=before.mpp[:1],
        source=OWN_NETWORK,
    )
    return {
        "n_features": own.n_features,
        "values": list(range(1, len(data.classes) + 1)),
        "mpp": own.mpp[0] if own.mpp else 0.0,
        "encoder": asdict(own),
        "began_with": asdict(before),
        "tuned": params.tuned,
        "ordering": data.ordering,
        "temperature": 1.0,
        "aggregation": Aggregation().to_json(),
    }


def _plan(params: TileFitParams, n_steps: int) -> TrainingPlan:
    return TrainingPlan(
        n_steps,
        params.lr,
        weight_decay=params.weight_decay,
        schedule="cosine",
        clip_norm=_CLIP_NORM,
        patience=params.patience,
    )


def _pixels(bag: Bag, tiles: npt.NDArray[np.int32]) -> npt.NDArray[np.uint8]:
    assert bag.pixels is not None
    return bag.pixels.read(tiles)


def body_of(network: TileNetwork) -> nn.Module:
    """Return what a model's file gives as an encoder; see `encoders.TAUGHT`."""
    body = network.body
    return body.encoder.body if isinstance(body, PooledEncoder) else body


def _fingerprint(data: BagData, params: TileFitParams, start: Model | None) -> str:
    said = [
        params.model_dump(mode="json"),
        start.card.id if start else "",
        [bag.fingerprint() for split in ("train", "val") for bag in data.of(split)],
        asdict(data.encoder),
        [one.name for one in data.classes],
    ]
    return hashlib.sha256(orjson.dumps(said)).hexdigest()
