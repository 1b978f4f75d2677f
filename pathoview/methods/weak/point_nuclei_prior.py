"""What the model that training begins with says of a field: a third mask to learn from."""

from __future__ import annotations

import cv2
import numpy as np

from pathoview.datasets.labels import BACKGROUND, UNKNOWN, Mask
from pathoview.methods.engine.infer import Inference, InferencePlan
from pathoview.methods.engine.weights import load_arrays
from pathoview.methods.model import Model
from pathoview.methods.networks.unet import UNet
from pathoview.methods.nuclei_maps import FOREGROUND, N_MAPS, Parting, nuclei_of
from pathoview.methods.spec import Compute
from pathoview.methods.weak.point_nuclei_fields import Field
from pathoview.methods.weak.point_nuclei_labels import NUCLEUS, Cells, Flags, Floats

_SURE_NUCLEUS, _SURE_BACKGROUND = 0.8, 0.1
"""Probabilities of nucleus from which on, and up to which, a model is believed."""


def sure_mask(probability: Floats, field: Field) -> Mask:
    """Return what is sure of a probability of nucleus, (height, width)."""
    mask = np.full(probability.shape, UNKNOWN, np.uint8)
    mask[probability <= _SURE_BACKGROUND] = BACKGROUND
    mask[probability >= _SURE_NUCLEUS] = NUCLEUS
    mask[~field.is_allowed] = UNKNOWN
    return mask


class Parted:
    """A model of `nuclei_maps`, at its own resolution: touching nuclei have an edge between."""

    def __init__(self, start: Model, device: str) -> None:
        settings = start.card.settings
        network = UNet(
            N_MAPS,
            widths=tuple(settings["widths"]),
            fold=settings["fold"],
            n_deepest=settings["n_deepest"],
        )
        load_arrays(network, start.tensors)
        self._mpp = start.card.mpp
        self._infer = Inference(
            network, InferencePlan(network.stride, 2 * network.reach_px), Compute(device)
        )

    def mask(self, field: Field) -> Mask:
        """Return what is sure of a field; edges between touching nuclei are background."""
        height, width = field.rgb.shape[:2]
        scale = field.mpp / self._mpp
        size = max(1, round(width * scale)), max(1, round(height * scale))
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        resized = cv2.resize(field.rgb, size, interpolation=way)
        maps = self._infer.maps(np.asarray(resized, np.uint8))
        labels = nuclei_of(maps, Parting()).labels
        mask = sure_mask(np.asarray(cv2.resize(maps[FOREGROUND], (width, height))), field)
        nearest = cv2.resize(labels, (width, height), interpolation=cv2.INTER_NEAREST)
        mask[edges_between(np.asarray(nearest, np.int32)) & field.is_allowed] = BACKGROUND
        return mask


def edges_between(labels: Cells) -> Flags:
    """Return the pixels of instances, (height, width), that touch another instance."""
    values = labels.astype(np.float32)
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    highest = cv2.dilate(values, cross)
    lowest = cv2.erode(np.where(labels > 0, values, np.float32(np.inf)), cross)
    return np.asarray((labels > 0) & (highest != lowest))
