"""Clips that are made up: a folder of frames, and a video where PyAV is there."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

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


def write_video(path: Path, frames: Iterable[Rgb], *, gop: int = 12, rate: int = 25) -> Path:
    """Write a video; every ``gop`` frames is a key frame."""
    av = pyav()
    every = list(frames)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=rate, options={"crf": "1"})
        stream.height, stream.width = every[0].shape[:2]
        stream.pix_fmt, stream.gop_size = "yuv444p", gop
        for rgb in every:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(rgb, format="rgb24")))
        container.mux(stream.encode())
    return path
