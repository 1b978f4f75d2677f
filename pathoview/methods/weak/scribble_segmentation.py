"""Tissue by a network that learns from strokes, then teaches itself on what nobody labelled.

First the pixels under strokes and areas alone have a loss. Then a mean teacher (Tarvainen and
Valpola 2017), the average of the network over time, tells the network of tissue without labels:
both have to agree whatever the colours, and what the teacher is surest of, as much of every class
(Zou et al. 2018), counts as label. It is kept only if it does better on labels that are held back.

A pixel of the small U-Net depends on the 67 px around it only, which lie in the halo. Networks on
encoders see further than the halo: their maps may differ by a trace where tiles meet.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from pathoview.core.params import BaseParams
from pathoview.core.translation import _
from pathoview.datasets.labels import TrainingData
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.network_method import NetworkMethod
from pathoview.methods.weak.scribble_segmentation_params import (
    HALO_UM,
    MPP,
    ScribbleSegmentationFitParams,
    ScribbleSegmentationParams,
)
from pathoview.slides.slide import Slide
from pathoview.slides.stains import H_E

if TYPE_CHECKING:
    from pathoview.methods.engine.infer import Inference

Rgb = npt.NDArray[np.uint8]


class ScribbleSegmentation(NetworkMethod[ScribbleSegmentationParams]):
    """See the module; the parameters say the rest."""

    untaught = _("Teach it with strokes.")

    def prepare(self, slide: Slide, mpp: float) -> Mapping[str, Any]:
        """Return the fixed colours of the stains: nothing is measured on the slide."""
        return {"stains": H_E.to_json()}

    def predict(
        self, patch: Rgb, mpp: float, context: Mapping[str, Any]
    ) -> npt.NDArray[np.float32]:
        """Return (height, width, class): the classes of ``settings["values"]``, in this order.

        What a slide's resolution is off from the method's is not evened out: training changes sizes
        at random, by more than that.
        """
        return np.ascontiguousarray(self._ready().maps(patch).transpose(1, 2, 0))

    def fit(self, data: TrainingData, params: BaseParams, context: FitContext) -> Fitted:
        """Learn from strokes and areas; see `fitting.Trainable`.

        Goes on from ``context.start``, a model of this method that tells the same classes, by
        name; it keeps that model's network. Raises `UsageError` otherwise, and when fewer than two
        classes are labelled.
        """
        from pathoview.methods.weak.scribble_segmentation_training import fit

        if not isinstance(params, ScribbleSegmentationFitParams):
            raise TypeError(type(params).__name__)
        return fit(data, params, context)

    def _loaded(self, fitted: Fitted) -> Inference:
        from pathoview.methods.engine.infer import Inference, InferencePlan
        from pathoview.methods.engine.weights import load_arrays
        from pathoview.methods.networks.unet import folded
        from pathoview.methods.weak.scribble_segmentation_learner import softmax
        from pathoview.methods.weak.scribble_segmentation_networks import network_of

        network = network_of(fitted.settings)
        load_arrays(network, fitted.tensors)
        n_views = int(self._params.views)
        plan = InferencePlan(network.stride, 2 * round(HALO_UM / MPP), n_views=n_views)
        return Inference(folded(network), plan, self._compute, softmax)
