"""What the panel offers to begin a training with."""

from __future__ import annotations

from pathlib import Path

from pathoview.methods.library import SCRATCH, LibraryModel, bundled_path
from pathoview.methods.model import ModelCard
from pathoview.methods.registry import METHODS
from pathoview.session.beginnings import beginnings

OWN = Path("own.safetensors")


def listed(path: Path, method: str) -> LibraryModel:
    return LibraryModel(path, ModelCard(title=path.stem, method=method, kind="instance", mpp=0.5))


MODELS = [
    listed(bundled_path("nuclei_unet"), "nuclei_unet"),
    listed(OWN, "nuclei_unet"),
    listed(Path("tissue.safetensors"), "pixel_forest"),
]


def test_the_model_that_came_with_a_method_is_the_usual_beginning() -> None:
    offered = beginnings(METHODS.get("nuclei_unet"), MODELS)
    assert list(offered) == ["", SCRATCH, str(OWN)]


def test_without_one_the_usual_beginning_is_from_scratch() -> None:
    offered = beginnings(METHODS.get("point_nuclei"), MODELS)
    assert list(offered) == ["", str(bundled_path("nuclei_unet")), str(OWN)]
    assert offered[""] == beginnings(METHODS.get("nuclei_unet"), MODELS)[SCRATCH]
    assert beginnings(None, MODELS) == {}
