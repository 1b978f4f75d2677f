"""Nuclei by a small U-Net that says where nucleus is and how deep in its nucleus a pixel lies.

The nuclei are parted where the depth has a valley (Naylor et al. 2019); what is learned is relative
to the deepest point of each nucleus, so that small and large ones are parted alike.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
import numpy.typing as npt
import orjson

from pathoview.core.errors import UsageError
from pathoview.core.translation import _
from pathoview.datasets.labels import TrainingData
from pathoview.datasets.supply import patch_supply
from pathoview.methods.fitting import FitContext, Fitted, fitted_of
from pathoview.methods.library import bundled_path
from pathoview.methods.model import Model, Parent, read_model
from pathoview.methods.network_method import NetworkMethod
from pathoview.methods.nuclei_maps import N_MAPS, Parting, is_near, nuclei_of
from pathoview.methods.sampling import measured_stains
from pathoview.methods.spec import Found
from pathoview.methods.supervised.nuclei_unet_params import NucleiUnetFitParams, NucleiUnetParams
from pathoview.slides.slide import Slide

if TYPE_CHECKING:
    from pathoview.methods.engine.infer import Inference
    from pathoview.methods.networks.unet import UNet
    from pathoview.methods.supervised.nuclei_unet_learner import NucleiLearner

Rgb = npt.NDArray[np.uint8]

BUNDLED = "nuclei_unet"
MPP = 0.5

_WIDTHS = 1, 2, 4
"""Channels of the levels, times the width."""
_FOLD, _N_DEEPEST = 2, 3
_MARGIN_UM = 16.0
"""Patches to learn from keep so far away from what is held back."""
_WEIGHT_DECAY, _CLIP_NORM, _VALIDATE_EVERY = 0.01, 5.0, 100


class NucleiUnet(NetworkMethod[NucleiUnetParams]):
    """See the module; the parameters say the rest."""

    def prepare(self, slide: Slide, mpp: float) -> Mapping[str, Any]:
        """Measure the stains' colours, which objects are measured by; the network needs none."""
        return measured_stains(slide, mpp)

    def predict(self, patch: Rgb, mpp: float, context: Mapping[str, Any]) -> Found:
        """Return the nuclei of a patch, each with its mean probability."""
        del context
        params = self._params
        how = Parting(
            params.threshold,
            params.split,
            params.smoothing_um / mpp,
            params.min_area_um2 / mpp**2,
            params.max_area_um2 / mpp**2,
        )
        return nuclei_of(self._maps(patch, mpp), how)

    def fit(self, data: TrainingData, params: NucleiUnetFitParams, context: FitContext) -> Fitted:
        """Learn from outlined nuclei; see `fitting.Trainable`.

        Training goes on from ``context.start``; without it, it begins from scratch, and needs
        hundreds of nuclei rather than some.
        """
        from pathoview.methods.engine.plan import TrainingPlan
        from pathoview.methods.engine.train import train

        learner, parted = _learner(data, params, context)
        plan = TrainingPlan(
            params.n_steps,
            params.lr,
            weight_decay=_WEIGHT_DECAY,
            clip_norm=_CLIP_NORM,
            validate_every=_VALIDATE_EVERY,
        )
        trained = train(learner, plan, context)
        return replace(
            learner.fitted(learner.network),
            metrics=dict(trained.metrics),
            curves=trained.curves,
            data=parted,
        )

    def _maps(self, patch: Rgb, mpp: float) -> npt.NDArray[np.float32]:
        """Return the network's maps, (2, height, width), whatever the resolution of the patch."""
        infer = self._ready()
        scale = mpp / MPP
        if is_near(scale):
            return infer.maps(patch)
        height, width = patch.shape[:2]
        size = max(1, round(width * scale)), max(1, round(height * scale))
        way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
        maps = infer.maps(np.asarray(cv2.resize(patch, size, interpolation=way), np.uint8))
        return np.stack([cv2.resize(one, (width, height)) for one in maps])

    def _learned(self) -> Fitted:
        """Return what was learned, here or before the program was given out."""
        return self._fitted or fitted_of(read_model(bundled_path(BUNDLED)))

    def _loaded(self, fitted: Fitted) -> Inference:
        from pathoview.methods.engine.infer import Inference, InferencePlan
        from pathoview.methods.engine.weights import load_arrays
        from pathoview.methods.networks.unet import folded

        network = network_of(fitted.settings)
        load_arrays(network, fitted.tensors)
        # Half of what windows share is further from their edges than the network sees.
        overlap_px = 2 * network.reach_px
        plan = InferencePlan(network.stride, overlap_px, n_views=int(self._params.views))
        return Inference(folded(network), plan, self._compute)


def network_of(settings: Mapping[str, Any]) -> UNet:
    """Return the network that a model's settings tell of, with random weights."""
    from pathoview.methods.networks.unet import UNet

    return UNet(
        N_MAPS,
        widths=tuple(settings["widths"]),
        fold=settings["fold"],
        n_deepest=settings["n_deepest"],
    )


def settings_of(width: int) -> dict[str, Any]:
    """Return the settings of a network that begins from nothing."""
    widths = [times * width for times in _WIDTHS]
    return {"widths": widths, "fold": _FOLD, "n_deepest": _N_DEEPEST}


def _learner(
    data: TrainingData, params: NucleiUnetFitParams, context: FitContext
) -> tuple[NucleiLearner, TrainingData]:
    """Return what is to be trained, and the data as they were parted.

    Raises `UsageError` when there is nothing to learn from.
    """
    import torch

    from pathoview.methods.engine.augment import STRONG, Augmentation
    from pathoview.methods.engine.weights import load_arrays
    from pathoview.methods.supervised.nuclei_unet_learner import NucleiLearner, Sample, sample_at

    start = context.start
    settings = dict(start.card.settings) if start else settings_of(params.width)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(context.seed)
        network = network_of(settings)
    if start:
        load_arrays(network, start.tensors)
    side = -(-params.patch_px // network.stride) * network.stride
    supply = patch_supply(
        data, "instances", mpp=MPP, patch_px=side, seed=context.seed, margin_um=_MARGIN_UM
    )
    if not supply.sampler.counts.get(1):
        raise UsageError(
            _("No nucleus is outlined."),
            _("Outline some nuclei, all of them in a region that you mark as fully labelled."),
        )

    def sample(step: int, slot: int) -> Sample:
        return sample_at(supply.reader, supply.sampler.place(step, slot), MPP)

    learner = NucleiLearner(
        network,
        settings,
        sample,
        params.batch,
        [sample_at(supply.reader, place, MPP) for place in supply.validation],
        fingerprint=_fingerprint(data, params, start),
        changes=STRONG if params.colors == "several laboratories" else Augmentation(),
        parents=_parents(start),
    )
    return learner, supply.data


def _fingerprint(data: TrainingData, params: NucleiUnetFitParams, start: Model | None) -> str:
    said = [
        params.model_dump(mode="json"),
        start.card.id if start else "",
        [(one.slide.content_hash, one.split, one.labels.fingerprint()) for one in data.images],
    ]
    return hashlib.sha256(orjson.dumps(said)).hexdigest()


def _parents(start: Model | None) -> tuple[Parent, ...]:
    if start is None:
        return ()
    card = start.card
    return (*card.parents, Parent(name=card.title, licence=card.licence, id=card.id))
