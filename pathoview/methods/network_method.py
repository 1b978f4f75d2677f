"""What methods share that map patches by one network: it is loaded once, when it is needed."""

from __future__ import annotations

import abc
import threading
from typing import TYPE_CHECKING, ClassVar, Generic, TypeVar

from pathoview.core.errors import UsageError
from pathoview.core.params import BaseParams
from pathoview.core.translation import _
from pathoview.methods.fitting import Fitted
from pathoview.methods.spec import Compute

if TYPE_CHECKING:
    from pathoview.methods.engine.infer import Inference

Params = TypeVar("Params", bound=BaseParams)


class NetworkMethod(abc.ABC, Generic[Params]):
    """Constructed as `spec.InstanceMethod` says; the constructor only stores."""

    untaught: ClassVar[str] = ""
    """What to teach it with, as a sentence for people."""

    def __init__(
        self,
        params: Params,
        fitted: Fitted | None = None,
        compute: Compute = Compute(),  # noqa: B008 (frozen)
    ) -> None:
        """``fitted`` None: it has to be trained before it can predict, unless a model came."""
        self._params = params
        self._fitted = fitted
        self._compute = compute
        self._lock = threading.Lock()
        self._inference: Inference | None = None

    @abc.abstractmethod
    def _loaded(self, fitted: Fitted) -> Inference:
        """Return the network with what it has learned."""

    def _learned(self) -> Fitted:
        """Return what was learned; raise `UsageError` when nothing was."""
        if self._fitted is None:
            raise UsageError(_("This method has to be trained first."), self.untaught)
        return self._fitted

    def _ready(self) -> Inference:
        """Return the network, made ready once."""
        with self._lock:
            if self._inference is None:
                self._inference = self._loaded(self._learned())
            return self._inference
