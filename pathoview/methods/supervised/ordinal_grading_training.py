"""Training of `ordinal_grading`: tiles of labelled areas, both heads at once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import orjson

from pathoview.core.errors import UsageError
from pathoview.core.translation import _
from pathoview.datasets.labels import BACKGROUND, UNKNOWN, TrainingData
from pathoview.datasets.patches import Place
from pathoview.datasets.supply import PatchSupply, patch_supply
from pathoview.datasets.weights import class_weights
from pathoview.evaluation.confusion import quadratic_kappa
from pathoview.methods.engine.augment import STRONG, Augmentation, augment
from pathoview.methods.engine.encoder_list import ENCODERS
from pathoview.methods.engine.encoders import build_encoder, source_named
from pathoview.methods.engine.learner import Learner
from pathoview.methods.engine.plan import TrainingPlan
from pathoview.methods.engine.train import train
from pathoview.methods.engine.weights import arrays_of, load_arrays
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.model import Model, Parent
from pathoview.methods.networks.grading import GradingNetwork, joint_loss, probabilities
from pathoview.methods.supervised.ordinal_grading_params import MPP, OrdinalGradingFitParams

if TYPE_CHECKING:
    from torch import Tensor, nn

METHOD = "ordinal_grading"
SCORE = "likelihood"
"""The geometric mean of the probability of the right grade, where grades count alike."""

_ENCODERS = {"EfficientNet-Lite0": "tf_efficientnet_lite0", "EfficientNet-B0": "efficientnet_b0"}
_TILE_STEP_PX = 64
_MARGIN_UM = 16.0
_MOST_TRIES = 16
_LEAST_SHARE = 0.1
"""Of a tile, that has to be labelled; and of that, more than half is of the tile's grade."""
_LEAST_PROBABILITY = 1e-6
_N_VALIDATIONS = 10
_CHANGES = Augmentation(p_affine=0.2)

Settings = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile with its grade, the first is 0."""

    rgb: npt.NDArray[np.uint8]
    """(side, side, 3)."""
    grade: int


def network_of(settings: Settings) -> GradingNetwork:
    """Return the network that a model's settings tell of, with random weights."""
    name = _ENCODERS[settings["encoder"]]
    n_features = ENCODERS.get(name).channels[-1]
    return GradingNetwork(
        build_encoder(name), n_features, len(settings["values"]), settings["tile_px"]
    )


def fit(data: TrainingData, params: OrdinalGradingFitParams, context: FitContext) -> Fitted:
    """Train the network; see `fitting.Trainable.fit`."""
    side = -(-params.tile_px // _TILE_STEP_PX) * _TILE_STEP_PX
    if context.start is not None:
        side = int(context.start.card.settings.get("tile_px", side))
    supply = patch_supply(
        data, "classes", mpp=MPP, patch_px=side, seed=context.seed, margin_um=_MARGIN_UM
    )
    context.progress.event("notice", {"text": supply.sentence})
    values = [value for value in supply.sampler.counts if value != BACKGROUND]
    if len(values) < 2:
        raise UsageError(
            _("At least two grades have to be labelled."),
            _("Draw areas of another grade too."),
        )
    settings = {
        "encoder": params.encoder,
        "values": values,
        "names": [data.classes[value - 1].name for value in values],
        "ordering": "grades",
        "tile_px": side,
    }
    network, settings, parents = _begun(settings, params, context)
    learner = GradeLearner(
        network, Tiles(supply, values), params, settings, parents, _print(data, params, context)
    )
    plan = TrainingPlan(
        params.n_steps,
        params.lr,
        weight_decay=0.01,
        clip_norm=5.0,
        validate_every=max(1, params.n_steps // _N_VALIDATIONS),
        numerics=params.numerics,
    )
    trained = train(learner, plan, context)
    return replace(
        learner.fitted(learner.network),
        metrics=dict(trained.metrics),
        curves=trained.curves,
        numerics=params.numerics,
        data=supply.data,
    )


class Tiles:
    """Tiles of labelled areas; the same for the same step and slot."""

    def __init__(self, supply: PatchSupply, values: Sequence[int]) -> None:
        self._supply, self._values = supply, list(values)
        found = (self._tile(place) for place in supply.validation)
        self.held_back = [one for one in found if one is not None]

    def tile(self, step: int, slot: int) -> Tile:
        """Return the tile of a step and its place in the batch; raise `UsageError`."""
        for number in range(_MOST_TRIES):
            # Another slot gives another place: those of a batch are far below.
            place = self._supply.sampler.place(step, slot + number * UNKNOWN, self._values)
            tile = self._tile(place)
            if tile is not None:
                return tile
        raise UsageError(
            _("No tile can be found that is mostly of one grade."),
            _("Draw larger areas, or choose smaller tiles."),
        )

    def _tile(self, place: Place) -> Tile | None:
        """Return the tile of a place with its grade; None: it has none."""
        mask = self._supply.reader.mask(place)
        counts = np.bincount(mask.ravel(), minlength=UNKNOWN + 1)
        n_known = counts[:UNKNOWN].sum()
        grades = counts[self._values]
        best = int(grades.argmax())
        if n_known < _LEAST_SHARE * mask.size or 2 * grades[best] <= n_known:
            return None
        return Tile(self._supply.reader.pixels(place), best)


class GradeLearner(Learner):
    """Learns grade and severity of tiles."""

    score = SCORE

    def __init__(
        self,
        network: GradingNetwork,
        tiles: Tiles,
        params: OrdinalGradingFitParams,
        settings: Settings,
        parents: tuple[Parent, ...],
        fingerprint: str,
    ) -> None:
        self.network = network
        self.fingerprint = fingerprint
        self._tiles, self._params = tiles, params
        self._settings, self._parents = settings, parents
        is_one = params.colors == "one laboratory"
        self._changes = _CHANGES if is_one else STRONG

    def batch(self, step: int) -> Mapping[str, npt.NDArray[Any]]:
        n, n_grades = self._params.batch, len(self._settings["values"])
        tiles = [self._tiles.tile(step, slot) for slot in range(n)]
        grades = np.array([one.grade for one in tiles], np.int64)
        weights = class_weights(np.bincount(grades, minlength=n_grades))
        return {
            "rgb": np.stack([one.rgb.transpose(2, 0, 1) for one in tiles]),
            "grades": grades,
            # A row for every sample: a batch may be taken in pieces.
            "weights": np.tile(weights.astype(np.float32), (n, 1)),
        }

    def loss(
        self, network: nn.Module, batch: Mapping[str, Tensor]
    ) -> tuple[Tensor, dict[str, float]]:
        import torch

        assert isinstance(network, GradingNetwork)
        images = augment(batch["rgb"].float() / 255, how=self._changes).images
        found = network.graded(images.contiguous(memory_format=torch.channels_last)).float()
        return joint_loss(
            found,
            batch["grades"],
            batch["weights"][0],
            is_first_ordered=self._params.is_first_ordered,
        )

    def validate(self, network: nn.Module) -> dict[str, float]:
        import torch

        assert isinstance(network, GradingNetwork)
        if not self._tiles.held_back:
            return {}
        device = next(network.parameters()).device
        found = []
        with torch.inference_mode():
            for tile in self._tiles.held_back:
                pixels = torch.from_numpy(tile.rgb).to(device).permute(2, 0, 1)[None]
                found.append(network.graded(pixels.float() / 255).float())
        given = torch.cat(found)
        told = probabilities(given, "both").cpu().numpy()
        truth = np.array([one.grade for one in self._tiles.held_back])
        return measured(told, given[:, -1].cpu().numpy(), truth)

    def fitted(self, network: nn.Module) -> Fitted:
        return Fitted(arrays_of(network), self._settings, parents=self._parents)


def measured(
    told: npt.NDArray[np.float32], severity: npt.NDArray[np.float32], truth: npt.NDArray[np.int64]
) -> dict[str, float]:
    """Return metrics of tiles: probabilities (n, grade), severities (n,), right grades (n,).

    ``kappa_quadratic`` is left out where it is not defined. ``likelihood`` is over the grades that
    are among the right ones.
    """
    n_grades = told.shape[1]
    said = told.argmax(axis=1)
    right = np.log(np.maximum(told[np.arange(len(truth)), truth], _LEAST_PROBABILITY))
    each = [float(right[truth == grade].mean()) for grade in np.unique(truth)]
    matrix = np.zeros((n_grades, n_grades), np.int64)
    np.add.at(matrix, (truth, said), 1)
    kappa = quadratic_kappa(matrix, n_grades)
    found = {
        SCORE: float(np.exp(np.mean(each))),
        "accuracy": float(np.mean(said == truth)),
        "severity_error": float(np.abs(severity - truth).mean()),
        "off_by_two": float(np.mean(np.abs(said - truth) >= 2)),
    }
    return found if np.isnan(kappa) else {**found, "kappa_quadratic": float(kappa)}


def _begun(
    settings: dict[str, Any], params: OrdinalGradingFitParams, context: FitContext
) -> tuple[GradingNetwork, dict[str, Any], tuple[Parent, ...]]:
    """Return the network as training begins, its settings, and what its weights came from."""
    import torch

    start = context.start
    if start is not None:
        _check(start, settings["names"])
        settings = {**settings, "encoder": start.card.settings["encoder"]}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(context.seed)
        network = network_of(settings)
    if start is not None:
        load_arrays(network, start.tensors)
        card = start.card
        parent = Parent(name=card.title, licence=card.licence, id=card.id)
        return network, settings, (*card.parents, parent)
    name = _ENCODERS[params.encoder]
    source = source_named(name, params.encoder_weights)
    if source == "random":
        return network, settings, ()
    filled = build_encoder(name, source)
    load_arrays(network.encoder, arrays_of(filled))
    return network, settings, (filled.parent,) if filled.parent else ()


def _check(start: Model, names: Sequence[str]) -> None:
    """Raise `UsageError` unless training of these grades can go on from a model."""
    known = start.card.settings.get("names", ())
    if start.card.method != METHOD or list(known) != list(names):
        raise UsageError(
            _("Training cannot begin with “{title}”: it does not tell these grades.").format(
                title=start.card.title
            ),
            _("Choose a model with the same grades in the same order, or begin without one."),
        )


def _print(data: TrainingData, params: OrdinalGradingFitParams, context: FitContext) -> str:
    said: list[Any] = [
        params.model_dump(mode="json"),
        context.start.card.id if context.start else "",
        [one.name for one in data.classes],
        [(one.slide.content_hash, one.split, one.labels.fingerprint()) for one in data.images],
    ]
    return hashlib.sha256(orjson.dumps(said)).hexdigest()
