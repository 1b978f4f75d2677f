"""What all methods for whole slides share: fitting and predicting with a network of tiles.

A method adds which network it is. Tiles are described by an encoder beforehand; here only the
aggregator of their features is trained, so that minutes on a processor suffice.
"""

from __future__ import annotations

import abc
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import numpy.typing as npt

from pathoview.core.params import BaseParams
from pathoview.core.translation import _
from pathoview.datasets.bags import BagData
from pathoview.methods.bag_params import BagFitParams, BagParams
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.spec import BagFound
from pathoview.methods.taught_method import TaughtMethod

if TYPE_CHECKING:
    from pathoview.methods.networks.bag_network import BagNetwork


class BagAggregator(TaughtMethod[BagParams]):
    """A `spec.BagMethod` that can be trained; the network always computes in float32."""

    fit_params: ClassVar[type[BagFitParams]] = BagFitParams
    untaught = _("Train it from slides with labels: pathoview train.")
    _network: BagNetwork | None = None

    @staticmethod
    @abc.abstractmethod
    def structure(params: Any) -> dict[str, Any]:
        """Return the settings a network is built from, out of parameters of training."""

    @staticmethod
    @abc.abstractmethod
    def network(settings: Mapping[str, Any]) -> BagNetwork:
        """Return the network that a model's settings tell of, with random weights."""

    def predict(self, features: npt.NDArray[np.float32]) -> BagFound:
        """Return what is said of a slide of (tile, feature); see `spec.BagMethod`."""
        from pathoview.methods.engine.bag_inference import found

        fitted = self._learned()
        said = fitted.settings
        return found(
            self._ready(fitted),
            features,
            float(said.get("temperature", 1.0)),
            has_several_labels=said.get("ordering") == "labels",
        )

    def fit(self, data: BagData, params: BaseParams, context: FitContext) -> Fitted:
        """Learn from slides with labels; see `fitting.Trainable`.

        Goes on from ``context.start``, a model of this method with the same encoder and classes;
        it keeps that model's network. Raises `UsageError` otherwise, and when fewer than two
        classes are among the slides of training.
        """
        from pathoview.methods.engine.bag_learner import fit

        if not isinstance(params, self.fit_params):
            raise TypeError(type(params).__name__)
        return fit(self.builder(data, context), self.structure(params), data, params, context)

    def builder(self, data: BagData, context: FitContext) -> Callable[..., BagNetwork]:
        """Return what builds the network that is to learn from slides, out of its settings."""
        return self.network

    def _ready(self, fitted: Fitted) -> BagNetwork:
        """Return the network, made ready once."""
        from pathoview.methods.engine.bag_inference import loaded

        with self._lock:
            if self._network is None:
                network = self.network(fitted.settings)
                self._network = loaded(network, fitted.tensors, self._compute.device)
            return self._network
