"""Tiles as an encoder sees them: averages of its maps, whatever the batch and the machine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from makers import he_image  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

from pathoview.core.errors import RunError, UsageError  # noqa: E402
from pathoview.methods.engine.encoders import build_encoder  # noqa: E402
from pathoview.methods.engine.tile_encoder import TileEncoder, Tiles  # noqa: E402
from pathoview.methods.spec import Compute  # noqa: E402

LITE0 = "tf_efficientnet_lite0"


@pytest.fixture(scope="module")
def encoder() -> TileEncoder:
    return TileEncoder(LITE0)


@pytest.fixture(scope="module")
def tiles() -> Tiles:
    return np.stack([he_image(64, 64, seed) for seed in range(5)])


def test_a_row_is_the_averages_of_the_three_coarsest_maps(
    encoder: TileEncoder, tiles: Tiles
) -> None:
    rows = encoder.rows(tiles)
    assert rows.shape == (5, encoder.n_features) == (5, 40 + 112 + 320)
    with torch.no_grad():
        images = torch.from_numpy(tiles[3:4]).permute(0, 3, 1, 2).float() / 255
        maps = build_encoder(LITE0, "bundled").eval()(images)
    expected = np.concatenate([one.numpy().mean(axis=(2, 3))[0] for one in maps[2:]])
    np.testing.assert_allclose(rows[3], expected, rtol=1e-3, atol=1e-4)
    assert encoder.rows(tiles[:0]).shape == (0, encoder.n_features)


def test_what_described_the_tiles_is_recorded(encoder: TileEncoder) -> None:
    used = encoder.used((0.5, 2.0), 96, "macenko")
    assert (used.name, used.source, used.licence) == (LITE0, "bundled", "Apache-2.0")
    assert used.n_features == 2 * encoder.n_features
    assert (used.mpp, used.tile_px, used.normalisation) == ((0.5, 2.0), 96, "macenko")
    assert used.weights == encoder.weights
    assert used.weights.startswith("sha256:")


def test_random_weights_are_the_same_every_time_and_leave_the_generator_alone(
    tiles: Tiles,
) -> None:
    state = torch.random.get_rng_state()
    first, second = (TileEncoder("mobilenetv3_small_100", "random") for _time in range(2))
    assert torch.equal(state, torch.random.get_rng_state())
    assert first.weights == second.weights
    assert first.used((0.5,), 64).licence == ""
    np.testing.assert_array_equal(first.rows(tiles[:1]), second.rows(tiles[:1]))


def test_weights_of_a_file_are_named_by_their_place_and_hash(tmp_path: Path) -> None:
    path = tmp_path / "mine.safetensors"
    save_file(build_encoder("mobilenetv3_small_100").body.state_dict(), path)
    used = TileEncoder("mobilenetv3_small_100", str(path)).used((0.5,), 64)
    assert used.source == str(path)
    assert used.origin == "mine.safetensors"
    assert used.weights.startswith("sha256:")


def test_less_is_computed_at_once_where_memory_is_short(
    encoder: TileEncoder, tiles: Tiles, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected, plenty = encoder.rows(tiles), encoder.batch(64)
    network, asked = encoder._network, []

    def short(images: torch.Tensor) -> torch.Tensor:
        asked.append(len(images))
        if len(images) > 2:
            raise RuntimeError("DefaultCPUAllocator: can't allocate memory")
        return network(images)

    monkeypatch.setattr(encoder, "_network", short)
    monkeypatch.setattr(encoder, "_pixels_at_once", 4 * 64 * 64)
    assert plenty > 4
    np.testing.assert_allclose(encoder.rows(tiles), expected, rtol=1e-3, atol=1e-4)
    assert encoder.batch(64) == 2
    encoder.rows(tiles)
    assert asked == [4, 2, 2, 1, 2, 2, 1], "what fits is kept"

    def none(images: torch.Tensor) -> torch.Tensor:
        raise MemoryError

    monkeypatch.setattr(encoder, "_network", none)
    with pytest.raises(RunError, match="single tile"):
        encoder.rows(tiles)


def test_tiles_that_an_encoder_cannot_describe_are_refused(
    encoder: TileEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    from pathoview.methods.engine.encoder_list import ENCODERS

    monkeypatch.setattr(encoder, "spec", ENCODERS.get("uni"))
    with pytest.raises(UsageError, match="tiles of 224 px"):
        encoder.used((0.5,), 256)


def test_a_numeric_path_is_taken(tiles: Tiles, encoder: TileEncoder) -> None:
    rows = TileEncoder(LITE0, compute=Compute("cpu", "bf16")).rows(tiles)
    exact = encoder.rows(tiles)
    assert not np.array_equal(rows, exact)
    assert np.abs(rows - exact).max() <= 0.05 * np.abs(exact).max()
