"""Clips that are made up: a folder of frames, and a video where PyAV is there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from pathoview.datasets.bags import EncoderUsed
from pathoview.methods.engine.device import Device
from pathoview.tasks import feature_extraction, features

Rgb = npt.NDArray[np.uint8]
SPOT = (230, 40, 40)
"""Colour of what is looked for."""


def pyav() -> Any:
    """Return PyAV; a test that needs it is skipped where it is not installed."""
    return pytest.importorskip("av", reason="PyAV is not installed (pathoview[video])")


def frame(number: int, *, has_spot: bool = False, side: int = 48) -> Rgb:
    """Return a frame of pale tissue, another one for each number, with a red spot or without."""
    rng = np.random.default_rng(number)
    rgb = np.clip(rng.normal((210, 150, 140), 6, (side, side * 4 // 3, 3)), 0, 255).astype(np.uint8)
    if has_spot:
        cv2.circle(rgb, (side // 2, side // 2), side // 5, SPOT, -1)
    return rgb


def write_frames(folder: Path, frames: Iterable[Rgb]) -> Path:
    """Write numbered PNG files: ``frame 1.png``, … ``frame 10.png``."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, rgb in enumerate(frames):
        cv2.imwrite(str(folder / f"frame {number + 1}.png"), rgb[..., ::-1])
    return folder


def write_video(
    path: Path,
    frames: Iterable[Rgb],
    *,
    gop: int = 12,
    rate: int = 25,
    codec: str = "libx264",
) -> Path:
    """Write a video of a kind that the name says; every ``gop`` frames is a key frame."""
    av = pyav()
    every = list(frames)
    with av.open(str(path), "w") as container:
        options = {"crf": "1"} if codec == "libx264" else {"bf": "2"}
        stream = container.add_stream(codec, rate=rate, options=options)
        stream.height, stream.width = every[0].shape[:2]
        stream.pix_fmt = "yuv444p" if codec == "libx264" else "yuv420p"
        stream.gop_size, stream.bit_rate = gop, 2_000_000
        for rgb in every:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        container.mux(stream.encode())
    return path


class MeanColor:
    """Stands in for an encoder: describes a tile by its mean colour and its reddest px."""

    n_features = 4
    device = "cpu"
    spec = SimpleNamespace(name="mean_color", wants_gpu=False)
    weights = "none"

    def __init__(self) -> None:
        self.n_described = 0

    def used(
        self, mpp: tuple[float, ...], tile_px: int, normalisation: str, least_tissue: float
    ) -> EncoderUsed:
        said = {"normalisation": normalisation, "least_tissue": least_tissue, "source": "random"}
        return EncoderUsed("mean_color", "none", 4 * len(mpp), mpp, tile_px, **said)

    def batch(self, side: int) -> int:
        return 8

    def rows(self, tiles: Rgb) -> npt.NDArray[np.float32]:
        self.n_described += len(tiles)
        pixels = tiles.reshape(len(tiles), -1, 3).astype(np.float32)
        redness = (pixels[..., 0] - pixels[..., 1]).max(axis=1, keepdims=True)
        return np.concatenate([pixels.mean(axis=1), redness], axis=1)


def described_by(patch: pytest.MonkeyPatch) -> MeanColor:
    """Have features computed by this encoder, in one thread; return it."""
    encoder = MeanColor()
    patch.setattr(features, "_built", lambda *_said: encoder)
    patch.setattr(features, "choose_device", lambda: Device("cpu", ""))
    patch.setattr(feature_extraction, "useful_computers", lambda _device: 1)
    return encoder
