"""All that a training reads from: a reader, a sampler, and the patches it is measured on."""

from __future__ import annotations

from dataclasses import dataclass

from pathoview.datasets.anchors import AnchorMap
from pathoview.datasets.held_back import hold_back
from pathoview.datasets.labels import TrainingData
from pathoview.datasets.meanings import Target
from pathoview.datasets.patches import CACHE_BYTES, PatchReader, Place
from pathoview.datasets.sampling import PatchSampler, validation_places


@dataclass(frozen=True, slots=True)
class PatchSupply:
    """Patches to train on and to measure on."""

    data: TrainingData
    """With what is held back."""
    reader: PatchReader
    sampler: PatchSampler
    validation: tuple[Place, ...]
    """Empty: there is nothing to measure on."""
    sentence: str
    """What is held back, for people."""


def patch_supply(
    data: TrainingData,
    target: Target,
    *,
    mpp: float,
    patch_px: int,
    seed: int = 0,
    margin_um: float = 0.0,
    unlabelled_share: float = 0.0,
    most_validation: int = 64,
    cache_bytes: int = CACHE_BYTES,
) -> PatchSupply:
    """Hold back what training is measured on, and get ready to read the rest.

    ``mpp``: wanted µm per px; ``margin_um``: how far patches keep away from blocks that are held
    back. Raises `UsageError` when there is nothing to learn from, `MissingScaleError`.
    """
    reader = PatchReader(data.images, mpp, patch_px, cache_bytes=cache_bytes)
    anchors = AnchorMap(reader, target)
    data, sentence = hold_back(data, anchors, seed=seed, margin_um=margin_um)
    sampler = PatchSampler(
        data, anchors, seed=seed, margin_um=margin_um, unlabelled_share=unlabelled_share
    )
    places = validation_places(data, anchors, most_validation)
    return PatchSupply(data, reader, sampler, tuple(places), sentence)
