"""Networks of tiles taught by labels of slides: ``pytest tests/benchmarks/bench_tile_mil.py -s
--benchmark-disable``.

60 generated slides to learn from, 40 to be scored on, each of 80 tiles of 24 px; of a positive one
3–17 % show larger and more nuclei. A small network with batch norm begins from random weights.
Every tile inherits the label of its slide, or tiles are chosen (`datasets.tile_choice`), with tiles
turned and coloured anew each time or as they are. AUROC of slides by three rules, of the tiles of
positive slides, and tiles learned from and looked at.

Then partial fine-tuning: a network that has learned to tell textures learns to tell tumour, once
as a whole, once by its normalisations and last layer alone.

``PATHOVIEW_BENCH_SEEDS`` (2): draws of slides and of training, from 0 on.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from teaching import bag
from tile_slides import CLASSES, ENCODER, ArrayPixels, Rgb, tile, tile_slide
from torch import Tensor, nn

from pathoview.core.progress import SilentProgress
from pathoview.datasets.bags import Bag, BagData
from pathoview.datasets.tile_choice import DrawnTiles, Some, TileChoice, TopRule, TopTiles
from pathoview.evaluation.slides import auroc
from pathoview.methods.engine import tile_learner
from pathoview.methods.engine.augment import GEOMETRY
from pathoview.methods.engine.tile_learner import MakeChoice, fit
from pathoview.methods.engine.tile_looking import looked_at
from pathoview.methods.engine.weights import arrays_of, load_arrays
from pathoview.methods.fitting import FitContext, Fitted
from pathoview.methods.networks.tile_network import TileNetwork
from pathoview.methods.tile_aggregation import Rule, slide_told
from pathoview.methods.tile_params import TileFitParams

SEEDS = int(os.environ.get("PATHOVIEW_BENCH_SEEDS", "2"))
SIDE, N_TILES, N_LEARNED, N_SCORED = 24, 80, 60, 40
RULES: tuple[Rule, ...] = ("max", "top5", "mean")
USED = replace(ENCODER, tile_px=SIDE)
WIDTHS = (16, 32, 64)
UNCHANGED = replace(GEOMETRY, p_flip=0.0, p_turn=0.0, p_affine=0.0)
Truths = Mapping[str, npt.NDArray[np.bool_]]


@pytest.fixture(autouse=True)
def _one_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pathoview.methods.engine.conditions.usable_cores", lambda: 1)


class SmallBody(nn.Module):
    """Three convolutions with batch norm, and the average of what they give."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        for n_in, n_out in zip((3, *WIDTHS), WIDTHS, strict=False):
            layers += [
                nn.Conv2d(n_in, n_out, 3, padding=1, bias=False),
                nn.BatchNorm2d(n_out),
                nn.ReLU(),
                nn.MaxPool2d(2),
            ]
        self.layers = nn.Sequential(*layers)

    def forward(self, images: Tensor) -> Tensor:
        given: Tensor = self.layers(images - 0.5).mean((2, 3))
        return given


class AllTiles(TileChoice):
    """Every tile inherits the label of its slide."""

    def __init__(self, bags: Sequence[Bag], seed: int) -> None:
        super().__init__(bags, "looked_for", 1, seed)

    def n_chosen(self, number: int) -> int:
        return sum(len(tiles) for tiles in self._tiles)

    def to_score(self, number: int) -> list[Some]:
        return []

    def _take(self, number: int, scored: Any) -> list[Some]:
        return list(enumerate(self._tiles))


@dataclass(frozen=True, slots=True)
class Way:
    """How tiles are chosen, for how long."""

    choice: MakeChoice
    n_rounds: int
    loss: str = "plain"
    is_changed: bool = True
    """Tiles are turned and coloured anew each time, as always in the program."""


WAYS: Mapping[str, Way] = {
    "every tile inherits": Way(AllTiles, 12),
    "top-k, k=3": Way(lambda bags, seed: TopTiles(bags, TopRule((3,)), seed), 30),
    "every tile inherits, unchanged": Way(AllTiles, 12, is_changed=False),
    "top-k, k=3, unchanged": Way(
        lambda bags, seed: TopTiles(bags, TopRule((3,)), seed), 30, is_changed=False
    ),
    "draw and rank, unchanged": Way(
        lambda bags, seed: DrawnTiles(bags, 5, 15, "looked_for", seed), 12, is_changed=False
    ),
    "draw and rank, by what is looked for": Way(
        lambda bags, seed: DrawnTiles(bags, 5, 15, "looked_for", seed), 12
    ),
    "draw and rank, by own label": Way(
        lambda bags, seed: DrawnTiles(bags, 5, 15, "own_label", seed), 12
    ),
    "draw and rank, symmetric": Way(
        lambda bags, seed: DrawnTiles(bags, 5, 15, "looked_for", seed), 12, "symmetric"
    ),
}


def network(params: TileFitParams) -> TileNetwork:
    return TileNetwork(SmallBody(), WIDTHS[-1], 2, tuned=params.tuned, dropout=params.dropout)


def slides(seed: int) -> tuple[BagData, Truths]:
    random = np.random.default_rng(1000 + seed)
    bags, truths = [], {}
    for number in range(N_LEARNED + N_SCORED):
        name, split = f"s{number}", "train" if number < N_LEARNED else "test"
        one, truths[name] = tile_slide(number % 2, N_TILES, SIDE, random, name=name, split=split)
        bags.append(one)
    return BagData(bags, CLASSES, USED), truths


def told(fitted: Fitted, one: Bag) -> npt.NDArray[np.float64]:
    """Return what is said of the tiles of a slide, (tile, class)."""
    ready = network(TileFitParams())
    load_arrays(ready, fitted.tensors)
    assert one.pixels is not None
    tiles = np.arange(one.n_tiles)
    given = looked_at(ready.eval(), one.pixels, tiles, SIDE, torch.device("cpu"), lambda: None)
    return np.asarray(torch.from_numpy(given).double().softmax(1).numpy())


def features(body: nn.Module, one: Bag) -> npt.NDArray[np.float32]:
    assert one.pixels is not None
    tiles = np.arange(one.n_tiles)
    return looked_at(body, one.pixels, tiles, SIDE, torch.device("cpu"), lambda: None)


def n_read(bags: Sequence[Bag]) -> int:
    return sum(one.pixels.n_read for one in bags if isinstance(one.pixels, ArrayPixels))


@pytest.mark.parametrize("name", WAYS)
def test_choosing_tiles(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    way = WAYS[name]
    if not way.is_changed:
        monkeypatch.setattr(tile_learner, "_AUGMENTATION", UNCHANGED)
    for seed in range(SEEDS):
        data, truths = slides(seed)
        params = TileFitParams.parse(
            {"n_rounds": way.n_rounds, "tuned": "all", "dropout": 0.0, "loss": way.loss}
        )
        choices: list[TileChoice] = []

        def choice(bags: Sequence[Bag], number: int, made: list[TileChoice] = choices) -> Any:
            made.append(way.choice(bags, number))
            return made[0]

        began = time.monotonic()
        context = FitContext(SilentProgress(), seed=seed)
        fitted = fit(data, params, context, choice, lambda _data, params: network(params))
        seconds = time.monotonic() - began
        n_learned = sum(choices[0].n_chosen(number) for number in range(way.n_rounds))
        n_looked_at = n_read(data.of("train")) - n_learned
        scored = data.of("test")
        tiles = [told(fitted, one) for one in scored]
        labels = np.array([one.label == 1 for one in scored])
        of_slides = [
            auroc(np.array([slide_told(rule, one)[1] for one in tiles]), labels) for rule in RULES
        ]
        positive = [place for place, one in enumerate(scored) if one.label]
        of_tiles = auroc(
            np.concatenate([tiles[place][:, 1] for place in positive]),
            np.concatenate([truths[scored[place].name] for place in positive]),
        )
        print(
            f"\n{name}, seed {seed}: slides "
            + " / ".join(
                f"{rule} {value:.3f}" for rule, value in zip(RULES, of_slides, strict=True)
            )
            + f"; tiles {of_tiles:.3f}; learned from {n_learned:,}, looked at {n_looked_at:,}; "
            f"{seconds:.0f} s"
        )


# -- partial fine-tuning ---------------------------------------------------------------------------


PARTS = (("head", 1e-2, 12), ("norm", 1e-3, 12), ("norm", 1e-2, 12), ("norm", 1e-2, 36),
         ("all", 1e-3, 12))  # fmt: skip
"""What learns, at which rate, for how many rounds: few weights bear a higher rate."""


def texture(random: np.random.Generator, *, is_striped: bool) -> Rgb:
    """Return a tile of stripes, or of spots, in any colour."""
    y, x = np.mgrid[:SIDE, :SIDE] + random.uniform(0, 20)
    turn, step = random.uniform(0, np.pi), random.uniform(0.7, 1.4)
    along = np.cos(turn) * x + np.sin(turn) * y
    across = np.cos(turn) * y - np.sin(turn) * x
    wave = np.sin(step * along) if is_striped else np.sin(step * along) * np.sin(step * across)
    colors = random.uniform(60, 230, (2, 3))
    mixed = colors[0] + (wave[..., None] + 1) / 2 * (colors[1] - colors[0])
    return np.clip(mixed + random.normal(0, 8, mixed.shape), 0, 255).astype(np.uint8)


def pure(make: Any, seed: int, n_slides: int, split: str = "train") -> list[Bag]:
    """Return slides of which every tile shows the label."""
    random = np.random.default_rng(seed)
    found = []
    for number in range(n_slides):
        tiles = np.stack([make(random, number % 2) for _tile in range(40)])
        one = bag(np.zeros((40, 1)), number % 2, f"{split}-{number}")
        found.append(replace(one, split=split, pixels=ArrayPixels(tiles)))
    return found


def tumour(random: np.random.Generator, label: int) -> Rgb:
    return tile(SIDE, random, is_tumour=bool(label))


def test_partial_fine_tuning() -> None:
    began = time.monotonic()
    context = FitContext(SilentProgress())

    def taught(bags: Sequence[Bag], before: Fitted | None, **said: Any) -> Fitted:
        def begun(_data: BagData, params: TileFitParams) -> TileNetwork:
            made = network(params)
            if before is not None:
                body = {name: array for name, array in before.tensors.items() if "body." in name}
                load_arrays(made, {**arrays_of(made), **body})
            return made

        params = TileFitParams.parse({"n_rounds": 12, "dropout": 0.0, **said})
        torch.manual_seed(0)
        body = begun(BagData(bags, CLASSES, USED), params).body.eval()
        # As in the program: what is taught is the encoder by which the slides were described.
        described = [replace(one, features=features(body, one)) for one in bags]
        used = replace(USED, source="textures")
        return fit(BagData(described, CLASSES, used), params, context, AllTiles, begun)

    textures = pure(lambda random, label: texture(random, is_striped=bool(label)), 1, 20)
    before = taught(textures, None, tuned="all")
    learned, scored = pure(tumour, 2, 20), pure(tumour, 3, 20, "test")
    truth = np.repeat([one.label == 1 for one in scored], 40)
    print()
    for tuned, lr, n_rounds in PARTS:
        after = taught(learned, before, tuned=tuned, lr=lr, n_rounds=n_rounds)
        said = np.concatenate([told(after, one)[:, 1] for one in scored])
        made = network(TileFitParams.parse({"tuned": tuned}))
        sizes = [(weight.numel(), weight.requires_grad) for weight in made.parameters()]
        share = sum(n for n, learns in sizes if learns) / sum(n for n, _learns in sizes)
        running = [name for name in after.tensors if "running" in name]
        is_same = all(np.array_equal(after.tensors[one], before.tensors[one]) for one in running)
        print(
            f"{tuned}, rate {lr}, {n_rounds} rounds: AUROC of tiles {auroc(said, truth):.3f}, "
            f"{share:.1%} of the weights learn, running statistics "
            + ("as before" if is_same else "others")
        )
    print(f"{time.monotonic() - began:.0f} s")
