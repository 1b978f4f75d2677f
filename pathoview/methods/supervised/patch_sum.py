"""Classes of whole pictures by the sum of their patches, and a forest (Schaumberg et al. 2020).

A picture of any size and scale is seen as 21 overlapping patches. An encoder, which stays as it is,
describes each; a bottleneck that is taught by the labels of pictures brings that down to 100
numbers, which are summed; a random forest tells the class from the sum, and from colours and
texture measured by rules. Pictures that end in the same leaves are alike: that is what similar
cases are searched by.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pathoview.core.params import BaseParams
from pathoview.core.translation import _
from pathoview.datasets.bags import BagData, Features
from pathoview.evaluation.calibration import at_temperature
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.spec import BagFound
from pathoview.methods.supervised.patch_sum_params import PatchSumFitParams, PatchSumParams
from pathoview.methods.supervised.patch_sum_vectors import TaughtForest
from pathoview.methods.taught_method import TaughtMethod


class PatchSum(TaughtMethod[PatchSumParams]):
    """A `spec.BagMethod` that can be trained, and tells by what cases are alike."""

    untaught = _("Train it from pictures with labels: pathoview train.")
    _forest: TaughtForest | None = None

    def predict(self, features: Features) -> BagFound:
        """Return what is said of a picture of (patch, feature); see `spec.BagMethod`.

        Every patch weighs the same in the sum. ``attention`` is no more than each patch's part in
        the evidence for the class that is said.
        """
        forest = self._ready()
        each = forest.bottleneck.patch_rows(features)
        told = forest.probabilities(np.vstack([each.mean(axis=0), each]))
        picture, patches = told[0], told[1:]
        speaks_for_it = patches[:, picture.argmax()]
        temperature = float(self._learned().settings.get("temperature", 1.0))
        certain = at_temperature(told, temperature).astype(np.float32)
        return BagFound(
            certain[0], (speaks_for_it / speaks_for_it.sum()).astype(np.float32), certain[1:]
        )

    def case_vector(self, features: Features) -> npt.NDArray[np.int32]:
        """Return the leaf of each tree, (tree,), that a picture of (patch, feature) ends in.

        Alike by `methods.case_likeness.proximity`, to pictures by the same model only.
        """
        forest = self._ready()
        row = forest.bottleneck.picture_row(features)
        found: npt.NDArray[np.int32] = forest.leaves(row[None])[0]
        return found

    def s_vector(self, features: Features) -> npt.NDArray[np.float32]:
        """Return the sum over patches, (unit,), of a picture of (patch, feature).

        Alike by `methods.case_likeness.vector_likeness`, to pictures by the same model only.
        """
        bottleneck = self._ready().bottleneck
        return bottleneck.picture_row(features)[: bottleneck.width].astype(np.float32)

    def fit(self, data: BagData, params: BaseParams, context: FitContext) -> Fitted:
        """Learn from pictures with labels; see `fitting.Trainable`.

        Goes on from ``context.start``, a model of this method with the same encoder and classes;
        it keeps that model's width. Raises `UsageError` otherwise, and when fewer than two classes
        are among the pictures of training.
        """
        from pathoview.methods.supervised.patch_sum_training import fit

        if not isinstance(params, PatchSumFitParams):
            raise TypeError(type(params).__name__)
        return fit(data, params, context)

    def _ready(self) -> TaughtForest:
        """Return what was learned, made ready once."""
        with self._lock:
            if self._forest is None:
                self._forest = TaughtForest.of(self._learned())
            return self._forest
