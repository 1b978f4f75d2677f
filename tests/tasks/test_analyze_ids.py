"""Ids of objects: a standard uuid5 of slide, run parameters and place."""

from __future__ import annotations

import uuid

import numpy as np

from pathoview.tasks.object_ids import id_namespace, object_ids

NAMESPACE = id_namespace("abc", "key")


def test_ids_are_uuid5_of_the_centroid_in_hundredths_of_a_pixel() -> None:
    ids = object_ids(NAMESPACE, np.array([[12.344, 7.0], [-0.5, 99999.999]]))
    assert uuid.UUID(bytes=ids[0].tobytes()) == uuid.uuid5(NAMESPACE, "1234,700")
    assert uuid.UUID(bytes=ids[1].tobytes()) == uuid.uuid5(NAMESPACE, "-50,10000000")


def test_no_objects_have_no_ids() -> None:
    assert object_ids(NAMESPACE, np.empty((0, 2))).shape == (0, 16)


def test_objects_around_one_another_get_different_ids() -> None:
    ids = object_ids(NAMESPACE, np.array([[1.0, 1.0], [1.0, 1.0], [1.0, 1.0]]))
    assert len({one.tobytes() for one in ids}) == 3


def test_another_slide_or_other_parameters_give_other_ids() -> None:
    place = np.array([[1.0, 2.0]])
    spaces = [NAMESPACE, id_namespace("abd", "key"), id_namespace("abc", "other")]
    assert len({object_ids(space, place).tobytes() for space in spaces}) == 3
