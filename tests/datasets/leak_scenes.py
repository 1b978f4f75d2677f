"""Small data sets with known leaks, or none."""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np
from makers import Rgb, he_image

from pathoview.datasets.leak_items import LeakItem, Picture

PATIENTS = 24
SIDE_PX = 96


def scene(seed: int) -> Rgb:
    """Return a field of tissue that no other seed gives: large shapes as well as nuclei."""
    rng = np.random.default_rng(1000 + seed)
    coarse = rng.standard_normal((4, 4))
    light = cv2.resize(coarse, (SIDE_PX, SIDE_PX), interpolation=cv2.INTER_CUBIC)[..., None]
    shaded = he_image(SIDE_PX, SIDE_PX, seed).astype(np.float64) + 18 * light
    return np.asarray(np.clip(shaded, 0, 255), np.uint8)


def packed_again(rgb: Rgb, quality: int = 60) -> Rgb:
    """Return a picture after it was a JPEG."""
    _ok, data = cv2.imencode(".jpg", rgb, [cv2.IMWRITE_JPEG_QUALITY, quality])
    return np.asarray(cv2.imdecode(data, cv2.IMREAD_COLOR), np.uint8)


def item(rgb: Rgb, **said: object) -> LeakItem:
    height, width = rgb.shape[:2]
    return LeakItem(load=lambda: Picture(rgb, width, height), **said)  # type: ignore[arg-type]


def clean_items() -> list[LeakItem]:
    """Return two pictures of each patient, one label a patient, no patient in two splits."""
    splits = ["train"] * (PATIENTS // 2) + ["val"] * (PATIENTS // 4) + ["test"] * (PATIENTS // 4)
    return [
        item(
            scene(2 * patient + number),
            name=f"image {patient}-{number}",
            split=splits[patient],
            patient=f"patient {patient}",
            slide=f"slide {patient}-{number}",
            label=("benign", "malignant")[patient % 2],
            date=f"20{10 + patient}-03-01",
            tokens=frozenset({"image", str(patient)}),
        )
        for patient in range(PATIENTS)
        for number in range(2)
    ]


def copy_of(source: LeakItem, rgb: Rgb, number: int) -> LeakItem:
    """Return other pixels of the same place, said to be of somebody else, for testing on."""
    said = {"name": f"copy {number}", "split": "test", "patient": f"new {number}", "slide": ""}
    height, width = rgb.shape[:2]
    return replace(source, load=lambda: Picture(rgb, width, height), date="", **said)


def planted_items() -> list[LeakItem]:
    """Return the clean items with 3 patients and 5 copies of training pictures put into test."""
    items = clean_items()
    shared = [
        replace(items[-1 - n], patient=items[2 * n].patient, label=items[2 * n].label)
        for n in range(3)
    ]
    items[-3:] = shared[::-1]
    sources = items[10:15]
    pictures = [one.load().rgb for one in sources]
    copies = [
        pictures[0].copy(),
        packed_again(pictures[1]),
        np.ascontiguousarray(pictures[2][:, ::-1]),
        np.ascontiguousarray(np.rot90(pictures[3])),
        pictures[4].copy(),
    ]
    return items + [copy_of(*pair, n) for n, pair in enumerate(zip(sources, copies, strict=True))]
