"""Two looks at a slide: what each says, how they are put together, and where both agree."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from teaching import bag_data  # noqa: E402
from torch import Tensor  # noqa: E402

from pathoview.core.progress import SilentProgress  # noqa: E402
from pathoview.datasets.bags import BagData  # noqa: E402
from pathoview.methods.engine.two_looks import line_of  # noqa: E402
from pathoview.methods.fitting import FitContext, Fitted  # noqa: E402
from pathoview.methods.networks.bag_overview import OverviewNetwork  # noqa: E402
from pathoview.methods.weak.overview_and_tiles import OverviewAndTiles  # noqa: E402
from pathoview.methods.weak.overview_and_tiles_params import (  # noqa: E402
    OverviewAndTilesFitParams,
    OverviewAndTilesParams,
)

N_EACH = 8


def two_scales(n: int = 40, n_held_back: int = 12, seed: int = 2) -> BagData:
    """Return bags whose first features tell, and whose last ones are noise."""
    data = bag_data(n, n_tiles=20, n_features=N_EACH, n_held_back=n_held_back, seed=seed)
    random = np.random.default_rng(seed)
    bags = [
        replace(
            one,
            features=np.concatenate(
                [one.features, random.normal(size=(20, N_EACH))], axis=1, dtype=np.float32
            ),
        )
        for one in data.bags
    ]
    encoder = replace(data.encoder, mpp=(0.5, 8.0), n_features=2 * N_EACH)
    return replace(data, bags=bags, encoder=encoder)


def fitted(data: BagData, **params: Any) -> Fitted:
    said = OverviewAndTilesFitParams.parse({"n_steps": 40, "width": 16, "lr": 5e-3, **params})
    return OverviewAndTiles(OverviewAndTilesParams()).fit(data, said, FitContext(SilentProgress()))


def network() -> OverviewNetwork:
    torch.manual_seed(0)
    return OverviewNetwork(2 * N_EACH, 2, n_scales=2, width=16).eval()


def tiles(n: int = 30) -> Tensor:
    return torch.randn(1, n, 2 * N_EACH, generator=torch.Generator().manual_seed(1))


def test_from_far_the_mean_of_the_map_is_the_head_on_the_mean() -> None:
    one, some = network(), tiles()
    far = one.far(some[0, :, N_EACH:].mean(0))
    looks = one.looks(some[0])
    torch.testing.assert_close(looks[1], far[1] - far[0])


def test_from_near_the_first_five_tiles_tell() -> None:
    one, some = network(), tiles()
    logits = one.near(some[0, :, :N_EACH])
    first = (logits[:, 1] - logits[:, 0]).sort().values[-5:]
    torch.testing.assert_close(one.looks(some[0])[0], first.mean())


def test_the_line_puts_both_together() -> None:
    one, some = network(), tiles()
    is_tile = torch.ones(1, 30, dtype=torch.bool)
    near, far = one.looks(some[0])
    for line in ((0.5, 0.5, 0.0), (1.5, 0.25, -2.0)):
        one.line.copy_(torch.tensor(line))
        logits = one(some, is_tile).logits[0]
        wanted = line[0] * near + line[1] * far + line[2]
        torch.testing.assert_close(logits[1] - logits[0], wanted)


def test_a_tile_counts_where_both_looks_see_it() -> None:
    one, some = network(), tiles()
    near, far = (
        logits.softmax(-1)[0, :, 1]
        for logits in (one.near(some[..., :N_EACH]), one.far(some[..., N_EACH:]))
    )
    wanted = torch.ones(30)
    for look in (near, far):
        wanted = wanted * (look - look.min()) / (look.max() - look.min())
    attention = one(some, torch.ones(1, 30, dtype=torch.bool)).tile_attention[0]
    torch.testing.assert_close(attention, wanted / wanted.sum())
    assert float(attention.detach().sum()) == pytest.approx(1)


def test_what_is_no_tile_counts_nothing() -> None:
    one, some = network(), tiles()
    filled = torch.cat([some, 9 * torch.ones(1, 4, 2 * N_EACH)], dim=1)
    is_tile = (torch.arange(34) < 30)[None]
    alone = one(some, torch.ones(1, 30, dtype=torch.bool))
    among = one(filled, is_tile)
    torch.testing.assert_close(among.logits, alone.logits)
    torch.testing.assert_close(among.tile_attention[:, :30], alone.tile_attention)
    assert not among.tile_attention[:, 30:].any()


def test_a_look_that_tells_nothing_is_hardly_listened_to() -> None:
    random = np.random.default_rng(0)
    is_it = np.arange(60) % 2 == 1
    tells = np.where(is_it, 1.5, -1.5) + random.normal(size=60)
    looks = np.stack([tells, random.normal(size=60)], axis=1)
    near, far, _offset = line_of(looks, is_it)
    assert near > 3 * far
    assert far >= 0
    turned = line_of(np.stack([tells, -tells], axis=1), is_it)
    assert turned[1] == pytest.approx(0, abs=1e-6)


def test_the_line_is_chosen_on_slides_held_back_and_of_few_it_stays_the_mean() -> None:
    data = two_scales()
    near, far, _offset = fitted(data).tensors["line"]
    assert near > far
    few = two_scales(n_held_back=6)
    assert fitted(few, n_steps=2).tensors["line"].tolist() == [0.5, 0.5, 0.0]
    assert fitted(data, n_steps=2).n_steps == 0, "the last model has to hold slides back too"


def test_it_learns_and_its_tiles_are_those_that_tell() -> None:
    data = two_scales(60)
    method = OverviewAndTiles(OverviewAndTilesParams(), fitted(data, n_steps=120, dropout=0.0))
    held_back = data.of("val")
    said = [method.predict(one.features) for one in held_back]
    right = [one.probabilities[bag.label] > 0.5 for bag, one in zip(held_back, said, strict=True)]
    assert np.mean(right) > 0.8
    telling = np.arange(20) < 5
    evidence = [one.evidence[:, 1] for bag, one in zip(held_back, said, strict=True) if bag.label]
    assert np.mean([one[telling].mean() - one[~telling].mean() for one in evidence]) > 0.1
