"""Augmentation: pixels and labels move together, colours change a little, chance is torch's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch import Tensor  # noqa: E402

from pathoview.methods.engine.augment import (  # noqa: E402
    GEOMETRY,
    STRONG,
    Augmentation,
    LabelMap,
    augment,
    change_pixels,
)
from tests.makers import he_scene  # noqa: E402

NOTHING = replace(GEOMETRY, p_flip=0.0, p_turn=0.0, p_affine=0.0)


def pattern(n: int = 6, height: int = 48, width: int = 48) -> tuple[Tensor, Tensor]:
    """Return images whose red is the class of a blocky, lopsided map, and the map."""
    rng = np.random.default_rng(0)
    blocks = rng.integers(0, 4, (n, height // 12, width // 12))
    labels = torch.from_numpy(np.kron(blocks, np.ones((12, 12), np.int64)))
    image = (labels / 4).float()[:, None].repeat(1, 3, 1, 1)
    return image, labels


def inner(labels: Tensor) -> Tensor:
    """Return where all 3 × 3 neighbours are the same: there, nothing is mixed."""
    values = labels[:, None].float()
    highest = torch.nn.functional.max_pool2d(values, 5, 1, 2)
    lowest = -torch.nn.functional.max_pool2d(-values, 5, 1, 2)
    return (highest == lowest)[:, 0]


@pytest.mark.parametrize("size", [(48, 48), (48, 72), (60, 24)])
def test_pixels_labels_and_maps_move_alike(size: tuple[int, int]) -> None:
    images, labels = pattern(8, *size)
    torch.manual_seed(0)
    how = replace(GEOMETRY, p_affine=1.0, scale=(0.8, 1.25))
    maps = [labels.float(), images, torch.ones_like(labels).float()]
    moved = augment(images, [LabelMap(labels, 9), LabelMap(labels.to(torch.uint8))], maps, how)
    first, second = moved.labels
    assert (first.dtype, second.dtype) == (torch.int64, torch.uint8)
    is_inside = first != 9
    assert 0.5 < is_inside.float().mean() < 1
    assert torch.equal(second == 255, ~is_inside)
    assert torch.equal(first[is_inside], second[is_inside].long())
    sure = inner(first) & is_inside
    assert sure.float().mean() > 0.2
    # A class is a quarter apart from the next.
    assert float((moved.images[:, 0] * 4 - first).abs()[sure].max()) < 0.02
    is_whole = sure & (moved.maps[2] > 0.999)
    assert float((moved.maps[0] - first).abs()[is_whole].max()) < 0.02
    assert moved.maps[0].shape == labels.shape
    assert moved.maps[1].shape == images.shape
    assert not torch.equal(moved.images, images)


def test_beyond_the_edge_pixels_are_reflected_maps_are_zero() -> None:
    images = torch.full((4, 3, 32, 32), 0.5)
    how = replace(GEOMETRY, p_affine=1.0)
    moved = augment(images, maps=[torch.ones(4, 32, 32)], how=how)
    assert torch.allclose(moved.images, images, atol=1e-5)
    assert float(moved.maps[0].min()) == 0


def test_an_angle_stays_right_in_images_that_are_not_square() -> None:
    rows, columns = torch.meshgrid(torch.arange(48.0), torch.arange(96.0), indexing="ij")
    disk = ((rows - 23.5) ** 2 + (columns - 47.5) ** 2 < 15**2).float()
    how = replace(NOTHING, p_affine=1.0, shear_deg=0.0)
    torch.manual_seed(1)
    turned = augment(disk.repeat(5, 3, 1, 1), how=how).images
    assert float((turned[:, 0] - disk).abs().mean()) < 0.01


def test_flips_and_turns_alone_mix_no_pixels() -> None:
    images = torch.rand(16, 3, 12, 12)
    moved = augment(images, how=replace(GEOMETRY, p_affine=0.0)).images
    changed = 0
    for before, after in zip(images, moved, strict=True):
        assert torch.equal(before.flatten(1).sort()[0], after.flatten(1).sort()[0])
        changed += not torch.equal(before, after)
    assert changed > 8


def test_larger_scale_makes_objects_larger() -> None:
    labels = torch.zeros(3, 64, 64, dtype=torch.int64)
    labels[:, 24:40, 24:40] = 1
    images = torch.zeros(3, 3, 64, 64)
    how = replace(NOTHING, p_affine=1.0, rotation_deg=0.0, shear_deg=0.0, scale=(1.5, 1.5))
    area = augment(images, [LabelMap(labels)], how=how).labels[0].sum((1, 2)) / 256
    assert area.tolist() == pytest.approx([2.25] * 3, rel=0.1)


@pytest.mark.parametrize("how", [Augmentation(), STRONG])
def test_the_same_seed_gives_the_same_images_and_another_one_others(how: Augmentation) -> None:
    images, labels = pattern()
    results = []
    for seed in (0, 0, 1):
        torch.manual_seed(seed)
        results.append(augment(images, [LabelMap(labels)], how=how))
    assert torch.equal(results[0].images, results[1].images)
    assert torch.equal(results[0].labels[0], results[1].labels[0])
    assert not torch.equal(results[0].images, results[2].images)
    assert float(results[0].images.min()) >= 0
    assert float(results[0].images.max()) <= 1


@pytest.mark.parametrize(
    "change",
    [
        {"brightness": 0.2},
        {"contrast": (0.5, 0.6)},
        {"saturation": (0.5, 0.6)},
        {"hue": 0.04},
        {"stain": 0.05},
        {"p_blur": 1.0, "blur_sigma_px": (1.0, 1.5)},
        {"p_noise": 1.0},
        {"p_jpeg": 1.0},
    ],
    ids=lambda change: next(iter(change)),
)
def test_each_change_of_pixels_is_made_and_small(change: dict[str, object]) -> None:
    scene = torch.from_numpy(he_scene(64, 64).rgb)
    images = scene.permute(2, 0, 1)[None].repeat(3, 1, 1, 1) / 255
    assert torch.equal(change_pixels(images, NOTHING), images)
    torch.manual_seed(2)
    changed = change_pixels(images, replace(NOTHING, **change))  # type: ignore[arg-type]
    difference = (changed - images).abs().mean((1, 2, 3))
    assert float(difference.min()) > 1e-4
    assert float(difference.max()) < 0.25
    assert len(set(difference.tolist())) == 3
