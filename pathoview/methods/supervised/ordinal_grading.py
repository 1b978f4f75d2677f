"""Grades of tiles by a network that knows their order (Le Vuong et al. 2021).

It learns from areas of ordered classes: benign, then grade by grade, as the class list has them.
The map tells of each place how the tile around it would be graded; its features are computed once,
whatever the overlap of the tiles. An encoder sees further than the halo: maps may differ by a trace
where tiles meet.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pathoview.core.params import BaseParams
from pathoview.core.translation import _
from pathoview.datasets.labels import TrainingData
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.network_method import NetworkMethod
from pathoview.methods.supervised.ordinal_grading_params import (
    HALO_UM,
    MPP,
    OrdinalGradingFitParams,
    OrdinalGradingParams,
)
from pathoview.slides.slide import Slide
from pathoview.slides.stains import H_E

if TYPE_CHECKING:
    from pathoview.methods.engine.infer import Inference

_WINDOW_PX = 2048
"""A patch with its halo is computed in one piece: windows would share most of what they see."""


class OrdinalGrading(NetworkMethod[OrdinalGradingParams]):
    """See the module; the parameters say the rest."""

    untaught = _("Teach it with areas of two grades or more.")

    def prepare(self, slide: Slide, mpp: float) -> Mapping[str, Any]:
        """Return the fixed colours of the stains, and that the classes are grades."""
        return {"stains": H_E.to_json(), "ordering": "grades"}

    def predict(
        self, patch: npt.NDArray[np.uint8], mpp: float, context: Mapping[str, Any]
    ) -> npt.NDArray[np.float32]:
        """Return (height, width, grade): how the tile around each px would be graded."""
        return np.ascontiguousarray(self._ready().maps(patch).transpose(1, 2, 0))

    def fit(self, data: TrainingData, params: BaseParams, context: FitContext) -> Fitted:
        """Learn from areas of ordered classes; see `fitting.Trainable`.

        Goes on from ``context.start``, a model of this method with the same grades in the same
        order. Raises `UsageError` otherwise, and when fewer than two grades are labelled.
        """
        from pathoview.methods.supervised.ordinal_grading_training import fit

        if not isinstance(params, OrdinalGradingFitParams):
            raise TypeError(type(params).__name__)
        return fit(data, params, context)

    def _loaded(self, fitted: Fitted) -> Inference:
        from pathoview.methods.engine.infer import Inference, InferencePlan
        from pathoview.methods.engine.weights import load_arrays
        from pathoview.methods.networks.grading import probabilities
        from pathoview.methods.supervised.ordinal_grading_training import network_of

        network = network_of(fitted.settings)
        load_arrays(network, fitted.tensors)
        overlap = 2 * round(HALO_UM / MPP)
        plan = InferencePlan(network.stride, overlap, window_px=_WINDOW_PX)
        activate = partial(probabilities, reading=self._params.reading)
        return Inference(network, plan, self._compute, activate)
