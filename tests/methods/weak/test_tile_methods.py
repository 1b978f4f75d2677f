"""Networks of tiles taught by labels of slides: what learns, from which tiles, with which label."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pytest

torch = pytest.importorskip("torch")

from tile_slides import ENCODER, ArrayPixels, tile_bags  # noqa: E402
from torch import Tensor, nn  # noqa: E402

from pathoview.core.errors import UsageError  # noqa: E402
from pathoview.core.progress import SilentProgress  # noqa: E402
from pathoview.datasets.bags import BagData  # noqa: E402
from pathoview.datasets.tile_choice import DrawnTiles, TopTiles  # noqa: E402
from pathoview.methods.engine import tile_learner  # noqa: E402
from pathoview.methods.engine.encoder_list import ENCODERS  # noqa: E402
from pathoview.methods.engine.tile_adaptation import adapted  # noqa: E402
from pathoview.methods.engine.tile_learner import TileLearner  # noqa: E402
from pathoview.methods.fitting import FitContext, Fitted  # noqa: E402
from pathoview.methods.networks.tile_network import TileNetwork  # noqa: E402
from pathoview.methods.weak.draw_and_rank import DrawAndRank  # noqa: E402
from pathoview.methods.weak.draw_and_rank_params import (  # noqa: E402
    DrawAndRankFitParams,
    DrawAndRankParams,
)
from pathoview.methods.weak.topk_mil import TopkMil  # noqa: E402
from pathoview.methods.weak.topk_mil_params import TopkMilFitParams, TopkMilParams  # noqa: E402

_LOOK = ENCODERS.get(ENCODER.name)
_MEAN, _STD = (np.array(one, np.float32)[:, None, None] for one in (_LOOK.mean, _LOOK.std))


class Body(nn.Module):
    """A small network with batch norm."""

    def __init__(self) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.Conv2d(3, 24, 3, bias=False),
            nn.BatchNorm2d(24),
            nn.ReLU(),
            nn.Conv2d(24, 24, 3, bias=False),
            nn.BatchNorm2d(24),
        )

    def forward(self, images: Tensor) -> Tensor:
        given: Tensor = self.layers(images).mean((2, 3))
        return given


def small(data: BagData, params: Any) -> TileNetwork:
    return TileNetwork(Body(), 24, 2, tuned=params.tuned, dropout=params.dropout)


def known(*said: int, **more: int) -> BagData:
    """Return `tile_bags` that were described by weights of a file."""
    data = tile_bags(*said, **more)
    return replace(data, encoder=replace(data.encoder, source="file"))


def taught(
    data: BagData | None = None, progress: SilentProgress | None = None, **params: Any
) -> Fitted:
    said = TopkMilFitParams.parse({"n_rounds": 3, "batch": 8, "k": 2, **params})
    return tile_learner.fit(
        data or known(),
        said,
        FitContext(progress or SilentProgress()),
        lambda bags, seed: TopkMil.choice(said, bags, seed),
        small,
    )


def begun(**params: Any) -> Mapping[str, npt.NDArray[Any]]:
    """Return the weights that `taught` begins with."""
    torch.manual_seed(0)
    network = small(tile_bags(), TopkMilFitParams.parse(params))
    return {name: value.numpy().copy() for name, value in network.state_dict().items()}


def changed(fitted: Fitted, before: Mapping[str, npt.NDArray[Any]]) -> set[str]:
    own = {name for name in before if name not in ("mean", "scale")}
    return {name for name in own if not np.array_equal(fitted.tensors[name], before[name])}


@pytest.mark.parametrize("tuned", ["norm", "head"])
def test_little_learns_and_running_statistics_stay_bit_for_bit(tuned: str) -> None:
    norms = {f"body.layers.{place}.{name}" for place in (1, 4) for name in ("weight", "bias")}
    head = {"head.weight", "head.bias"}
    found = changed(taught(tuned=tuned), begun(tuned=tuned))
    assert found == (head | norms if tuned == "norm" else head)
    network = small(tile_bags(), TopkMilFitParams.parse({"tuned": tuned}))
    sizes = [(one.numel(), one.requires_grad) for one in network.parameters()]
    assert sum(n for n, learns in sizes if learns) < 0.05 * sum(n for n, _learns in sizes)


def test_random_weights_are_settled_before_they_learn() -> None:
    data = tile_bags(16, n_tiles=12, n_held_back=0)
    params = TopkMilFitParams(n_rounds=1, batch=8, k=1, lr=1e-6)
    fitted = TopkMil(TopkMilParams()).fit(data, params, FitContext(SilentProgress()))
    method = TopkMil(TopkMilParams(), fitted)
    given = np.concatenate([method.describe(bag, lambda: None) for bag in data.bags])
    assert np.median(given.std(axis=0)) > 0.05, "pictures do not fade"
    standard = (given - fitted.tensors["mean"]) * fitted.tensors["scale"]
    assert np.abs(standard.mean(axis=0)).max() < 0.5
    assert np.percentile(standard.std(axis=0), 10) > 0.5
    assert standard.std(axis=0).max() < 1.5


def test_what_hardly_varies_is_not_blown_up() -> None:
    data = known()
    for bag in data.bags:
        bag.features[:, 0] *= 1e-4
    scale = taught(data).tensors["scale"]
    assert scale[0] == pytest.approx(10 * np.median(scale), rel=0.1)


def test_as_a_whole_everything_learns() -> None:
    before = begun(tuned="all")
    assert changed(taught(tuned="all"), before) == set(before) - {"mean", "scale"}


class Marked:
    """Tiles whose pixels are the number of their slide and their own."""

    def __init__(self, slide: int) -> None:
        self.slide = slide

    def read(self, tiles: npt.NDArray[np.integer]) -> npt.NDArray[np.uint8]:
        found = np.zeros((len(tiles), 32, 32, 3), np.uint8)
        found[..., 0], found[..., 1] = self.slide, tiles[:, None, None]
        return found


@pytest.mark.parametrize("method", [TopkMil, DrawAndRank])
def test_every_tile_comes_once_a_round_with_the_label_of_its_own_slide(
    method: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = tile_bags(9, n_tiles=7, n_held_back=0)
    marked = [
        replace(bag, pixels=Marked(number), label=int(number % 3 == 0))
        for number, bag in enumerate(data.bags)
    ]
    seen: list[tuple[int, int, int]] = []
    original = TileLearner.batch

    def batch(self: TileLearner, step: int) -> Any:
        made = original(self, step)
        assert len(made["pixels"]) <= 4
        # Three of nine slides are positive: of all tiles these weigh more, of as many alike.
        weights = {0: 0.75, 1: 1.5} if method is DrawAndRank else {0: 1.0, 1: 1.0}
        wanted = [weights[int(label)] for label in made["label"]]
        np.testing.assert_allclose(made["weight"], wanted)
        places = made["pixels"][:, 0, 0].tolist()
        seen.extend((slide, tile, int(label)) for (slide, tile, _b), label in
                    zip(places, made["label"], strict=True))  # fmt: skip
        return made

    monkeypatch.setattr(TileLearner, "batch", batch)
    params = method.fit_params.parse({"n_rounds": 1, "batch": 4})
    tile_learner.fit(
        replace(data, bags=marked),
        params,
        FitContext(SilentProgress()),
        lambda bags, seed: method.choice(params, bags, seed),
        small,
    )
    assert all(label == int(slide % 3 == 0) for slide, _tile, label in seen)
    assert len(seen) == len(set(seen))
    # Three slides are positive: the first tiles are taken of three others as well, or of all.
    assert len({slide for slide, _tile, _label in seen}) == (6 if method is TopkMil else 9)


def test_tiles_at_first_are_halved_and_then_are_those_in_the_end() -> None:
    ks = TopkMilFitParams(n_rounds=8, k=8, k_last=1).ks
    assert ks == (8, 8, 4, 4, 1)
    assert set(TopkMilFitParams(n_rounds=30, k=3, k_last=3).ks) == {3}
    choice = TopkMil.choice(TopkMilFitParams(n_rounds=8), tile_bags(n_tiles=20).bags, 0)
    assert isinstance(choice, TopTiles)
    assert [choice.n_chosen(number) for number in range(8)] == [64, 64, 32, 32, 8, 8, 8, 8]
    drawn = DrawAndRank.choice(DrawAndRankFitParams(), tile_bags(n_tiles=60).bags, 0)
    assert isinstance(drawn, DrawnTiles)
    assert drawn.n_chosen(0) == drawn.n_chosen(5) == 8 * 50


def test_symmetric_loss_is_bounded_for_wrong_labels() -> None:
    data = known()
    losses = {}
    for loss in ("plain", "symmetric"):
        fitted = taught(data, loss=loss)
        losses[loss] = fitted.curves[0]["loss"]
    # Of two classes at first about ln 2, and 4 (1 - p) on top of it.
    assert losses["plain"] == pytest.approx(np.log(2), abs=0.3)
    assert losses["symmetric"] == pytest.approx(losses["plain"] + 2, abs=0.5)


def test_what_was_replaced_is_a_curve() -> None:
    points = taught(n_rounds=4).curves
    assert [0 <= one["replaced"] <= 1 for one in points if "replaced" in one]
    assert all("likelihood" in one for one in points if one["step"] in (2, 4))


class Listening(SilentProgress):
    def __init__(self) -> None:
        super().__init__()
        self.rounds: list[dict[str, Any]] = []
        self.reported: list[dict[str, float]] = []

    def report(self, fraction: float, text: str = "", **metrics: float) -> None:
        self.reported.append(metrics)

    def event(self, kind: str, data: Mapping[str, object]) -> None:
        if kind == "round":
            self.rounds.append(orjson.loads(orjson.dumps(data)))


def test_the_tiles_that_were_kept_are_told_round_by_round() -> None:
    data, progress = known(8, n_held_back=0), Listening()
    taught(data, progress, n_rounds=4)
    assert [one["round"] for one in progress.rounds] == [2, 3, 4]
    assert {one["n_rounds"] for one in progress.rounds} == {4}
    first, *later = (one["replaced"] for one in progress.rounds)
    assert first is None
    assert all(0 <= one <= 1 for one in later)
    assert progress.reported[-1]["replaced"] == later[-1]
    by_hash = {bag.slide_hash: bag for bag in data.bags}
    for one in progress.rounds[-1]["tiles"]:
        bag = by_hash[one["slide_hash"]]
        assert (one["name"], one["label"]) == (bag.name, ("Benign", "Tumour")[bag.label])
        assert one["is_looked_for"] == (bag.label == 1)
        assert 0 <= one["score"] <= 1
        column, side = one["rect_l0"][0] / ENCODER.tile_px, ENCODER.tile_px
        assert column in bag.grid.columns
        assert one["rect_l0"][1:] == [0, side, side]
    sides = [one["is_looked_for"] for one in progress.rounds[-1]["tiles"]]
    assert sides == [True] * 4 + [False] * 4  # one tile of each slide is kept in the end


def test_rule_and_calibration_are_chosen_on_slides_held_back() -> None:
    fitted = taught(known(16, n_held_back=10))
    said = fitted.settings["aggregation"]
    assert set(said["measured"]) == {"top5", "max", "p99", "mean"}
    assert (said["slope"], said["offset"]) != (1.0, 0.0)
    none = taught(known(8, n_held_back=0)).settings["aggregation"]
    assert none == {"rule": "top5", "slope": 1.0, "offset": 0.0, "measured": None}


def test_adapted_to_another_stain_only_the_running_statistics_change() -> None:
    data = tile_bags()
    params = TopkMilFitParams(n_rounds=1, batch=8, k=1)
    fitted = TopkMil(TopkMilParams()).fit(data, params, FitContext(SilentProgress()))
    tiles = np.random.default_rng(0).integers(0, 90, (60, 32, 32, 3), np.uint8)
    after = adapted(fitted, tiles)
    others = {
        name
        for name in fitted.tensors
        if not np.array_equal(fitted.tensors[name], after.tensors[name])
    }
    assert {name.rpartition(".")[2] for name in others} == {
        "running_mean", "running_var", "num_batches_tracked",
    }  # fmt: skip
    assert after.settings["encoder"]["weights"] != fitted.settings["encoder"]["weights"]
    assert after.settings["adapted_to"] == 60
    first = "body.encoder.body.conv_stem.weight"
    pixels = torch.from_numpy(tiles).permute(0, 3, 1, 2).float() / 255
    images = (pixels - torch.tensor(_MEAN)) / torch.tensor(_STD)
    kernel = torch.from_numpy(np.array(after.tensors[first]))
    given = torch.nn.functional.conv2d(images, kernel, stride=2, padding=1)
    np.testing.assert_allclose(
        after.tensors["body.encoder.body.bn1.running_mean"], given.mean((0, 2, 3)), atol=1e-4
    )
    with pytest.raises(UsageError, match="too few"):
        adapted(fitted, tiles[:1])


def test_only_pixels_can_be_learned_from() -> None:
    data = tile_bags()
    blind = replace(data, bags=[replace(one, pixels=None) for one in data.bags])
    with pytest.raises(UsageError, match="pixels"):
        DrawAndRank(DrawAndRankParams()).fit(
            blind, DrawAndRankFitParams(), FitContext(SilentProgress())
        )


def test_not_more_tiles_are_measured_on_than_asked_for() -> None:
    data = known(6, n_tiles=30, n_held_back=2)
    taught(data, n_rounds=1, n_validated=8)
    read = [one.pixels.n_read for one in data.of("val") if isinstance(one.pixels, ArrayPixels)]
    assert read == [16, 16]  # after the round, and to choose the rule


def test_its_own_network_describes_tiles_and_another_scale_is_left_out() -> None:
    data = tile_bags()
    wide = replace(
        data,
        bags=[
            replace(one, features=np.concatenate([one.features, one.features * 9], axis=1))
            for one in data.bags
        ],
        encoder=replace(ENCODER, mpp=(0.5, 2.0), n_features=2 * ENCODER.n_features),
    )
    params = TopkMilFitParams(n_rounds=1, batch=8, k=1)
    fitted = TopkMil(TopkMilParams()).fit(wide, params, FitContext(SilentProgress()))
    used = fitted.settings["encoder"]
    assert (used["mpp"], used["n_features"], used["source"]) == (
        (0.5,), ENCODER.n_features, "model",
    )  # fmt: skip
    assert fitted.settings["began_with"]["mpp"] == (0.5, 2.0)
    method = TopkMil(TopkMilParams(), fitted)
    bag = wide.bags[1]
    features = method.describe(bag, lambda: None)
    assert features.shape == (bag.n_tiles, ENCODER.n_features)
    assert method.predict(features).evidence.shape == (bag.n_tiles, 2)
