"""Windows, views and batches change nothing that they should not change."""

from __future__ import annotations

import itertools

import numpy as np
import numpy.typing as npt
import pytest
import torch
from torch import Tensor, nn

from pathoview.core.errors import RunError
from pathoview.methods.engine.infer import Inference, InferencePlan
from pathoview.methods.spec import Compute
from pathoview.methods.windows import hann, window_starts

Rgb = npt.NDArray[np.uint8]


class Blurring(nn.Module):
    """Gives the red channel, averaged over 5 × 5 px, and a constant."""

    def __init__(self) -> None:
        super().__init__()
        self.mean = nn.AvgPool2d(5, 1, 2, count_include_pad=False)

    def forward(self, pixels: Tensor) -> Tensor:
        red = self.mean(pixels[:, :1])
        return torch.cat((red, torch.full_like(red, 0.3)), dim=1)


class Greedy(Blurring):
    """Needs more memory than there is for more than some pixels at once."""

    def __init__(self, most_px: int) -> None:
        super().__init__()
        self.most_px = most_px

    def forward(self, pixels: Tensor) -> Tensor:
        if len(pixels) * pixels.shape[2] * pixels.shape[3] > self.most_px:
            raise torch.OutOfMemoryError("CUDA out of memory.")
        return super().forward(pixels)


def patch(height: int, width: int) -> Rgb:
    return np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)


def inference(network: nn.Module, numerics: str = "float32", **plan: int) -> Inference:
    compute = Compute("cpu", numerics)
    return Inference(network, InferencePlan(8, **plan), compute, activate=lambda logits: logits)


WHOLE = inference(Blurring()).maps(patch(152, 208))


def test_a_constant_map_is_stitched_to_a_constant() -> None:
    found = inference(Blurring(), window_px=64, overlap_px=24, batch=3).maps(patch(152, 208))
    assert np.abs(found[1] - np.float32(0.3)).max() < 1e-6


def test_windows_are_stitched_to_what_one_piece_gives() -> None:
    found = inference(Blurring(), window_px=64, overlap_px=24, batch=2).maps(patch(152, 208))
    assert found.shape == WHOLE.shape
    # Of a pixel's windows, those at whose edge it lies see less around it, and weigh least.
    assert np.abs(found - WHOLE).max() < 0.02
    assert np.abs(found - WHOLE).mean() < 1e-3


@pytest.mark.parametrize("n_views", [4, 8])
def test_views_are_turned_back(n_views: int) -> None:
    found = inference(Blurring(), n_views=n_views).maps(patch(152, 208))
    assert np.allclose(found, inference(Blurring()).maps(patch(152, 208)), atol=1e-6)


@pytest.mark.parametrize("shape", [(1, 1), (1, 13), (5, 3), (8, 16), (9, 17)])
def test_any_size_is_padded_and_cut(shape: tuple[int, int]) -> None:
    found = inference(Blurring(), n_views=8).maps(patch(*shape))
    assert found.shape == (2, *shape)
    assert np.isfinite(found).all()


def test_bf16_gives_nearly_the_same() -> None:
    found = inference(Blurring(), "bf16").maps(patch(152, 208))
    assert found.dtype == np.float32
    assert np.abs(found - WHOLE).max() < 0.01


def test_short_memory_halves_the_batch_then_the_window_and_is_remembered() -> None:
    greedy = inference(Greedy(64 * 64), window_px=128, overlap_px=16, batch=4)
    found = greedy.maps(patch(152, 208))
    assert greedy.fits == (64, 1)
    assert np.abs(found - WHOLE).max() < 0.05


def test_too_little_memory_for_anything_is_said() -> None:
    greedy = inference(Greedy(10), window_px=128, overlap_px=16)
    with pytest.raises(RunError) as caught:
        greedy.maps(patch(152, 208))
    assert caught.value.hint


def test_other_failures_are_not_taken_for_short_memory() -> None:
    class Broken(Blurring):
        def forward(self, pixels: Tensor) -> Tensor:
            raise RuntimeError("shapes do not fit")

    with pytest.raises(RuntimeError, match="shapes do not fit"):
        inference(Broken()).maps(patch(8, 8))


@pytest.mark.parametrize(("length", "window", "overlap"), [(10, 64, 8), (65, 64, 8), (500, 64, 24)])
def test_windows_cover_everything_and_share_enough(length: int, window: int, overlap: int) -> None:
    starts = window_starts(length, window, overlap)
    assert starts[0] == 0
    assert starts[-1] == max(0, length - window)
    assert all(0 < b - a <= window - overlap for a, b in itertools.pairwise(starts))


def test_no_pixel_of_a_window_counts_for_nothing() -> None:
    weights = hann(16, 24)
    assert weights.min() > 0
    assert weights.max() == weights[8, 12] <= 1
