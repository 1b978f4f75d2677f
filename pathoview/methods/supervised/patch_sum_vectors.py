"""A picture as one row of numbers, and what a forest says of it; computed without torch.

A patch alone is told as a picture that shows nothing else: its numbers are summed as many times as
a picture has patches. So the row of a picture is the mean of the rows of its patches.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from pathoview.methods.fitting import Fitted
from pathoview.methods.forest_arrays import ForestArrays
from pathoview.methods.model import Tensors

N_PATCHES = 21
"""Of a picture; the sum over more of them is brought to so many."""

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Bottleneck:
    """The taught network up to its units, as arrays of float64.

    So the sum does not depend on the order of the patches in any digit that a forest looks at.
    """

    mean: Floats
    """(feature,) of the encoder; what features lie behind them are measured by rules."""
    scale: Floats
    weight: Floats
    """(unit, feature)"""
    bias: Floats

    @classmethod
    def of(cls, tensors: Tensors) -> Self:
        names = ("mean", "scale", "bottleneck.weight", "bottleneck.bias")
        return cls(*(np.asarray(tensors[name], np.float64) for name in names))

    @property
    def width(self) -> int:
        return len(self.bias)

    def units(self, features: npt.NDArray[np.floating]) -> Floats:
        """Return (patch, unit) of (patch, feature), none negative."""
        standard = (features[:, : len(self.mean)].astype(np.float64) - self.mean) * self.scale
        return np.maximum(standard @ self.weight.T + self.bias, 0)

    def patch_rows(self, features: npt.NDArray[np.floating]) -> Floats:
        """Return (patch, column) of (patch, feature): units as a sum, then what rules measured."""
        measured = features[:, len(self.mean) :].astype(np.float64)
        return np.concatenate([N_PATCHES * self.units(features), measured], axis=1)

    def picture_row(self, features: npt.NDArray[np.floating]) -> Floats:
        """Return (column,) of the patches of a picture: summed units, means of the rest."""
        return np.asarray(self.patch_rows(features).mean(axis=0))


@dataclass(frozen=True, slots=True)
class TaughtForest:
    """The bottleneck and the forest behind it."""

    bottleneck: Bottleneck
    trees: ForestArrays
    learned: tuple[int, ...]
    """Places of the classes that the forest's columns are of."""
    n_classes: int

    @classmethod
    def of(cls, fitted: Fitted) -> Self:
        """Return what a model has learned; raise `InputError` when it cannot be read."""
        said: Mapping[str, Any] = fitted.settings
        return cls(
            Bottleneck.of(fitted.tensors),
            ForestArrays.from_tensors(fitted.tensors),
            tuple(said["learned"]),
            len(said["values"]),
        )

    @property
    def n_trees(self) -> int:
        return len(self.trees.starts) - 1

    def probabilities(self, rows: Floats) -> Floats:
        """Return (n, class) of (n, column).

        Beside the trees, each class has a vote of its own: nothing is impossible.
        """
        found = np.zeros((len(rows), self.n_classes))
        found[:, list(self.learned)] = self.trees.predict(rows.astype(np.float32))
        return np.asarray((found * self.n_trees + 1) / (self.n_trees + self.n_classes))

    def leaves(self, rows: Floats) -> npt.NDArray[np.int32]:
        """Return (n, tree) of (n, column): where each ends."""
        return self.trees.leaves(rows.astype(np.float32))
