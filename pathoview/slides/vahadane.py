"""Stain colours by sparse non-negative factors, after Vahadane et al. 2016. Experimental.

Minimizes ‖OD − C·M‖² + λ·|C|₁ with C, M ≥ 0 by dictionary learning on a sample of pixels. The
result depends on the version of scikit-learn, and is checked like any other estimate.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from pathoview.core.translation import _
from pathoview.slides.stains import (
    H_E,
    MIN_STAINED_PIXELS,
    StainEstimate,
    checked_pair,
    stained_density,
)

_SPARSENESS = 0.1
_MOST_PIXELS = 20_000
_N_ROUNDS = 20


def estimate_vahadane(pixels: npt.NDArray[np.uint8]) -> StainEstimate:
    """Return hematoxylin and eosin as they look in (n, 3) RGB pixels of tissue.

    Where the estimate cannot be trusted, the fixed colours are returned with the reason.
    """
    from sklearn.decomposition import MiniBatchDictionaryLearning

    density = stained_density(pixels)
    if len(density) < MIN_STAINED_PIXELS:
        return StainEstimate(H_E, _("too few stained pixels"))
    density = density[:: max(1, len(density) // _MOST_PIXELS)]
    learning = MiniBatchDictionaryLearning(
        n_components=2,
        alpha=_SPARSENESS,
        max_iter=_N_ROUNDS,
        fit_algorithm="cd",
        transform_algorithm="lasso_cd",
        positive_code=True,
        positive_dict=True,
        dict_init=np.array(H_E.rows[:2]),
        random_state=0,
    )
    colors = learning.fit(density).components_
    lengths = np.linalg.norm(colors, axis=1, keepdims=True)
    if lengths.min() < 1e-6:
        return StainEstimate(H_E, _("the two colours found are no pair of stains"))
    hematoxylin, eosin = sorted(colors / lengths, key=lambda color: -float(color[0]))
    return checked_pair(density, hematoxylin, eosin, "Vahadane")
