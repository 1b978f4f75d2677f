"""Small training data for every kind of label: a made-up field with its truth."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import shapely
from fakes import ArraySlide
from makers import Scene, he_scene, make_pyramid_tiff
from studies import opened

from pathoview.annotations.change import Change
from pathoview.annotations.feature import Feature, Role
from pathoview.core.geometry import Cell
from pathoview.datasets.bags import UNSAID, Bag, BagData, EncoderUsed, TileGrid
from pathoview.datasets.feature_labels import FeatureLabels
from pathoview.datasets.labels import LabelledImage, Split, TargetClass, TrainingData
from pathoview.methods.hand_features import N_HAND_FEATURES
from pathoview.methods.spec import LearnsFrom
from pathoview.slides.opening import open_slide
from pathoview.study.model import LabelClass, SlideRecord
from pathoview.study.step import RecordChange, StudyStep

SIDE_UM = 160.0
NUCLEUS = LabelClass(number=1, name="Nucleus", color=(60, 60, 200))
TISSUE = LabelClass(number=2, name="Tissue", color=(200, 160, 60))
CLASSES = (NUCLEUS, TISSUE)


def scene(mpp: float, seed: int = 5) -> Scene:
    side = round(SIDE_UM / mpp)
    return he_scene(side, side, seed=seed, mpp=mpp)


def training_data(
    learns_from: LearnsFrom,
    mpp: float,
    *,
    seeds: Sequence[int] = (5, 6),
    n_classes: int = len(CLASSES),
) -> TrainingData:
    """Return fields with labels as a person would give them; the last one is held back.

    ``n_classes``: so many of the classes of strokes and examples are learned.
    """
    classes = CLASSES[: n_classes if learns_from in ("scribbles", "objects") else 1]
    images = []
    for number, seed in enumerate(seeds):
        field = scene(mpp, seed)
        images.append(
            LabelledImage(
                ArraySlide(field.rgb, mpp),
                FeatureLabels(
                    features(learns_from, field),
                    CLASSES,
                    {one.name: place for place, one in enumerate(classes, 1)},
                    mpp=mpp,
                ),
                name=f"field-{seed}",
                split="val" if number and number == len(seeds) - 1 else "train",
                group=f"patient-{seed}",
            )
        )
    targets = tuple(TargetClass(one.name, one.color, one.number) for one in classes)
    return TrainingData(images, targets)


def bag_data(
    n: int = 12,
    *,
    n_tiles: int = 12,
    n_features: int = 8,
    share: float = 0.25,
    n_held_back: int = 4,
    seed: int = 5,
) -> BagData:
    """Return bags of which every second one holds a share of tiles that differ by 3 deviations.

    Those are its first ones. The last ``n_held_back`` bags are those of validation.
    """
    random = np.random.default_rng(seed)
    towards = random.normal(size=n_features)
    towards *= 3 / np.linalg.norm(towards)
    bags = []
    for number in range(n):
        tiles = random.normal(size=(n_tiles, n_features))
        if number % 2:
            tiles[: n_telling(n_tiles, share)] += towards
        split: Split = "val" if number >= n - n_held_back else "train"
        bags.append(bag(tiles, number % 2, name=f"slide-{number}", split=split))
    encoder = EncoderUsed("made up", "0", n_features, (0.5,), 224, licence="CC0")
    return BagData(bags, (TargetClass("Normal"), TargetClass("Tumour")), encoder)


def picture_data(n: int = 12, *, n_patches: int = 21, **how: Any) -> BagData:
    """Return whole pictures, as `bag_data` does: patches by an encoder of 8 features, and rules."""
    data = bag_data(n, n_tiles=n_patches, n_features=8 + N_HAND_FEATURES, **how)
    used = replace(data.encoder, mpp=(), of_whole=True, n_hand=N_HAND_FEATURES)
    return replace(data, encoder=used)


def clip_data(
    n: int = 12,
    *,
    n_frames: int = 12,
    n_features: int = 8,
    n_labels: int = 2,
    n_held_back: int = 4,
    seed: int = 5,
) -> BagData:
    """Return clips of which each may have each label, in a run of frames that differ by it.

    The features of a label, the first of a frame, are moved by 3 deviations. The last
    ``n_held_back`` clips are those of validation.
    """
    random = np.random.default_rng(seed)
    bags = []
    for number in range(n):
        frames = random.normal(size=(n_frames, n_features))
        labels = tuple(number >> place & 1 for place in range(n_labels))
        for place in np.flatnonzero(labels):
            start = random.integers(0, n_frames - 3)
            frames[start : start + 4, place] += 3
        split: Split = "val" if number >= n - n_held_back else "train"
        one = bag(frames, UNSAID, name=f"clip-{number}", split=split)
        bags.append(replace(one, labels=labels))
    encoder = EncoderUsed("made up", "0", n_features, (), 224, licence="CC0")
    classes = tuple(TargetClass(f"Finding {place + 1}") for place in range(n_labels))
    return BagData(bags, classes, encoder, "labels")


def n_telling(n_tiles: int, share: float) -> int:
    return max(1, round(share * n_tiles))


def bag(
    tiles: npt.NDArray[np.floating], label: int, name: str = "slide", split: Split = "train"
) -> Bag:
    """Return a slide whose tiles lie in a row."""
    grid = TileGrid(
        np.arange(len(tiles), dtype=np.int32), np.zeros(len(tiles), np.int32), Cell.square(224.0)
    )
    return Bag(name, name, np.asarray(tiles, np.float32), grid, label, split=split)


def features(learns_from: LearnsFrom, field: Scene) -> list[Feature]:
    """Return labels of a field, level-0 px."""
    if learns_from == "nothing":
        return []
    height, width = field.labels.shape
    whole = Feature(shapely.box(0, 0, width, height), role="full")
    if learns_from == "points":
        return [whole, *(drawn(point, NUCLEUS) for point in centers(field))]
    if learns_from == "instances":
        return [whole, *(drawn(shape, NUCLEUS) for shape in outlines(field))]
    if learns_from == "objects":
        sizes = np.bincount(field.labels.ravel())[1:]
        sizes = sizes[sizes > 0]
        return [
            drawn(point, NUCLEUS if size > np.median(sizes) else TISSUE)
            for point, size in zip(centers(field), sizes, strict=True)
        ]
    return strokes(field)


def strokes(field: Scene, n: int = 6) -> list[Feature]:
    """Return strokes through nuclei, and through what lies between them."""
    found = []
    apart = cv2.distanceTransform((field.labels == 0).astype(np.uint8), cv2.DIST_L2, 5)
    for point in centers(field)[:n]:
        line = shapely.LineString([(point.x - 2, point.y), (point.x + 2, point.y)])
        found.append(drawn(line.buffer(1.5), NUCLEUS, "scribble"))
    for _number in range(n):
        y, x = np.unravel_index(int(np.argmax(apart)), apart.shape)
        reach = max(2.0, float(apart[y, x]) - 2)
        cv2.circle(apart, (int(x), int(y)), int(3 * reach), 0.0, -1)
        place = shapely.Point(float(x), float(y)).buffer(reach / 2)
        found.append(drawn(place, TISSUE, "scribble"))
    return found


def drawn(shape: shapely.Geometry, of: LabelClass, role: Role = "") -> Feature:
    return Feature(shape, classification=of.drawn, role=role)


def centers(field: Scene) -> list[shapely.Point]:
    n = int(field.labels.max())
    found = []
    for label in range(1, n + 1):
        ys, xs = np.nonzero(field.labels == label)
        if len(xs):
            found.append(shapely.Point(float(xs.mean()) + 0.5, float(ys.mean()) + 0.5))
    return found


def outlines(field: Scene) -> list[shapely.Polygon]:
    found = []
    for label in np.unique(field.labels)[1:]:
        mask = (field.labels == label).astype(np.uint8)
        rings, _hierarchy = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        ring = max(rings, key=len)[:, 0] + 0.5
        if len(ring) >= 4:
            found.append(shapely.Polygon(ring).buffer(0.5))
    return found


def teach_study(folder: Path, learns_from: LearnsFrom, mpp: float = 0.5) -> tuple[Path, Path]:
    """Return a study with labels on one slide, and the slide."""
    field = scene(mpp)
    folder.mkdir(exist_ok=True)
    path = make_pyramid_tiff(folder / "field.tif", field.rgb, mpp=mpp, compression="zlib")
    study = folder / "labels.pathoview"
    with open_slide(path) as slide, opened(study) as writable:
        record = SlideRecord(
            slide_hash=slide.content_hash,
            path=str(path),
            pseudonym=slide.pseudonym,
            mpp=slide.info.mpp,
            width_l0=slide.info.width,
            height_l0=slide.info.height,
        )
        known = {one.key: one for one in writable.classes()}
        changes = [RecordChange.of(known.get(one.key), one) for one in CLASSES]
        step = StudyStep(
            *(writable.next_number(), slide.content_hash, "Draw"),
            change=Change.adding(features(learns_from, field)),
            records=(*changes, RecordChange.of(None, record)),
        )
        writable.do(step)
    return study, path
