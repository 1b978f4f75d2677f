"""What methods share that teach a network of tiles by labels of slides.

Nobody says which tiles show what a slide's label says: a method adds how these are chosen. The
network that was taught describes the tiles of a slide by itself; what is kept of a tile is what its
last layer gets, so that a slide is looked at once and its similar tiles can be found.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from pathoview.core.params import BaseParams
from pathoview.core.translation import _
from pathoview.datasets.bags import Bag, BagData, Features
from pathoview.datasets.tile_choice import TileChoice
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.spec import BagFound
from pathoview.methods.taught_method import TaughtMethod
from pathoview.methods.tile_aggregation import Aggregation, tile_weights
from pathoview.methods.tile_params import TileFitParams, TileParams

if TYPE_CHECKING:
    from pathoview.methods.networks.tile_network import TileNetwork


class TileMethod(TaughtMethod[TileParams]):
    """A `spec.BagMethod` that can be trained, and describes tiles by its own network."""

    fit_params: ClassVar[type[TileFitParams]]
    untaught = _("Train it from slides with labels: pathoview train.")
    _network: TileNetwork | None = None

    @staticmethod
    @abc.abstractmethod
    def choice(params: Any, bags: Sequence[Bag], seed: int) -> TileChoice:
        """Return how tiles to learn from are chosen."""

    def predict(self, features: npt.NDArray[np.float32]) -> BagFound:
        """Return what is said of a slide of (tile, feature); see `spec.BagMethod`."""
        fitted = self._learned()
        settings, tensors = fitted.settings, fitted.tensors
        aggregation = Aggregation.from_json(settings["aggregation"])
        temperature = float(settings.get("temperature", 1.0))
        mean, scale = (tensors[name].astype(np.float64) for name in ("mean", "scale"))
        standard = (features.astype(np.float64) - mean) * scale
        logits = standard @ tensors["head.weight"].T.astype(np.float64) + tensors["head.bias"]
        raised = np.exp(logits - logits.max(axis=1, keepdims=True))
        told = raised / raised.sum(axis=1, keepdims=True)
        counts = tile_weights(aggregation.rule, told)
        return BagFound(
            aggregation.certain(counts @ told, temperature).astype(np.float32),
            counts.astype(np.float32),
            aggregation.certain(told, temperature).astype(np.float32),
        )

    def describe(self, bag: Bag, check: Callable[[], None]) -> Features:
        """Return what `predict` wants of all tiles of a slide that has pixels, (tile, feature).

        The same as its encoder gives (`datasets.bags.EncoderUsed`), of slides whose features need
        not be kept. ``check`` may raise `Cancelled`.
        """
        from pathoview.methods.engine.tile_looking import looked_at

        assert bag.pixels is not None
        fitted, network = self._learned(), self._ready()
        tile_px = int(fitted.settings["encoder"]["tile_px"])
        tiles = np.arange(bag.n_tiles, dtype=np.int32)
        return looked_at(network.body, bag.pixels, tiles, tile_px, network.mean.device, check)

    def fit(self, data: BagData, params: BaseParams, context: FitContext) -> Fitted:
        """Learn from slides with labels, by pixels of their tiles; see `fitting.Trainable`.

        What learns is the encoder that described the slides (``data.encoder``). Goes on from
        ``context.start``, a model of the same encoder and classes. Raises `UsageError` otherwise,
        and when fewer than two classes are among the slides of training.
        """
        from pathoview.methods.engine.tile_learner import fit

        if not isinstance(params, self.fit_params):
            raise TypeError(type(params).__name__)
        return fit(data, params, context, lambda bags, seed: self.choice(params, bags, seed))

    def _ready(self) -> TileNetwork:
        """Return the network, made ready once."""
        from pathoview.methods.engine.tile_learner import network_of

        with self._lock:
            if self._network is None:
                self._network = network_of(self._learned(), self._compute.device)
            return self._network
