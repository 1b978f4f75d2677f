"""Tissue as if it were healthy, and where it is not.

Taught by areas of pathology beside healthy tissue. Three engines, all as one network a pixel of
which depends on pixels within the halo: `inpaint` finds pathology, hides it, and fills it in with a
network that has learned from healthy tissue only; `gvs` (Zhang et al. 2020) repaints until a
network that looks for leftovers finds none; `xia` (Xia, Chartsias and Tsaftaris 2020) takes
pictures apart into healthy tissue and a mask, and puts them together again.
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
from pathoview.methods.spec import Synthesised
from pathoview.methods.weak.pseudo_healthy_beside import with_tissue_beside
from pathoview.methods.weak.pseudo_healthy_params import (
    MPP,
    PseudoHealthyFitParams,
    PseudoHealthyParams,
)
from pathoview.slides.slide import Slide
from pathoview.slides.stains import H_E

if TYPE_CHECKING:
    from pathoview.methods.engine.infer import Inference

Rgb = npt.NDArray[np.uint8]


class PseudoHealthy(NetworkMethod[PseudoHealthyParams]):
    """See the module; the parameters say the rest."""

    untaught = _("Teach it with areas of pathology, and of healthy tissue.")

    def prepare(self, slide: Slide, mpp: float) -> Mapping[str, Any]:
        """Return the fixed colours of the stains: nothing is measured on the slide."""
        return {"stains": H_E.to_json()}

    def predict(self, patch: Rgb, mpp: float, context: Mapping[str, Any]) -> Synthesised:
        """Return a patch without its pathology, and where that is.

        What a slide's resolution is off from the method's is not evened out: training changes sizes
        at random, by more than that.
        """
        maps = self._ready().maps(patch)
        return composed(patch, maps, self._params.beside)

    def fit(self, data: TrainingData, params: BaseParams, context: FitContext) -> Fitted:
        """Learn from areas; see `fitting.Trainable`.

        Goes on from ``context.start``, a model of the same engine; it keeps that model's width.
        Raises `UsageError` otherwise, and when no pathology or no healthy tissue is labelled.
        """
        from pathoview.methods.weak.pseudo_healthy_training import fit

        if not isinstance(params, PseudoHealthyFitParams):
            raise TypeError(type(params).__name__)
        return fit(data, params, context)

    def _loaded(self, fitted: Fitted) -> Inference:
        from pathoview.methods.engine.infer import Inference, InferencePlan
        from pathoview.methods.engine.weights import load_arrays
        from pathoview.methods.networks.pseudo_healthy import STRIDE, Seam
        from pathoview.methods.networks.unet import folded
        from pathoview.methods.weak.pseudo_healthy_engines import engine

        params = self._params
        seam = Seam(params.threshold, round(params.margin_um / MPP), round(params.seam_um / MPP))
        network = engine(fitted.settings["engine"]).network_of(fitted.settings, seam)
        load_arrays(network, fitted.tensors)
        plan = InferencePlan(STRIDE, network.reach_px)
        return Inference(folded(network), plan, self._compute, lambda maps: maps)


def composed(patch: Rgb, maps: npt.NDArray[np.float32], beside: float) -> Synthesised:
    """Return what a network's maps, (5, height, width), make of a patch.

    They are what is laid over it, how much of that counts, and how likely there is pathology. Where
    nothing counts, each pixel stays what it is. ``beside``: how much, 0 … 1, is tissue from beside.
    """
    painted, share = maps[:3].transpose(1, 2, 0) * 255, maps[3][..., None]
    painted = with_tissue_beside(painted, patch, maps[3] > 0, beside)
    mixed = np.rint(patch * (1 - share) + painted * share)
    return Synthesised(mixed.clip(0, 255).astype(np.uint8), np.ascontiguousarray(maps[4]))
