"""Kinds of tissue by a network that was trained elsewhere, from an ONNX file.

What the network wants and gives is in the model's card (`network_card`). Pictures larger than it
takes are cut in windows that overlap; smaller ones are mirrored beyond their edges.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.core.errors import UsageError
from pathoview.core.translation import _
from pathoview.methods.fitting import Fitted
from pathoview.methods.network_card import NetworkCard
from pathoview.methods.network_import import TENSOR, card_of, needs_background, scaled
from pathoview.methods.nuclei_maps import is_near
from pathoview.methods.onnx_network import OnnxNetwork
from pathoview.methods.supervised.imported_network_params import ImportedNetworkParams
from pathoview.methods.windows import Maps, Rgb, hann, padded, whole_multiple, window_starts
from pathoview.slides.slide import Slide
from pathoview.slides.stains import H_E

_WINDOW_PX = 1280
"""Side of the largest window of a network that takes any size."""


class ImportedNetwork:
    """See the module."""

    def __init__(self, params: ImportedNetworkParams, fitted: Fitted | None = None) -> None:
        """``fitted`` None: a model has to be imported before it can predict."""
        self._params = params
        self._fitted = fitted
        self._lock = threading.Lock()
        self._network: OnnxNetwork | None = None

    def prepare(self, slide: Slide, mpp: float) -> Mapping[str, Any]:
        """Return the fixed colours of the stains: nothing is measured on the slide."""
        return {"stains": H_E.to_json()}

    def predict(
        self, patch: Rgb, mpp: float, context: Mapping[str, Any]
    ) -> npt.NDArray[np.float32]:
        """Return (height, width, class) in the order of the model's classes.

        A patch whose resolution is not near the network's is resampled to it.
        """
        if self._fitted is None:
            raise UsageError(_("This method needs a model."), _("Import an ONNX file first."))
        card = card_of(self._fitted.settings)
        height, width = patch.shape[:2]
        scale = mpp / card.mpp
        if is_near(scale):
            maps = self._maps(patch, card)
        else:
            size = max(1, round(width * scale)), max(1, round(height * scale))
            way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
            maps = self._maps(np.asarray(cv2.resize(patch, size, interpolation=way)), card)
            maps = _resized(maps, height, width)
        maps = maps.transpose(1, 2, 0)
        return np.ascontiguousarray(maps / maps.sum(axis=2, keepdims=True))

    def _maps(self, patch: Rgb, card: NetworkCard) -> Maps:
        """Return probabilities, (class, height, width), of a patch at the network's resolution."""
        network = self._ready()
        height, width = patch.shape[:2]
        tall, wide = network.fixed_px or (_side(height, card), _side(width, card))
        picture = padded(patch, max(height, tall), max(width, wide))
        overlap = 2 * round(card.halo_um / card.mpp)
        total: Maps | None = None
        weights = np.zeros(picture.shape[:2], np.float32)
        for top in window_starts(len(picture), tall, min(overlap, tall // 2)):
            for left in window_starts(picture.shape[1], wide, min(overlap, wide // 2)):
                there = slice(top, top + tall), slice(left, left + wide)
                maps = _activated(network.maps(scaled(picture[there], card)), card)
                if total is None:
                    total = np.zeros((len(maps), *weights.shape), np.float32)
                weight = hann(tall, wide)
                total[:, *there] += _resized(maps, tall, wide) * weight
                weights[there] += weight
        assert total is not None
        return np.asarray((total / weights)[:, :height, :width])

    def _ready(self) -> OnnxNetwork:
        """Return the network, made ready once."""
        with self._lock:
            if self._network is None:
                assert self._fitted is not None
                self._network = OnnxNetwork(self._fitted.tensors[TENSOR].tobytes())
            return self._network


def _side(length: int, card: NetworkCard) -> int:
    """Return the side of windows over a length, where the network takes any."""
    largest = max(card.multiple_px, _WINDOW_PX // card.multiple_px * card.multiple_px)
    return min(whole_multiple(length, card.multiple_px), largest)


def _activated(maps: Maps, card: NetworkCard) -> Maps:
    """Return probabilities of the classes, (class, row, column), that add up to 1."""
    match card.activation:
        case "softmax":
            maps = np.exp(maps - maps.max(axis=0))
        case "sigmoid":
            maps = 0.5 * (1 + np.tanh(0.5 * maps))
        case _:
            maps = np.clip(maps, 0, 1)
    if needs_background(card, len(maps)):
        maps = np.concatenate([1 - maps.max(axis=0, keepdims=True), maps])
    maps = maps + np.finfo(np.float32).tiny  # where a network says nothing at all
    return np.asarray(maps / maps.sum(axis=0), np.float32)


def _resized(maps: Maps, height: int, width: int) -> Maps:
    if maps.shape[1:] == (height, width):
        return maps
    return np.stack([cv2.resize(one, (width, height)) for one in maps])
