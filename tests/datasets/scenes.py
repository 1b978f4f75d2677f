"""Labelled pictures in memory for the tests of datasets."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import shapely
from fakes import ArraySlide
from makers import Scene, he_scene

from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.feature import Feature
from pathoview.datasets.feature_labels import FeatureLabels
from pathoview.datasets.labels import LabelledImage, Labels, Split, TargetClass, TrainingData
from pathoview.study.model import LabelClass

CLASSES = [
    LabelClass(number=1, name="Tumor", color=(200, 0, 0)),
    LabelClass(number=2, name="Stroma", color=(0, 200, 0)),
    LabelClass(number=5, name="Other", color=(1, 1, 1), meaning="negative"),
    LabelClass(number=6, name="Region*", color=(0, 0, 200), meaning="region"),
    LabelClass(number=7, name="Ignore*", color=(9, 9, 9), meaning="ignore"),
]
VALUES = {"Tumor": 1, "Stroma": 2}
TARGETS = (TargetClass("Tumor"), TargetClass("Stroma"))


def drawn(shape: shapely.Geometry, name: str = "", **members: object) -> Feature:
    said = DetectionClass(name, (1, 2, 3)) if name else None
    return Feature(shape, classification=said, **members)  # type: ignore[arg-type]


def labels_of(*features: Feature, mpp: float = 0.5, **more: object) -> FeatureLabels:
    return FeatureLabels(features, CLASSES, VALUES, mpp=mpp, **more)  # type: ignore[arg-type]


def image_of(
    labels: Labels,
    width: int = 600,
    height: int = 400,
    *,
    name: str = "a",
    split: Split = "train",
    group: str = "",
    seed: int = 0,
) -> LabelledImage:
    scene = he_scene(width, height, seed)
    return LabelledImage(ArraySlide(scene.rgb), labels, name, split, group)


def data_of(*images: LabelledImage) -> TrainingData:
    return TrainingData(images, TARGETS)


def outlines_of(scene: Scene, name: str = "Tumor") -> Sequence[Feature]:
    """Return the nuclei of a scene, outlined by hand as it were."""
    features = []
    for number in range(1, int(scene.labels.max()) + 1):
        mask = (scene.labels == number).astype(np.uint8)
        contours, _levels = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
        if contours and len(contours[0]) > 2:
            ring = contours[0][:, 0, :] + 0.5
            features.append(drawn(shapely.Polygon(ring).buffer(0.5), name))
    return features
