"""What methods share that predict by a network which was taught: what they keep, and its lack."""

from __future__ import annotations

import abc
import threading
from typing import ClassVar, Generic, TypeVar

from pathoview.core.errors import UsageError
from pathoview.core.params import BaseParams
from pathoview.core.translation import _
from pathoview.methods.fitting import Fitted
from pathoview.methods.spec import Compute

Params = TypeVar("Params", bound=BaseParams)


class TaughtMethod(abc.ABC, Generic[Params]):
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
        """Held while the network is made ready, once."""

    def _learned(self) -> Fitted:
        """Return what was learned; raise `UsageError` when nothing was."""
        if self._fitted is None:
            raise UsageError(_("This method has to be trained first."), self.untaught)
        return self._fitted
