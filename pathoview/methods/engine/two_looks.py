"""How what is seen from near and from far is put together: a line, on held-back slides."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch
from scipy.optimize import minimize

from pathoview.datasets.bags import BagData
from pathoview.methods.engine.weights import load_arrays
from pathoview.methods.fitting import Fitted
from pathoview.methods.networks.bag_overview import OverviewNetwork

_LEAST_SLIDES = 5
"""Of each class."""
_TOWARDS_MEAN = 0.05
"""How much the line is drawn to the mean of both looks."""


def combined(fitted: Fitted, network: OverviewNetwork, data: BagData) -> Fitted:
    """Return what was learned, its line that under which held-back slides are likeliest.

    With fewer than five slides of both of two classes it stays the mean.
    """
    bags = data.of("val")
    is_it = np.array([bag.label == 1 for bag in bags], np.bool_)
    if len(data.classes) != 2 or min(is_it.sum(), (~is_it).sum()) < _LEAST_SLIDES:
        return fitted
    load_arrays(network, fitted.tensors)
    network.eval()
    with torch.no_grad():
        looks = [
            network.looks(torch.from_numpy(np.array(bag.features, np.float32))) for bag in bags
        ]
    line = line_of(torch.stack(looks).double().numpy(), is_it)
    return replace(fitted, tensors={**fitted.tensors, "line": line.astype(np.float32)})


def line_of(
    looks: npt.NDArray[np.float64], is_it: npt.NDArray[np.bool_]
) -> npt.NDArray[np.float64]:
    """Return near, far and offset of log odds, (slide, 2); no look is turned around."""

    def loss(line: npt.NDArray[np.float64]) -> float:
        odds = looks @ line[:2] + line[2]
        away = ((line - [0.5, 0.5, 0.0]) ** 2).sum()
        return float(np.mean(np.logaddexp(0, odds) - is_it * odds) + _TOWARDS_MEAN * away)

    bounds = [(0.0, None), (0.0, None), (None, None)]
    return np.asarray(minimize(loss, [0.5, 0.5, 0.0], method="L-BFGS-B", bounds=bounds).x)
