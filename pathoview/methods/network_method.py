"""What methods share that map patches by one network: it is loaded once, when it is needed."""

from __future__ import annotations

import abc
from typing import TYPE_CHECKING

from pathoview.methods.fitting import Fitted
from pathoview.methods.taught_method import Params, TaughtMethod

if TYPE_CHECKING:
    from pathoview.methods.engine.infer import Inference


class NetworkMethod(TaughtMethod[Params]):
    """Has a network of patches; a method says how it is loaded."""

    _inference: Inference | None = None

    @abc.abstractmethod
    def _loaded(self, fitted: Fitted) -> Inference:
        """Return the network with what it has learned."""

    def _ready(self) -> Inference:
        """Return the network, made ready once."""
        with self._lock:
            if self._inference is None:
                self._inference = self._loaded(self._learned())
            return self._inference
