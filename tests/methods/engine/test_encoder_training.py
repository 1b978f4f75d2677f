"""The script that trains the encoder that comes with the program, on pictures made up."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from makers import he_image, make_plain  # noqa: E402

from pathoview.core.paths import resources_folder  # noqa: E402
from pathoview.methods.engine.encoders import build_encoder  # noqa: E402
from pathoview.methods.model import read_card  # noqa: E402

LITE0 = "tf_efficientnet_lite0"
SIDE = 32


@pytest.fixture
def tiles(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The module of views, with sources that lie in a folder of a test."""
    monkeypatch.syspath_prepend(str(resources_folder() / "models"))
    import encoder_tiles

    source = encoder_tiles.Source
    made = (source("many/*.png", 0.5, 0.5, "CC0-1.0"), source("one.png", 0.25, 0.5, "MIT"))
    monkeypatch.setattr(encoder_tiles, "SOURCES", made)
    return encoder_tiles


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "many").mkdir()
    for n in range(5):
        make_plain(tmp_path / "many" / f"{n}.png", he_image(200, 160, n))
    make_plain(tmp_path / "one.png", he_image(400, 240, 9))
    return tmp_path


def test_a_fifth_is_held_back_and_none_of_it_is_learned_from(tiles: Any, folder: Path) -> None:
    pictures = tiles.read_pictures(folder)
    assert [one.name for one in pictures] == ["0", "1", "2", "3", "4", "one", "one right"]
    assert [one.name for one in pictures if one.is_held_back] == ["4", "one right"]
    left, right = pictures[-2:]
    whole = he_image(400, 240, 9)
    np.testing.assert_array_equal(np.concatenate([left.rgb, right.rgb], axis=1), whole)
    assert right.rgb.shape[1] == 80
    (folder / "one.png").unlink()
    with pytest.raises(SystemExit, match=r"one\.png"):
        tiles.read_pictures(folder)


def test_views_of_a_pair_are_neighbours_and_places_of_a_batch_are_not(tiles: Any) -> None:
    x, y = np.meshgrid(np.arange(250), np.arange(250))
    where = np.stack([x, y, np.zeros_like(x)], axis=2).astype(np.uint8) // 2
    source = tiles.SOURCES[0]
    picture = tiles.Picture("a", where, 0.5, source, "", False)
    first, second = tiles.pairs(np.random.default_rng(0), [picture], 2, 6, SIDE)
    assert first.shape == second.shape == (12, SIDE, SIDE, 3)
    centres, others = (2 * views.mean(axis=(1, 2))[:, :2] for views in (first, second))
    assert np.abs(centres - others).max() <= 0.7 * 0.5 * SIDE / 0.5 + 2
    assert np.abs(centres - others).max() > 4, "the second view lies elsewhere"
    widths = 2.0 * np.ptp(first[..., 0].reshape(12, -1), axis=1)
    for one in range(12):
        for other in range(one):
            apart = np.abs(centres[one] - centres[other]).max()
            assert apart >= min(widths[one], widths[other]) - 4


def test_the_script_trains_an_encoder_that_can_be_used(
    tiles: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import train_encoder

    for name in ("N_MEASURED", "N_SETTLING"):
        monkeypatch.setattr(train_encoder, name, 1)
    path = folder / "encoder.safetensors"
    said = f"train --data {folder} --output {path} --steps 2 --groups 2"
    monkeypatch.setattr(sys, "argv", [*said.split(), "--side", str(SIDE), "--lr", "0.01"])
    train_encoder.main()
    state = build_encoder(LITE0, path).body.state_dict()
    assert all(bool(torch.isfinite(values).all()) for values in state.values())
    card = read_card(path)
    assert (card.kind, card.data_licence) == ("encoder", "CC0-1.0, MIT")
    assert {one.name: one.split for one in card.data}["one right"] == "val"
    assert 0 <= card.metrics["nearest_is_right"] <= 1
    assert len(card.curves) == 2
    assert [one.licence for one in card.parents] == ["Apache-2.0"]
    before = build_encoder(LITE0, "bundled").body.state_dict()
    for name, is_kept in (("conv_stem.weight", True), ("blocks.5.0.conv_pw.weight", False)):
        assert torch.allclose(state[name], before[name], rtol=1e-3, atol=1e-4) is is_kept
