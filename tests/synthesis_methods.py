"""A method that takes dark tissue for pathology and bleaches it, its model, and what it makes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from pathoview.core.params import BaseParams
from pathoview.core.registry import Registry
from pathoview.methods import registry
from pathoview.methods.fitting import Fitted
from pathoview.methods.model import Model, ModelCard, ModelClass, write_model
from pathoview.methods.spec import Kind, MethodSpec, Synthesised
from pathoview.session.run_synthesis import RunSynthesis
from pathoview.session.session import Session
from pathoview.slides.slide import Slide
from pathoview.tasks import method_building

CLASSES = (
    ModelClass(name="Background", color=(200, 200, 200)),
    ModelClass(name="Tumor", color=(200, 30, 60)),
)
HEALTHY = (236, 190, 214)
"""What dark tissue is replaced by."""
_BLUR_PX = 5
_PAINTED_FROM = 0.2
_HALO_UM = 8.0


class BleachParams(BaseParams):
    """There is nothing to choose."""


class BleachFitParams(BaseParams):
    """There is nothing to choose."""


class Bleach:
    """Dark pixels are pathology, and are painted in one pale colour."""

    def __init__(self, params: BleachParams, fitted: Fitted) -> None:
        self._params = params

    def prepare(self, slide: Slide, mpp: float) -> Mapping[str, Any]:
        return {}

    def predict(
        self, patch: npt.NDArray[np.uint8], mpp: float, context: Mapping[str, Any]
    ) -> Synthesised:
        red = cv2.blur(patch[..., 0].astype(np.float32), (_BLUR_PX, _BLUR_PX))
        pathology = 1 / (1 + np.exp((red - 150) / 8))
        picture = patch.copy()
        picture[pathology > _PAINTED_FROM] = HEALTHY
        return Synthesised(picture, pathology.astype(np.float32))


SPEC = MethodSpec(
    name="bleach",
    title="Bleach",
    summary="Paints dark tissue pale.",
    kind=Kind.SYNTHESIS,
    learns_from="scribbles",
    mpp=1.0,
    patch_px=256,
    halo_um=_HALO_UM,
    stains=("H&E",),
    params=BleachParams,
    reference="none",
    entry=f"{__name__}:Bleach",
    fit_params=BleachFitParams,
)


def known_bleach(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    """Have the method known, and return a model of it."""
    methods = Registry("method", (*registry.METHODS, SPEC))
    for module in (registry, method_building):
        monkeypatch.setattr(module, "METHODS", methods)
    card = ModelCard(
        id="b1" * 16,
        title="Bleached tumor",
        method=SPEC.name,
        kind="synthesis",
        mpp=1.0,
        classes=CLASSES,
    )
    path = folder / "bleach.safetensors"
    write_model(path, Model(card, {"nothing": np.zeros(1, np.float32)}))
    return path


def made_by(session: Session) -> RunSynthesis:
    """Return what is shown."""
    assert session.results is not None
    assert session.results.synthesis is not None
    return session.results.synthesis


def has_synthesis(session: Session) -> bool:
    return session.results is not None and made_by(session).counts.n_px > 0
