"""The engines of `pseudo_healthy` by their names: each is a module with the same two functions."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any, Protocol, cast

from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.networks.pseudo_healthy import HealthyNetwork, Seam
from pathoview.methods.weak.pseudo_healthy_lesson import Lesson


class Engine(Protocol):
    """What the module of an engine has."""

    def network_of(self, settings: Mapping[str, Any], seam: Seam) -> HealthyNetwork:
        """Return the network that a model's settings tell of, with random weights."""

    def fit(self, lesson: Lesson, context: FitContext) -> Fitted:
        """Train the network, in one or several stages of `engine.train`.

        ``tensors`` are those of the network, ``settings`` and ``parents`` those of the lesson.
        """


def engine(name: str) -> Engine:
    """Return an engine by its name (`pseudo_healthy_params.EngineName`)."""
    return cast(Engine, importlib.import_module(f"pathoview.methods.weak.pseudo_healthy_{name}"))
