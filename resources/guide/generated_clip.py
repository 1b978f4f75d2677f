"""A generated clip for a picture of the guide: a lining with folds, then a polyp, then blood.

What a run would say of its frames is made up with it: it follows how much of each is seen.
"""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.annotations.detections import DetectionClass
from pathoview.slides.slide import Slide
from pathoview.study.bag_rows import BagTiles
from pathoview.study.records import PICTURES_KEY, RunRecord
from pathoview.study.results import RunFile, new_run_path

N_FRAMES = 150
POLYP_FRAMES, BLOOD_FRAMES = (46, 74), (104, 122)
_WIDTH, _HEIGHT = 640, 480
_SCOPE_PX = 250
"""Radius of what the camera shows."""
_CLASSES = (DetectionClass("Polyp", (90, 190, 120)), DetectionClass("Blood", (214, 60, 60)))
_THRESHOLD = 0.5

Rgb = npt.NDArray[np.uint8]
Floats = npt.NDArray[np.float32]


def write_clip(folder: Path) -> Path:
    """Write the frames of the clip into a folder; return it."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(3)
    lining = _lining(rng, _WIDTH + 400, _HEIGHT + 400)
    for number in range(N_FRAMES):
        x = round(200 + 150 * math.sin(number / 40))
        y = round(200 + 120 * math.cos(number / 31))
        frame = lining[y : y + _HEIGHT, x : x + _WIDTH].copy()
        _draw_polyp(frame, _seen(number, POLYP_FRAMES), number)
        _draw_blood(frame, _seen(number, BLOOD_FRAMES), number)
        cv2.imwrite(str(folder / f"frame {number + 1}.jpg"), _through_scope(frame)[..., ::-1])
    return folder


def write_run(slide: Slide) -> None:
    """Keep a finished run on the clip."""
    rng = np.random.default_rng(5)
    frames = np.arange(N_FRAMES, dtype=np.int32)
    seen = [[_seen(t, span) for t in frames.tolist()] for span in (POLYP_FRAMES, BLOOD_FRAMES)]
    noise = cv2.GaussianBlur(rng.normal(0, 1, (2, N_FRAMES)), (0, 0), 1.2)
    evidence = 1 / (1 + np.exp(-(6 * np.array(seen) - 3 + 2 * noise)))
    counted = np.array(seen) ** 2 * (0.8 + 0.5 * np.abs(noise)) + 0.03
    of_classes = (counted / counted.sum(axis=1, keepdims=True)).T.astype(np.float32)
    record = RunRecord(
        key="clip",
        gives="bag",
        method="frame_attention",
        title="Findings",
        classes=_CLASSES,
        probabilities=(0.97, 0.91),
        slide_hash=slide.content_hash,
        pseudonym=slide.pseudonym,
        scale_l0=float(_WIDTH),
        grid_px=(N_FRAMES, 1),
        context={PICTURES_KEY: N_FRAMES, "thresholds": [_THRESHOLD, _THRESHOLD]},
        state="done",
    )
    with RunFile.create(new_run_path(record), record) as run:
        mean = of_classes.mean(axis=1)
        no_rows = np.zeros_like(frames)
        told = evidence.T.astype(np.float32)
        run.bag_rows().store(BagTiles(frames, no_rows, mean, told, of_classes))


def _seen(number: int, span: tuple[int, int]) -> float:
    """Return how much of a finding a frame shows, 0–1: it comes, and goes again."""
    first, last = span
    middle, half = (first + last) / 2, (last - first) / 2
    return max(0.0, 1 - (abs(number - middle) / half) ** 4)


def _lining(rng: np.random.Generator, width: int, height: int) -> Rgb:
    def cloud(sigma: float) -> Floats:
        rough = rng.normal(size=(height, width)).astype(np.float32)
        smooth = cv2.GaussianBlur(rough, (0, 0), sigma)
        return np.asarray(smooth / np.abs(smooth).max(), np.float32)

    folds = np.sin(8 * cloud(60) + np.linspace(0, 18, width, dtype=np.float32))
    light = 20 * folds + 18 * cloud(9) + 22 * cloud(2) ** 3
    vessels = np.abs(cloud(14)) < 0.02
    rgb = np.array((208.0, 132.0, 112.0)) + light[..., None] * np.array((1.0, 1.1, 1.1))
    rgb -= cv2.GaussianBlur(vessels.astype(np.float32), (0, 0), 1.2)[..., None] * (26, 52, 46)
    return rgb.clip(0, 255).astype(np.uint8)


def _draw_polyp(frame: Rgb, share: float, number: int) -> None:
    if not share:
        return
    radius = 28 + 62 * share
    x, y = 300 + 1.5 * (number - POLYP_FRAMES[0]), 250.0
    up, across = np.ogrid[:_HEIGHT, :_WIDTH]
    distance = np.hypot((across - x) / 1.15, up - y) / radius
    dome = np.sqrt(np.clip(1 - distance**2, 0, 1))[..., None]
    shadow = np.clip(1.35 - distance, 0, 0.35)[..., None]
    grain = 0.35 * (frame.astype(np.float32) - cv2.GaussianBlur(frame, (0, 0), 12))
    color = np.array((150.0, 62.0, 58.0)) + dome * (92, 84, 72) + grain
    is_in = np.clip((1 - distance) * radius / 3, 0, 1)[..., None]
    frame[:] = (frame * (1 - shadow) * (1 - is_in) + color * is_in).clip(0, 255)
    glint = round(x - radius / 3), round(y - radius / 2)
    cv2.ellipse(frame, glint, (9, 5), -30, 0, 360, (252, 244, 240), -1, cv2.LINE_AA)


def _draw_blood(frame: Rgb, share: float, number: int) -> None:
    if not share:
        return
    rng = np.random.default_rng(number // 6)
    mask = np.zeros(frame.shape[:2], np.float32)
    for _drop in range(14):
        at = int(rng.uniform(220, 430)), int(rng.uniform(160, 380))
        cv2.circle(mask, at, int(10 + 34 * share * rng.uniform(0.3, 1)), 1.0, -1)
    soft = cv2.GaussianBlur(mask, (0, 0), 7)[..., None] * min(1.0, 1.6 * share)
    frame[:] = (frame * (1 - soft) + np.array((132, 14, 20)) * soft).clip(0, 255)


def _through_scope(frame: Rgb) -> Rgb:
    """Return a frame lit from its middle, in a round field."""
    up, across = np.ogrid[:_HEIGHT, :_WIDTH]
    distance = np.hypot(across - _WIDTH / 2, up - _HEIGHT / 2) / _SCOPE_PX
    light = np.clip(1.12 - 0.5 * distance**2, 0, 1.12) * np.clip((1 - distance) * 60, 0, 1)
    return (frame * light[..., None]).clip(0, 255).astype(np.uint8)
