"""Train the nucleus model that comes with PathoView, anew and on any machine.

    python resources/models/train_nuclei.py --data DSB2018_HE --output nuclei_unet.safetensors

``--data`` holds ``images`` (pictures) and ``labels`` (PNGs of instance ids, same names): the 107
purple H&E tiles of the Data Science Bowl 2018 (BBBC038, CC0). Nothing else is learned from but
what `nuclei_scenes` makes up. Every seventh tile is held back to measure. Half an hour on one core.

The model that ships was trained in five runs: one of 2,400 steps, weights averaged by 0.998, that
was ended after 1,381; and four with these scenes, which are more varied, each from the weights
before it: ``--start BEFORE --schedule cosine --lr 1.5e-3 --made 0.5`` with ``--steps 750``, then
``--steps 2400 --seed 5``, then ``--steps 2400 --seed 6``, then ``--steps 2600 --seed 7``.
"""

from __future__ import annotations

import argparse
import datetime
import hashlib
import importlib.metadata
import platform
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch  # noqa: TID253 (a script)
from nuclei_scenes import MPP, Tile, sample
from told import Told

from pathoview import __version__
from pathoview.methods.engine.learner import Trained
from pathoview.methods.engine.plan import TrainingPlan
from pathoview.methods.engine.train import train
from pathoview.methods.engine.weights import arrays_of, load_arrays
from pathoview.methods.fitting import FitContext
from pathoview.methods.model import (
    DataUsed,
    Familiarity,
    Model,
    ModelCard,
    Parent,
    read_model,
    write_model,
)
from pathoview.methods.networks.unet import UNet
from pathoview.methods.nuclei_maps import N_MAPS
from pathoview.methods.supervised.nuclei_unet_learner import NucleiLearner, Sample
from pathoview.slides.identity import content_hash
from pathoview.tasks.familiarity import familiarity_of_pictures

TYPICAL_UM = 7.5
"""Width of a tile's median nucleus: the tiles do not state their scale."""
HELD_BACK = 7, 3
"""Of every seven tiles, in the order of their names, the fourth is held back."""
SETTLING_STEPS = 60
N_RECOLOURED = 30
"""Tiles in random colours that count as familiar: with many more, any stain would."""
SETTINGS = {"widths": [32, 64, 128], "fold": 2, "n_deepest": 3}

cv2.setNumThreads(1)


def main() -> None:
    wants = arguments()
    tiles = read_tiles(wants.data)
    every, which = HELD_BACK
    held_back = [tile for place, tile in enumerate(tiles) if place % every == which]
    taught = [tile for place, tile in enumerate(tiles) if place % every != which]

    def learned_from(step: int, slot: int) -> Sample:
        rng = np.random.default_rng([wants.seed, step, slot])
        rgb, labels = sample(rng, taught, wants.side, wants.made)
        return Sample(rgb, labels, np.ones(labels.shape, np.bool_))

    torch.manual_seed(wants.seed)
    learner = NucleiLearner(
        UNet(N_MAPS, widths=tuple(SETTINGS["widths"]), fold=2, n_deepest=3),
        SETTINGS,
        learned_from,
        wants.batch,
        [at_mpp(tile) for tile in held_back],
        fingerprint=f"{data_hash(wants.data)} {wants.side} {wants.batch} {wants.made}",
    )
    if wants.start:
        load_arrays(learner.network, read_model(wants.start).tensors)
    plan = TrainingPlan(
        n_steps=wants.steps,
        lr=wants.lr,
        weight_decay=0.01,
        clip_norm=5.0,
        ema=0.99,
        schedule=wants.schedule,
        numerics=wants.numerics,
    )
    context = FitContext(Told(wants.minutes), wants.seed, state_path=wants.state)
    started = time.monotonic()
    trained = train(learner, plan, context)
    settle(learner, trained.n_steps)
    trained = replace(
        trained, tensors=arrays_of(learner.network), metrics=learner.validate(learner.network)
    )
    card = card_of(wants, trained, taught, held_back, time.monotonic() - started)
    write_model(wants.output, Model(card, trained.tensors))
    print(card.metrics)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--output", type=Path, required=True)
    parser.add_argument("--state", type=Path, help="where to keep what a killed training needs")
    parser.add_argument("--start", type=Path, help="a model of this script to go on from")
    parser.add_argument("--schedule", choices=["one-cycle", "cosine"], default="one-cycle")
    parser.add_argument("--minutes", type=float, default=1e6, help="end after so long at most")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--steps", type=int, default=2400)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--side", type=int, default=192, help="px of a picture learned from")
    parser.add_argument("--made", type=float, default=0.35, help="share that is made up")
    parser.add_argument("--lr", type=float, default=3e-3)
    parser.add_argument("--numerics", choices=["float32", "bf16"], default="bf16")
    return parser.parse_args()


def settle(learner: NucleiLearner, first: int) -> None:
    """Measure the statistics of normalisation anew: averaged weights have other ones."""
    network = learner.network
    for layer in network.modules():
        if isinstance(layer, torch.nn.BatchNorm2d):
            layer.reset_running_stats()
            layer.momentum = None  # the plain mean
    network.train()
    with torch.no_grad():
        for step in range(first, first + SETTLING_STEPS):
            batch = learner.batch(step)
            network(torch.from_numpy(batch["rgb"]).float() / 255)
    network.eval()


def read_tiles(data: Path) -> list[Tile]:
    """Return all tiles, in the order of their names."""
    tiles = []
    for path in sorted((data / "images").iterdir()):
        rgb = cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB)
        found = cv2.imread(str(data / "labels" / f"{path.stem}.png"), cv2.IMREAD_UNCHANGED)
        labels = np.asarray(found, np.int32)
        areas = np.bincount(labels.ravel())[1:]
        width_px = float(np.median(2 * np.sqrt(areas[areas > 20] / np.pi)))
        mpp = float(np.clip(TYPICAL_UM / width_px, 0.12, 0.6))
        tiles.append(Tile(path.stem, rgb, labels, mpp, content_hash(path)))
    return tiles


def at_mpp(tile: Tile) -> Sample:
    """Return a tile at the resolution of the method, to measure on."""
    scale = tile.mpp / MPP
    height, width = tile.labels.shape
    size = round(width * scale), round(height * scale)
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    labels = cv2.resize(tile.labels.astype(np.float32), size, interpolation=cv2.INTER_NEAREST)
    rgb = cv2.resize(tile.rgb, size, interpolation=way)
    return Sample(rgb, labels.astype(np.int32), np.ones(labels.shape, np.bool_))


def data_hash(data: Path) -> str:
    """Return one hash of all pictures and labels."""
    digest = hashlib.sha256()
    for path in sorted(data.glob("images/*")) + sorted(data.glob("labels/*")):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()


def card_of(
    wants: argparse.Namespace,
    trained: Trained,
    taught: list[Tile],
    held_back: list[Tile],
    seconds: float,
) -> ModelCard:
    used = [(tile, "train") for tile in taught] + [(tile, "val") for tile in held_back]
    data = tuple(
        DataUsed(
            name=tile.name,
            slide_hash=tile.hash,
            split=split,
            n_labels=len(np.unique(tile.labels[tile.labels > 0])),
            licence="CC0-1.0",
        )
        for tile, split in used
    )
    start = read_model(wants.start).card if wants.start else None
    said = ("schedule", "seed", "steps", "batch", "side", "made", "lr", "numerics")
    return ModelCard(
        title="Nuclei in H&E",
        method="nuclei_unet",
        kind="instance",
        mpp=MPP,
        stains=("H&E",),
        settings=SETTINGS,
        fit_params={**{name: getattr(wants, name) for name in said}, "steps_done": trained.n_steps},
        data=data,
        labels={"nucleus": sum(one.n_labels for one in data if one.split == "train")},
        data_licence="CC0-1.0 (Data Science Bowl 2018, BBBC038; 107 tiles of H&E)",
        parents=(Parent(name=start.title, licence=start.licence, id=start.id),) if start else (),
        licence="CC0-1.0",
        metrics=dict(trained.metrics),
        curves=trained.curves,
        seed=wants.seed,
        numerics="float32",
        versions=versions(),
        created=datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        seconds=round(seconds, 1),
        notes=NOTES.format(hash=data_hash(wants.data), train=len(taught), val=len(held_back)),
        origin="bundled",
        familiarity=familiar(wants, taught),
    )


def familiar(wants: argparse.Namespace, taught: list[Tile]) -> Familiarity | None:
    """Return what is familiar to the model: the tiles as they are, and in random colours."""
    rng = np.random.default_rng(wants.seed)
    recoloured = [(sample(rng, taught, wants.side, 0.0)[0], MPP) for _ in range(N_RECOLOURED)]
    return familiarity_of_pictures([*((tile.rgb, tile.mpp) for tile in taught), *recoloured])


NOTES = (
    "Trained with resources/models/train_nuclei.py on {train} tiles of the Data Science Bowl 2018 "
    "in random colours and on made-up H&E fields; {val} tiles were held back, and the metrics are "
    "theirs, at the scale assumed. The tiles state no scale: each was taken to have a median "
    "nucleus 7.5 µm wide. SHA-256 of all pictures and labels: {hash}. Limits: H&E only; nuclei of "
    "about 3 to 25 µm; pale and out-of-focus nuclei are missed more often; overlapping nuclei "
    "cannot both own a pixel; cytology and other stains were not learned. For research, not for "
    "diagnosis."
)


def versions() -> dict[str, str]:
    names = ("torch", "numpy", "opencv-python-headless")
    return {
        "pathoview": __version__,
        "python": platform.python_version(),
        **{name: importlib.metadata.version(name) for name in names},
    }


if __name__ == "__main__":
    main()
