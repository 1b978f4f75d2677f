"""Trees of scikit-learn as plain arrays: stored without pickles, predicted by scikit-learn's walk.

All trees lie one after the other. What a leaf says is a row of numbers: the shares of the classes
in a random forest, what is added to the classes' scores in gradient boosting.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np
import numpy.typing as npt

from pathoview.core.errors import InputError
from pathoview.core.translation import _
from pathoview.methods.model import Tensors

Floats = npt.NDArray[np.float64]

_CHUNK_ROWS = 16_384
"""Rows that go through all trees before the next ones: their sums stay in the cache."""
_LEAF = -1


@dataclass(frozen=True)
class ForestArrays:
    """Trees of one classifier; a node's children are counted from its tree's first node."""

    starts: npt.NDArray[np.int64]
    """(trees + 1,) where each tree begins among the nodes."""
    left: npt.NDArray[np.int32]
    """(nodes,) where it goes on when the feature is at most the threshold; -1: a leaf."""
    right: npt.NDArray[np.int32]
    feature: npt.NDArray[np.int32]
    threshold: Floats
    values: Floats
    """(nodes, classes); one column for boosting of two classes."""
    baseline: Floats
    """(classes,) the scores boosting begins with; empty: a random forest."""
    n_features: int

    @classmethod
    def of_forest(cls, forest: Any) -> Self:
        """Return the arrays of a fitted ``RandomForestClassifier``."""
        trees = [estimator.tree_ for estimator in forest.estimators_]
        return cls(
            starts=_starts([tree.node_count for tree in trees]),
            left=_joined([tree.children_left for tree in trees], np.int32),
            right=_joined([tree.children_right for tree in trees], np.int32),
            feature=_joined([tree.feature for tree in trees], np.int32),
            threshold=_joined([tree.threshold for tree in trees], np.float64),
            values=_joined([tree.value[:, 0, :] for tree in trees], np.float64),
            baseline=np.zeros(0),
            n_features=int(forest.n_features_in_),
        )

    @classmethod
    def of_boosting(cls, boosting: Any) -> Self:
        """Return the arrays of a fitted ``HistGradientBoostingClassifier`` without categories."""
        trees = [tree.nodes for iteration in boosting._predictors for tree in iteration]
        baseline = np.asarray(boosting._baseline_prediction, np.float64).ravel()
        n_columns = len(baseline)
        values = []
        for index, nodes in enumerate(trees):
            said = np.zeros((len(nodes), n_columns))
            said[:, index % n_columns] = nodes["value"]
            values.append(said)
        leaves = [nodes["is_leaf"].astype(np.bool_) for nodes in trees]
        sides = {
            side: [
                np.where(is_leaf, _LEAF, nodes[side].astype(np.int64))
                for nodes, is_leaf in zip(trees, leaves, strict=True)
            ]
            for side in ("left", "right")
        }
        return cls(
            starts=_starts([len(nodes) for nodes in trees]),
            left=_joined(sides["left"], np.int32),
            right=_joined(sides["right"], np.int32),
            feature=_joined([nodes["feature_idx"] for nodes in trees], np.int32),
            threshold=_joined([nodes["num_threshold"] for nodes in trees], np.float64),
            values=np.concatenate(values),
            baseline=baseline,
            n_features=int(boosting.n_features_in_),
        )

    def to_tensors(self) -> dict[str, npt.NDArray[Any]]:
        """Return arrays for a model file."""
        return {
            "trees.starts": self.starts,
            "trees.left": self.left,
            "trees.right": self.right,
            "trees.feature": self.feature,
            "trees.threshold": self.threshold,
            "trees.values": self.values,
            "trees.baseline": self.baseline,
            "trees.n_features": np.array([self.n_features], np.int64),
        }

    @classmethod
    def from_tensors(cls, tensors: Tensors) -> Self:
        """Return the trees of a model file; raise `InputError` when they are none."""
        try:
            read: dict[str, Any] = {
                name: tensors[f"trees.{name}"] for name in cls.__dataclass_fields__
            }
        except KeyError as error:
            raise _broken() from error
        read["n_features"] = int(read["n_features"][0])
        forest = cls(**read)
        forest._check()
        return forest

    def predict(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """Return probabilities, (n, classes), of (n, features) float32 that lie row by row.

        They are those of the classifier's ``predict_proba``. May be called from several threads.
        """
        n_classes = max(2, self.values.shape[1])
        out = np.empty((len(rows), n_classes), np.float32)
        for start in range(0, len(rows), _CHUNK_ROWS):
            chunk = slice(start, start + _CHUNK_ROWS)
            out[chunk] = self._probabilities(np.ascontiguousarray(rows[chunk], np.float32))
        return out

    def leaves(self, rows: npt.NDArray[np.float32]) -> npt.NDArray[np.int32]:
        """Return where each of (n, features) ends in each tree, (n, trees).

        Leaves are counted from their tree's first node, as the classifier's ``apply`` does.
        """
        chunk = np.ascontiguousarray(rows, np.float32)
        return np.stack([tree.apply(chunk) for tree, _values in self._trees], axis=1).astype(
            np.int32
        )

    def _probabilities(self, rows: npt.NDArray[np.float32]) -> Floats:
        total = np.zeros((len(rows), self.values.shape[1]))
        total += self.baseline if len(self.baseline) else 0.0
        for tree, values in self._trees:
            total += values.take(tree.apply(rows), axis=0)
        if not len(self.baseline):
            return total / len(self._trees)
        return _shares(total)

    @cached_property
    def _trees(self) -> list[tuple[Any, Floats]]:
        """scikit-learn's trees, whose compiled walk needs no Python lock, with their values."""
        return [(self._tree(span), self.values[span]) for span in self._spans()]

    def _spans(self) -> Iterator[slice]:
        for first, end in zip(self.starts[:-1].tolist(), self.starts[1:].tolist(), strict=True):
            yield slice(first, end)

    def _tree(self, span: slice) -> Any:
        from sklearn.tree._tree import NODE_DTYPE, Tree

        # Fields that are not named (impurity, weights) matter to training only.
        nodes = np.zeros(span.stop - span.start, NODE_DTYPE)
        nodes["left_child"] = self.left[span]
        nodes["right_child"] = self.right[span]
        nodes["feature"] = self.feature[span]
        nodes["threshold"] = self.threshold[span]
        tree = Tree(self.n_features, np.ones(1, np.intp), 1)
        tree.__setstate__(
            {
                "max_depth": 0,
                "node_count": len(nodes),
                "nodes": nodes,
                "values": np.zeros((len(nodes), 1, 1)),
            }
        )
        return tree

    def _check(self) -> None:
        """Refuse what would lead the compiled walk out of its arrays, or round in circles."""
        n_nodes = len(self.left)
        arrays = (self.right, self.feature, self.threshold, self.values)
        sizes = np.diff(self.starts)
        is_sound = (
            all(len(array) == n_nodes for array in arrays)
            and self.values.ndim == 2
            and len(sizes) > 0
            and self.starts[0] == 0
            and self.starts[-1] == n_nodes
            and bool((sizes > 0).all())
            and len(self.baseline) in (0, self.values.shape[1])
            and all(self._is_walkable(span) for span in self._spans())
        )
        if not is_sound:
            raise _broken()

    def _is_walkable(self, span: slice) -> bool:
        left, right, feature = self.left[span], self.right[span], self.feature[span]
        is_inner = left != _LEAF
        own = np.flatnonzero(is_inner)
        children = np.stack([left[is_inner], right[is_inner]])
        # A child stands behind its parent, so every walk comes to an end.
        goes_on = (children > own) & (children < len(left))
        known = (feature[is_inner] >= 0) & (feature[is_inner] < self.n_features)
        return bool(goes_on.all() and known.all())


def _shares(scores: Floats) -> Floats:
    """Return probabilities of boosting's scores: logistic for two classes, else softmax."""
    if scores.shape[1] == 1:
        from scipy.special import expit

        second = expit(scores)
        return np.concatenate([1 - second, second], axis=1)
    powers = np.exp(scores - scores.max(axis=1, keepdims=True))
    return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _starts(sizes: list[int]) -> npt.NDArray[np.int64]:
    return np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)


def _joined(parts: list[npt.NDArray[Any]], dtype: Any) -> npt.NDArray[Any]:
    return np.concatenate(parts).astype(dtype)


def _broken() -> InputError:
    return InputError(
        _("The trees of this model cannot be read."),
        _("Train it again, or ask for the file again."),
    )
