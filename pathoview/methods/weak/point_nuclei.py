"""Nuclei taught by one point each: where nucleus is, then which pixels belong together.

Liu, He and He 2022. Points become masks (Voronoi edges, clusters of colour and distance), from
which a first network learns; what it finds around each point are the instances from which a second
one learns an embedding of pixels that parts touching nuclei.
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
from pathoview.methods.sampling import measured_stains
from pathoview.methods.spec import Found
from pathoview.methods.taught_method import TaughtMethod
from pathoview.methods.weak.point_nuclei_params import PointNucleiFitParams, PointNucleiParams
from pathoview.slides.slide import Slide

if TYPE_CHECKING:
    from pathoview.methods.weak.point_nuclei_finding import Finder

Rgb = npt.NDArray[np.uint8]


class PointNuclei(TaughtMethod[PointNucleiParams]):
    """See the module; the parameters say the rest."""

    untaught = _("Teach it with points.")
    _finder: Finder | None = None

    def fit(self, data: TrainingData, params: BaseParams, context: FitContext) -> Fitted:
        """Learn from points; see `fitting.Trainable`."""
        from pathoview.methods.weak.point_nuclei_training import fit

        if not isinstance(params, PointNucleiFitParams):
            raise TypeError(type(params).__name__)
        return fit(data, params, context)

    def prepare(self, slide: Slide, mpp: float) -> Mapping[str, Any]:
        """Measure the stains' colours, which objects are measured by; the networks need none."""
        return measured_stains(slide, mpp)

    def predict(self, patch: Rgb, mpp: float, context: Mapping[str, Any]) -> Found:
        """Return the nuclei of a patch, each with its mean probability."""
        from pathoview.methods.weak.point_nuclei_finding import Rule

        del context
        params = self._params
        rule = Rule(params.threshold, params.parting, params.min_area_um2, params.max_area_um2)
        return self._ready().find(patch, mpp, rule)

    def _ready(self) -> Finder:
        """Return both networks, made ready once."""
        from pathoview.methods.weak.point_nuclei_finding import finder_of

        with self._lock:
            if self._finder is None:
                self._finder = finder_of(self._learned(), self._compute)
            return self._finder
