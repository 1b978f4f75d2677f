"""A method whose network is computed and taught in no time, with a model of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from pathoview.core.params import BaseParams
from pathoview.datasets.labels import TrainingData
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.library import LibraryModel, new_model_path
from pathoview.methods.model import Model, ModelCard, ModelClass, write_model
from pathoview.methods.registry import METHODS
from pathoview.methods.spec import Compute, Kind, MethodSpec
from pathoview.slides.slide import Slide
from pathoview.slides.stains import H_E


class TinyParams(BaseParams):
    pass


class TinyMethod:
    """Two classes by one convolution."""

    def __init__(
        self, params: TinyParams, fitted: Fitted | None = None, compute: Compute | None = None
    ) -> None:
        if fitted is None or compute is None:
            return
        from pathoview.methods.engine.infer import Inference, InferencePlan
        from pathoview.methods.engine.weights import load_arrays

        network = new_network()
        load_arrays(network, fitted.tensors)
        self._inference = Inference(network, InferencePlan(1, 8), compute, softmax)

    def fit(self, data: TrainingData, params: BaseParams, context: FitContext) -> Fitted:
        """Learn something of random places of the first image, five a step."""
        from pathoview.methods.engine.learner import Learner
        from pathoview.methods.engine.plan import TrainingPlan
        from pathoview.methods.engine.train import train
        from pathoview.methods.engine.weights import arrays_of

        slide = data.images[0].slide

        class Greens(Learner):
            fingerprint = "greens"
            network = new_network()

            def batch(self, step: int) -> dict[str, npt.NDArray[Any]]:
                places = np.random.default_rng(step).integers(0, 100, (5, 2))
                seen = [slide.read(0, int(x), int(y), 8, 8) for x, y in places]
                return {"images": np.stack(seen).transpose(0, 3, 1, 2).astype(np.float32) / 255}

            def loss(self, network: Any, batch: Mapping[str, Any]) -> tuple[Any, dict[str, float]]:
                wanted = batch["images"][:, 1:3]
                return (network(batch["images"]) - wanted).square().mean(), {}

            def validate(self, network: Any) -> dict[str, float]:
                return {}

            def fitted(self, network: Any) -> Fitted:
                return Fitted(arrays_of(network), {})

        learner = Greens()
        train(learner, TrainingPlan(n_steps=5, lr=0.05), context)
        return learner.fitted(learner.network)

    def prepare(self, slide: Slide, mpp: float) -> Mapping[str, Any]:
        return {"stains": H_E.to_json()}

    def predict(
        self, patch: npt.NDArray[np.uint8], mpp: float, context: Mapping[str, Any]
    ) -> npt.NDArray[np.float32]:
        return np.ascontiguousarray(self._inference.maps(patch).transpose(1, 2, 0))


def new_network() -> Any:
    import torch

    return torch.nn.Conv2d(3, 2, 3, padding=1)


def softmax(logits: Any) -> Any:
    return logits.softmax(1)


SPEC = MethodSpec(
    name="tiny",
    title="Tiny network",
    summary="For tests.",
    kind=Kind.PIXEL,
    learns_from="scribbles",
    mpp=1.0,
    patch_px=48,
    halo_um=8.0,
    stains=("H&E",),
    params=TinyParams,
    reference="none",
    entry="tiny_network:TinyMethod",
    uses_torch=True,
    fit_params=TinyParams,
)


def register(patch: pytest.MonkeyPatch) -> None:
    """Have the program know the method for one test."""
    patch.setitem(METHODS._items, SPEC.name, SPEC)


def accompany(request: Mapping[str, Any]) -> None:
    """Train along in another process, which does not know the method yet."""
    from pathoview.tasks import train

    METHODS.add(SPEC)
    train.accompany(request)


def tiny_model(title: str = "Two kinds", **said: Any) -> LibraryModel:
    """Put a model of the method into the library."""
    rng = np.random.default_rng(0)
    tensors = {
        "weight": rng.normal(size=(2, 3, 3, 3)).astype(np.float32),
        "bias": np.zeros(2, np.float32),
    }
    classes = (ModelClass(name="Nuclei"), ModelClass(name="Background"))
    known = {"method": "tiny", "kind": "pixel", "mpp": 1.0, "classes": classes}
    card = ModelCard.model_validate({"title": title, **known, **said})
    path = new_model_path(title)
    write_model(path, Model(card, tensors))
    return LibraryModel(path, card)
