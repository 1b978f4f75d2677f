"""Train the encoder of H&E tiles that comes with PathoView, anew and on any machine.

    python resources/models/train_encoder.py --data FOLDER --output encoder.safetensors

Nobody's labels are needed: two views of the same place are to be found among the others of a batch
(SimCLR, Chen et al. 2020), whatever their stain, sharpness and direction. ``--data`` holds the
pictures that `encoder_tiles.SOURCES` names, all of free licences. The network is EfficientNet-Lite0
and begins with Google's ImageNet weights (Apache-2.0) or, with ``--start random``, with none.

What the defaults give is the encoder that ships; some minutes on one core.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import importlib.metadata
import platform
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import torch  # noqa: TID253 (a script)
from encoder_tiles import Picture, pairs, read_pictures
from told import Told
from torch import Tensor, nn  # noqa: TID253
from torch.nn import functional  # noqa: TID253

from pathoview import __version__
from pathoview.methods.engine.augment import STRONG, augment
from pathoview.methods.engine.encoders import build_encoder
from pathoview.methods.engine.learner import Learner, Trained
from pathoview.methods.engine.plan import TrainingPlan
from pathoview.methods.engine.tile_encoder import PooledEncoder
from pathoview.methods.engine.train import train
from pathoview.methods.engine.weights import arrays_of
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.model import DataUsed, Model, ModelCard, Tensors, write_model

ARCHITECTURE = "tf_efficientnet_lite0"
TEMPERATURE = 0.2
WIDTHS = 512, 128
"""Of what stands on the encoder while it learns, and is thrown away."""
KEPT = ("conv_stem", "bn1", "blocks.0", "blocks.1", "blocks.2")
"""Layers that see edges and colours alone: their weights stay ImageNet's, which saves a third."""
N_EACH = 8
"""Places of a batch that are of the same source."""
N_MEASURED = 8
"""Batches of held-back pictures that are measured on."""
N_SETTLING = 40
"""Batches by which the statistics of normalisation are measured anew in the end."""

cv2.setNumThreads(1)


class Contrasted(nn.Module):
    """An encoder, and what turns its features into a direction while it learns."""

    def __init__(self, start: str) -> None:
        super().__init__()
        self.encoder = build_encoder(ARCHITECTURE, "random" if start == "random" else "bundled")
        for name, weight in self.encoder.body.named_parameters():
            weight.requires_grad_(start == "random" or not name.startswith(KEPT))
        self.features = PooledEncoder(self.encoder)
        n = self.encoder.spec.n_features
        self.head = nn.Sequential(
            nn.BatchNorm1d(n, affine=False),
            nn.Linear(n, WIDTHS[0]),
            nn.ReLU(),
            nn.Linear(*WIDTHS),
        )

    def forward(self, images: Tensor) -> Tensor:
        """Return (N, 128) of (N, 3, H, W), each of length 1."""
        return functional.normalize(self.head(self.features(images)).float(), dim=1)


class ViewLearner(Learner):
    """Finds the other view of a place among all views of a batch."""

    network: Contrasted

    def __init__(self, wants: argparse.Namespace, pictures: list[Picture]) -> None:
        torch.manual_seed(wants.seed)
        self.network = Contrasted(wants.start)
        said = (data_hash(pictures), wants.side, wants.groups, wants.start)
        self.fingerprint = " ".join(map(str, said))
        self._wants = wants
        self._taught = [one for one in pictures if not one.is_held_back]
        self._held_back = [one for one in pictures if one.is_held_back]

    def batch(self, step: int) -> dict[str, npt.NDArray[Any]]:
        rng = np.random.default_rng([self._wants.seed, 0, step])
        wants = self._wants
        first, second = pairs(rng, self._taught, wants.groups, N_EACH, wants.side)
        return {"first": first, "second": second}

    def loss(
        self, network: nn.Module, batch: Mapping[str, Tensor]
    ) -> tuple[Tensor, dict[str, float]]:
        views = as_images(torch.cat([batch["first"], batch["second"]]))
        n = len(batch["first"])
        directions = network(augment(views, how=STRONG).images)
        alike = directions @ directions.T / TEMPERATURE
        alike = alike.masked_fill(torch.eye(2 * n, dtype=torch.bool), -torch.inf)
        partner = torch.arange(2 * n).roll(n)
        hits = (alike.argmax(dim=1) == partner).float().mean()
        return functional.cross_entropy(alike, partner), {"found": float(hits)}

    def validate(self, network: nn.Module) -> dict[str, float]:
        """Return how often the nearest of 64 places of unseen pictures is the right one."""
        hits = []
        for number in range(N_MEASURED):
            rng = np.random.default_rng([1, number])
            views = pairs(rng, self._held_back, 8, 8, self._wants.side)
            found = [network.features(as_images(torch.from_numpy(one))) for one in views]
            one, other = (functional.normalize(rows - rows.mean(0), dim=1) for rows in found)
            hits.append(((one @ other.T).argmax(1) == torch.arange(len(one))).float().mean())
        return {"nearest_is_right": float(torch.stack(hits).mean())}

    def settle(self) -> None:
        """Measure the statistics of normalisation anew, on tiles as they are."""
        encoder = self.network.encoder
        for layer in encoder.modules():
            if isinstance(layer, nn.BatchNorm2d):
                layer.reset_running_stats()
                layer.momentum = None  # the plain mean
        encoder.train()
        with torch.no_grad():
            for number in range(N_SETTLING):
                rng = np.random.default_rng([self._wants.seed, 2, number])
                # Of many sources a batch: its statistics are to be those of all.
                first, _second = pairs(rng, self._taught, 64, 1, self._wants.side)
                encoder(as_images(torch.from_numpy(first)))
        encoder.eval()

    def fitted(self, network: nn.Module) -> Fitted:
        return Fitted(arrays_of(network.encoder.body), {})


def halved(tensors: Tensors) -> Tensors:
    """Return weights with 16-bit kernels, half the bytes; what normalises stays as it is."""
    return {
        name: array.astype(np.float16) if array.ndim > 1 else array
        for name, array in tensors.items()
        if not name.endswith("num_batches_tracked")
    }


def as_images(pixels: Tensor) -> Tensor:
    """Return (N, 3, H, W), 0–1, of (N, H, W, 3) 8-bit."""
    return pixels.permute(0, 3, 1, 2).float().div(255)


def main() -> None:
    wants = arguments()
    pictures = read_pictures(wants.data)
    learner = ViewLearner(wants, pictures)
    learner.network.eval()
    with torch.no_grad():
        before = learner.validate(learner.network)
    print("before", before, flush=True)
    plan = TrainingPlan(
        n_steps=wants.steps,
        lr=wants.lr,
        weight_decay=0.02,
        clip_norm=1.0,
        ema=0.99,
        schedule="cosine",
        warm_up_steps=min(40, wants.steps // 10),
    )
    context = FitContext(Told(wants.minutes), wants.seed, state_path=wants.state)
    started = time.monotonic()
    trained = train(learner, plan, context)
    learner.settle()
    with torch.no_grad():
        metrics = learner.validate(learner.network)
    metrics["nearest_is_right_before"] = before["nearest_is_right"]
    card = card_of(wants, trained, pictures, metrics, time.monotonic() - started)
    write_model(wants.output, Model(card, halved(arrays_of(learner.network.encoder.body))))
    print(card.metrics)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--state", type=Path, help="where to keep what a killed training needs")
    parser.add_argument("--start", choices=["imagenet", "random"], default="imagenet")
    parser.add_argument("--minutes", type=float, default=1e6, help="end after so long at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=400)
    parser.add_argument("--groups", type=int, default=8, help="of a batch: eight places each")
    parser.add_argument("--side", type=int, default=64, help="px of a view")
    parser.add_argument("--lr", type=float, default=3e-4)
    return parser.parse_args()


def data_hash(pictures: list[Picture]) -> str:
    """Return one hash of all pictures."""
    digest = hashlib.sha256()
    for one in pictures:
        digest.update(f"{one.name} {one.hash}".encode())
    return digest.hexdigest()


def card_of(
    wants: argparse.Namespace,
    trained: Trained,
    pictures: list[Picture],
    metrics: Mapping[str, float],
    seconds: float,
) -> ModelCard:
    said = ("start", "seed", "steps", "groups", "side", "lr")
    parent = None if wants.start == "random" else build_encoder(ARCHITECTURE, "bundled").parent
    licences = sorted({one.source.licence for one in pictures})
    return ModelCard(
        title="Tiles of H&E",
        method=ARCHITECTURE,
        kind="encoder",
        mpp=0.5,
        stains=("H&E",),
        settings={"architecture": ARCHITECTURE},
        fit_params={**{name: getattr(wants, name) for name in said}, "steps_done": trained.n_steps},
        data=tuple(
            DataUsed(
                name=one.name,
                slide_hash=one.hash,
                split="val" if one.is_held_back else "train",
                licence=one.source.licence,
            )
            for one in pictures
        ),
        data_licence=", ".join(licences),
        parents=(parent,) if parent else (),
        licence="Apache-2.0",
        metrics=dict(metrics),
        curves=trained.curves,
        seed=wants.seed,
        numerics="float32",
        versions=versions(),
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        seconds=round(seconds, 1),
        notes=NOTES.format(hash=data_hash(pictures)),
        origin="bundled",
    )


NOTES = (
    "Self-supervised (SimCLR) with resources/models/train_encoder.py, from ImageNet weights, on "
    "views of free pictures of H&E: lymph node, skin, breast, prostate, ovary, cells. No label was "
    "used. Its weights are 16-bit floats. SHA-256 of the pictures' names and hashes: {hash}. "
    "Limits: where it was measured, it tells no more than the ImageNet weights it began with, and "
    "of single nuclei less (resources/guide/features.md). For research, not for diagnosis."
)


def versions() -> dict[str, str]:
    names = ("torch", "timm", "numpy", "opencv-python-headless")
    return {
        "pathoview": __version__,
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in names},
    }


if __name__ == "__main__":
    main()
