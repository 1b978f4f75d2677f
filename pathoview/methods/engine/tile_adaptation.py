"""A taught network of tiles at home with another laboratory's stain (AdaBN, Li et al. 2018).

The running means and variances of batch norm are those of tiles to come, of which nobody has to say
anything; no weight is touched.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import numpy.typing as npt
import torch

from pathoview.core.errors import UsageError
from pathoview.core.translation import _
from pathoview.methods.engine.encoders import body_hash
from pathoview.methods.engine.tile_learner import body_of, network_of
from pathoview.methods.engine.tile_looking import batches_of
from pathoview.methods.engine.weights import arrays_of
from pathoview.methods.fitting import Fitted
from pathoview.methods.networks.tile_network import take_statistics


def adapted(fitted: Fitted, tiles: npt.NDArray[np.uint8], device: str = "cpu") -> Fitted:
    """Return what was learned, its statistics those of (n, side, side, 3) tiles.

    Raises `UsageError` for a network without batch norm, and for fewer than two tiles.
    """
    network = network_of(fitted, device)
    if len(tiles) < 2:
        raise UsageError(
            _("There are too few tiles of tissue to adapt to."), _("Name more slides.")
        )
    if not take_statistics(network.body, batches_of(tiles, torch.device(device))):
        raise UsageError(
            _("This network has no batch norm: there is nothing to adapt."),
            _("Normalise the colours of slides instead: --normalise macenko."),
        )
    encoder = {**fitted.settings["encoder"], "weights": body_hash(body_of(network).cpu())}
    settings = {**fitted.settings, "encoder": encoder, "adapted_to": len(tiles)}
    return replace(fitted, tensors=arrays_of(network), settings=settings)
