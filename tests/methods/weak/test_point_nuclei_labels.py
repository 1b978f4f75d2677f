"""Masks made of points: Voronoi edges, clusters, instances; the truth is made up by hand."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
import pytest
from makers import he_scene

from pathoview.datasets.labels import BACKGROUND, UNKNOWN
from pathoview.evaluation import instances
from pathoview.methods.weak.point_nuclei_labels import (
    NUCLEUS,
    cellmap,
    cluster_mask,
    color_mask,
    instance_labels,
    local_contrast,
    preview,
    pseudo_masks,
    surroundings,
    voronoi_mask,
)
from pathoview.methods.weak.point_nuclei_params import PointNucleiFitParams

MPP = 0.25
PARAMS = PointNucleiFitParams()
REAL = Path(__file__).parents[4] / "shared/data/nuclei/MoNuSeg30/train"

Points = npt.NDArray[np.float64]


def points_of(*places: tuple[float, float]) -> Points:
    return np.array(places, np.float64).reshape(-1, 2)


def everywhere(shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    return np.ones(shape[:2], np.bool_)


def test_each_pixel_belongs_to_the_nearest_point_also_of_those_outside() -> None:
    cells = cellmap(points_of((5, 10), (25, 10), (-20, 10)), 20, 40, MPP)
    assert cells.cells[10, 5] == 1
    assert cells.cells[10, 16] == 2
    assert set(np.unique(cells.cells)) == {1, 2}
    assert cells.distance_um[10, 9] == pytest.approx(1.0)
    far = cellmap(points_of((5, 10), (-3, 10)), 20, 40, MPP)
    assert far.cells[10, 0] == 2


def test_the_edge_between_two_points_is_background_and_their_spots_nucleus() -> None:
    mask = voronoi_mask(cellmap(points_of((10.5, 20.5), (30.5, 20.5)), 40, 41, MPP), MPP)
    assert (mask[:, 20] == BACKGROUND).all()
    assert (mask[:, 24:28] == UNKNOWN).all()
    for x in (10, 30):
        assert mask[20, x - 2] == mask[22, x] == NUCLEUS
        assert mask[20, x - 3] == mask[18, x - 2] == UNKNOWN
    assert set(np.unique(mask[[0, -1]][:, :18])) == {UNKNOWN}, "the picture's edge is no edge"


def test_without_points_nothing_is_said_and_nothing_is_no_number() -> None:
    rgb = he_scene(60, 60, mpp=MPP).rgb
    with np.errstate(all="raise"):
        for complete in (everywhere(rgb.shape), ~everywhere(rgb.shape)):
            voronoi, clusters = pseudo_masks(rgb, points_of(), complete, MPP, PARAMS)
            assert (voronoi == UNKNOWN).all()
            assert (clusters == UNKNOWN).all()
        nothing = cellmap(points_of(), 60, 60, MPP)
        labels, _background = instance_labels(np.ones((60, 60), np.float32), nothing, 0.5, MPP)
        assert not labels.any()


def test_black_padding_is_background() -> None:
    rgb = he_scene(80, 80, mpp=MPP).rgb.copy()
    rgb[:, 60:] = 0
    for mask in pseudo_masks(rgb, points_of((20, 20)), everywhere(rgb.shape), MPP, PARAMS):
        assert (mask[:, 60:] == BACKGROUND).all()


def test_contrast_counts_only_pairs_with_a_flagged_pixel() -> None:
    rgb = np.zeros((40, 40, 3), np.uint8)
    rgb[:, 20:] = 255
    flags = np.zeros((40, 40), np.bool_)
    flags[:, :10] = True  # more than 1 µm (4 px) from the step
    assert local_contrast(rgb, flags, MPP) == 0.0
    flags[:, 20:24] = True
    assert local_contrast(rgb, flags, MPP) > 0.3
    assert local_contrast(rgb, np.zeros_like(flags), MPP) == 0.0


def test_clusters_find_nuclei_and_background_of_a_field() -> None:
    scene = he_scene(400, 400, seed=2, mpp=MPP)
    points = instances.centroids(scene.labels)
    complete = everywhere(scene.rgb.shape)
    voronoi, clusters = pseudo_masks(scene.rgb, points, complete, MPP, PARAMS)
    is_nucleus = scene.labels > 0
    assert is_nucleus[clusters == NUCLEUS].mean() > 0.85
    assert (clusters == NUCLEUS)[is_nucleus].mean() > 0.6
    assert (~is_nucleus)[clusters == BACKGROUND].mean() > 0.98
    assert is_nucleus[voronoi == NUCLEUS].mean() > 0.98
    assert (~is_nucleus)[voronoi == BACKGROUND].mean() > 0.95


def test_where_not_all_nuclei_have_a_point_the_others_are_not_called_background() -> None:
    scene = he_scene(400, 400, seed=2, mpp=MPP)
    points = instances.centroids(scene.labels)[::4]
    voronoi, clusters = pseudo_masks(scene.rgb, points, ~everywhere(scene.rgb.shape), MPP, PARAMS)
    near = surroundings(points, 400, 400, PARAMS.square_um / MPP)
    is_nucleus = scene.labels > 0
    for mask in (voronoi, clusters):
        assert (mask[~near] == UNKNOWN).all(), "far from points nothing is said"
        assert (~is_nucleus)[mask == BACKGROUND].mean() > 0.97
    assert is_nucleus[clusters == NUCLEUS].mean() > 0.85
    cells = cellmap(points, 400, 400, MPP)
    complete = cluster_mask(scene.rgb, cells, near, MPP, PARAMS)
    by_color = color_mask(scene.rgb, cells, near, MPP, PARAMS)
    wrong = [((mask == BACKGROUND) & is_nucleus).sum() for mask in (complete, by_color)]
    assert wrong[1] < wrong[0]


def test_clear_nuclei_are_told_by_their_rims() -> None:
    rgb = np.full((200, 200, 3), (235, 200, 215), np.uint8)
    places = [(x, y) for x in (40, 100, 160) for y in (40, 100, 160)]
    for place in places:
        cv2.circle(rgb, place, 9, (90, 60, 130), 5)  # a dark rim around what is as pale as all else
    points = points_of(*places)
    cells = cellmap(points, 200, 200, MPP)
    mask = color_mask(rgb, cells, everywhere(rgb.shape), MPP, PARAMS)
    is_rim = rgb[..., 0] < 120
    assert (mask[is_rim] != BACKGROUND).all()
    assert (mask[is_rim] == NUCLEUS).any()
    assert (mask[cells.distance_um > 4] == BACKGROUND).all()


def test_what_may_not_be_learned_from_is_unknown() -> None:
    scene = he_scene(200, 200, seed=2, mpp=MPP)
    allowed = everywhere(scene.rgb.shape)
    allowed[:, 100:] = False
    points = instances.centroids(scene.labels)
    complete = everywhere(scene.rgb.shape)
    for mask in pseudo_masks(scene.rgb, points, complete, MPP, PARAMS, allowed):
        assert (mask[:, 100:] == UNKNOWN).all()
        assert (mask[:, :100] == NUCLEUS).any()


def test_the_preview_shows_edges_over_clusters() -> None:
    scene = he_scene(200, 200, seed=2, mpp=MPP)
    points = instances.centroids(scene.labels)
    complete = everywhere(scene.rgb.shape)
    voronoi, clusters = pseudo_masks(scene.rgb, points, complete, MPP, PARAMS)
    shown = preview(scene.rgb, points, MPP, PARAMS, ~complete, complete)
    assert set(np.unique(shown)) == {BACKGROUND, NUCLEUS, UNKNOWN}
    assert np.array_equal(shown[voronoi != UNKNOWN], voronoi[voronoi != UNKNOWN])
    assert np.array_equal(shown[voronoi == UNKNOWN], clusters[voronoi == UNKNOWN])
    assert (preview(scene.rgb, points[:1], MPP, PARAMS, ~complete) == UNKNOWN).mean() > 0.5


def test_an_instance_is_what_of_the_foreground_lies_in_its_cell_and_touches_its_point() -> None:
    probability = np.full((60, 100), 0.1, np.float32)
    cv2.ellipse(probability, (30, 30), (14, 10), 0, 0, 360, 0.9, -1)  # two touching nuclei
    cv2.ellipse(probability, (54, 30), (14, 10), 0, 0, 360, 0.9, -1)
    cv2.circle(probability, (88, 48), 6, 0.9, -1)  # nobody pointed at it
    probability[:, 97:] = 0  # no picture there
    points = points_of((30, 30), (54, 30))
    labels, background = instance_labels(probability, cellmap(points, 60, 100, MPP), 0.5, MPP)
    assert labels[30, 30] == 1
    assert labels[30, 54] == 2
    assert labels[30, 42] == 0, "the edge between cells belongs to none"
    assert labels[48, 88] == 0
    assert background[5, 5]
    assert not background[30, 30]
    assert not background[:, 97:].any()


@pytest.mark.skipif(not REAL.is_dir(), reason="needs the shared data")
def test_masks_of_real_points_are_as_good_as_those_of_the_authors() -> None:
    """W1, E1: 3 images of MoNuSeg, points as the authors make them."""
    for path in sorted((REAL / "images").iterdir())[:3]:
        rgb = cv2.imread(str(path))[..., ::-1].copy()
        labels = cv2.imread(str(REAL / "labels" / f"{path.stem}.png"), cv2.IMREAD_UNCHANGED)
        boxes = [cv2.boundingRect((labels == n).astype(np.uint8)) for n in np.unique(labels)[1:]]
        points = points_of(*((x + w // 2 + 0.5, y + h // 2 + 0.5) for x, y, w, h in boxes))
        _voronoi, clusters = pseudo_masks(rgb, points, everywhere(rgb.shape), MPP, PARAMS)
        is_nucleus = labels > 0
        assert is_nucleus[clusters == NUCLEUS].mean() >= 0.80
        assert (clusters == NUCLEUS)[is_nucleus].mean() >= 0.60
        assert (~is_nucleus)[clusters == BACKGROUND].mean() >= 0.93
