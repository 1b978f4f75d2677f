"""A method that tells classes of pixels by their colour, its model, and runs made with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from pathoview.core.params import BaseParams
from pathoview.core.progress import SilentProgress
from pathoview.core.registry import Registry
from pathoview.jobs.runner import Job
from pathoview.methods import registry
from pathoview.methods.fitting import Fitted
from pathoview.methods.model import Model, ModelCard, ModelClass, write_model
from pathoview.methods.spec import Kind, MethodSpec
from pathoview.session.run_maps import RunMap
from pathoview.session.session import Session
from pathoview.slides.slide import Slide
from pathoview.tasks import method_building

CLASSES = (
    ModelClass(name="Background", color=(200, 200, 200)),
    ModelClass(name="Nuclei", color=(20, 40, 200)),
    ModelClass(name="Stroma", color=(230, 120, 170)),
)
_BLUR_PX = 5
_HALO_UM = 8.0


class ColourParams(BaseParams):
    """There is nothing to choose."""


class ColourFitParams(BaseParams):
    """There is nothing to choose."""


class Colours:
    """Dark pixels are nuclei, bright ones background, all others stroma; a little blurred."""

    def __init__(self, params: ColourParams, fitted: Fitted) -> None:
        self._params = params

    def prepare(self, slide: Slide, mpp: float) -> Mapping[str, Any]:
        return {}

    def predict(
        self, patch: npt.NDArray[np.uint8], mpp: float, context: Mapping[str, Any]
    ) -> npt.NDArray[np.float32]:
        red = cv2.blur(patch[..., 0].astype(np.float32), (_BLUR_PX, _BLUR_PX))
        scores = np.stack([(red - 225) / 8, (150 - red) / 8, np.zeros_like(red)], axis=2)
        odds = np.exp(np.clip(scores, -20, 20))
        return np.asarray(odds / odds.sum(axis=2, keepdims=True), np.float32)


SPEC = MethodSpec(
    name="colours",
    title="Colours",
    summary="Tells classes by their colour.",
    kind=Kind.PIXEL,
    learns_from="scribbles",
    mpp=1.0,
    patch_px=256,
    halo_um=_HALO_UM,
    stains=("H&E",),
    params=ColourParams,
    reference="none",
    entry=f"{__name__}:Colours",
    fit_params=ColourFitParams,
)


def known_colours(monkeypatch: pytest.MonkeyPatch, folder: Path) -> Path:
    """Have the method known, and return a model of it."""
    methods = Registry("method", (*registry.METHODS, SPEC))
    for module in (registry, method_building):
        monkeypatch.setattr(module, "METHODS", methods)
    card = ModelCard(
        id="c0" * 16,
        title="Colours of tissue",
        method=SPEC.name,
        kind="pixel",
        mpp=1.0,
        classes=CLASSES,
    )
    path = folder / "colours.safetensors"
    write_model(path, Model(card, {"nothing": np.zeros(1, np.float32)}))
    return path


class Relay(SilentProgress):
    """Tells a job what its task says, and lets the session work meanwhile."""

    def __init__(self, job: Job, between: Callable[[str], None]) -> None:
        super().__init__()
        self._job = job
        self._between = between

    def event(self, kind: str, data: object) -> None:
        self._job.event.emit(kind, data)
        self._between(kind)


def map_of(session: Session) -> RunMap:
    """Return the map that is shown."""
    assert session.results is not None
    assert session.results.map is not None
    return session.results.map


def has_map(session: Session) -> bool:
    return session.results is not None and map_of(session).area_mm2 > 0
