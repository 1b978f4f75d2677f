"""Images changed at random as other slides and scanners would change them, labels with them.

Runs on batches of tensors, on the device of the training. All chance comes from torch's generator,
which the training seeds at every step.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import torch
from kornia.enhance import adjust_hue, adjust_saturation, jpeg_codec_differentiable
from kornia.filters import gaussian_blur2d
from torch import Tensor
from torch.nn import functional

from pathoview.slides.stains import H_E, StainMatrix

Range = tuple[float, float]

_BLUR_KERNEL_PX = 9


@dataclass(frozen=True, slots=True)
class Augmentation:
    """How strongly images are changed; ``p_`` are the chances that an image is."""

    p_flip: float = 0.5
    """Of each of both flips."""
    p_turn: float = 0.75
    """Of a turn by 90°, 180° or 270°; images that are not square are turned by 180° only."""
    p_affine: float = 0.2
    rotation_deg: float = 45.0
    """Most to either side."""
    shear_deg: float = 16.0
    scale: Range = (1.0, 1.0)
    """Above 1: objects become larger."""
    brightness: float = 0.2
    """Most that is added or taken away; images are 0–1."""
    contrast: Range = (0.8, 1.25)
    saturation: Range = (0.8, 1.25)
    hue: float = 0.04
    """Most to either side, of the circle of colours."""
    stain: float = 0.05
    """How much the amount of each stain is scaled and shifted: 1 ± and ±, in optical density."""
    stains: StainMatrix = H_E
    p_blur: float = 0.2
    blur_sigma_px: Range = (0.1, 1.5)
    p_noise: float = 0.2
    noise: float = 0.02
    """Standard deviation."""
    p_jpeg: float = 0.1
    jpeg_quality: Range = (60.0, 95.0)


GEOMETRY = Augmentation(
    brightness=0.0,
    contrast=(1.0, 1.0),
    saturation=(1.0, 1.0),
    hue=0.0,
    stain=0.0,
    p_blur=0.0,
    p_noise=0.0,
    p_jpeg=0.0,
)
"""Only where pixels lie is changed."""

STRONG = Augmentation(p_affine=0.5, scale=(0.8, 1.25), stain=0.15, hue=0.08, saturation=(0.6, 1.5))
"""For few slides, or slides of other scanners and laboratories."""


class LabelMap(NamedTuple):
    """Whole numbers a pixel, which are never mixed."""

    values: Tensor
    """(N, H, W), below 2²⁴."""
    ignore: int = 255
    """What lies beyond the edge of the image."""


class Augmented(NamedTuple):
    """Images with their maps, all changed alike."""

    images: Tensor
    labels: list[Tensor]
    maps: list[Tensor]


def augment(
    images: Tensor,
    labels: Sequence[LabelMap] = (),
    maps: Sequence[Tensor] = (),
    how: Augmentation = Augmentation(),
) -> Augmented:
    """Return changed images (N, 3, H, W), float 0–1, with their maps at the same places.

    ``maps`` are (N, H, W) or (N, C, H, W) of floating numbers that lie at a place but have no
    direction (a distance, a weight); beyond the image's edge they are 0, where pixels are
    reflected. All are made float32.
    """
    moved = _move(images.float(), labels, maps, how)
    return moved._replace(images=change_pixels(moved.images, how))


def change_pixels(images: Tensor, how: Augmentation) -> Tensor:
    """Return images (N, 3, H, W), float 0–1, with other colours and sharpness; none is moved."""
    colored = _jitter_color(_jitter_stain(images, how), how)
    return _compress(_add_noise(_blur(colored, how), how), how).clamp(0, 1)


def _move(
    images: Tensor, labels: Sequence[LabelMap], maps: Sequence[Tensor], how: Augmentation
) -> Augmented:
    n, _channels, height, width = images.shape
    turns = _choose_turns(n, height == width, how)
    planes = [label.values[:, None].float() for label in labels]
    fields = [field.float() if field.ndim == 4 else field[:, None].float() for field in maps]
    images, *others = (_turned(stack, turns) for stack in (images, *planes, *fields))
    planes, fields = others[: len(planes)], others[len(planes) :]
    is_bent = _hit(n, how.p_affine)
    matrices = _choose_affine(n, height, width, how)
    if bool(is_bent.any()):
        rows = is_bent.nonzero().flatten()
        grid = functional.affine_grid(
            matrices[rows].to(images.device), [len(rows), 1, height, width], align_corners=False
        )
        images = _sampled(images, rows, grid, "reflection")
        fields = [_sampled(field, rows, grid, "zeros") for field in fields]
        planes = [
            _sampled_labels(plane, rows, grid, label.ignore)
            for plane, label in zip(planes, labels, strict=True)
        ]
    return Augmented(
        images,
        [plane[:, 0].to(label.values.dtype) for plane, label in zip(planes, labels, strict=True)],
        [
            field if given.ndim == 4 else field[:, 0]
            for field, given in zip(fields, maps, strict=True)
        ],
    )


class _Turn(NamedTuple):
    is_flipped_x: bool
    is_flipped_y: bool
    quarters: int


def _choose_turns(n: int, is_square: bool, how: Augmentation) -> list[_Turn]:
    flips = (torch.rand(n, 2) < how.p_flip).tolist()
    quarters = torch.randint(1, 4, (n,)) if is_square else torch.full((n,), 2)
    turned = (quarters * _hit(n, how.p_turn)).tolist()
    return [_Turn(x, y, quarter) for (x, y), quarter in zip(flips, turned, strict=True)]


def _turned(stack: Tensor, turns: Sequence[_Turn]) -> Tensor:
    """Flip and turn each of (N, C, H, W); no pixel is mixed with another."""
    pieces = []
    for piece, turn in zip(stack, turns, strict=True):
        axes = [axis for axis, on in ((2, turn.is_flipped_x), (1, turn.is_flipped_y)) if on]
        pieces.append(torch.rot90(piece.flip(axes), turn.quarters, (1, 2)))
    return torch.stack(pieces)


def _choose_affine(n: int, height: int, width: int, how: Augmentation) -> Tensor:
    """Return (N, 2, 3): from places of the result to places of the source, both -1 … 1."""
    angle = torch.deg2rad(_between(n, -how.rotation_deg, how.rotation_deg))
    shear = torch.tan(torch.deg2rad(_between(n, -how.shear_deg, how.shear_deg)))
    size = torch.exp(_between(n, math.log(how.scale[0]), math.log(how.scale[1])))
    cos, sin = torch.cos(angle) / size, torch.sin(angle) / size
    # In px; -1 … 1 is as long as the side, so the mixed terms are stretched by the sides' ratio.
    ratio = height / width
    rows = [cos, (cos * shear - sin) * ratio, sin / ratio, sin * shear + cos]
    matrix = torch.stack(rows, 1).view(n, 2, 2)
    return torch.cat([matrix, torch.zeros(n, 2, 1)], 2)


def _sampled(stack: Tensor, rows: Tensor, grid: Tensor, beyond: str) -> Tensor:
    """Replace some images of a stack by what lies at a grid."""
    found = functional.grid_sample(
        stack[rows], grid, mode="bilinear", padding_mode=beyond, align_corners=False
    )
    return stack.index_copy(0, rows, found)


def _sampled_labels(plane: Tensor, rows: Tensor, grid: Tensor, ignore: int) -> Tensor:
    # Beyond the edge is zero: shifted by the ignore value, and back, it is the ignore value.
    found = functional.grid_sample(
        plane[rows] - ignore, grid, mode="nearest", padding_mode="zeros", align_corners=False
    )
    return plane.index_copy(0, rows, found + ignore)


def _jitter_stain(images: Tensor, how: Augmentation) -> Tensor:
    """Scale and shift the amount of each stain (Tellez et al. 2018)."""
    if not how.stain:
        return images
    n = len(images)
    rows = torch.tensor(how.stains.rows, dtype=images.dtype, device=images.device)
    unmixing = torch.from_numpy(how.stains.unmixing).to(rows)
    density = -torch.log((images * 255 + 1) / 256)
    amounts = torch.einsum("nchw,cs->nshw", density, unmixing)
    scale = (1 + _between(3 * n, -how.stain, how.stain)).view(n, 3, 1, 1).to(images.device)
    shift = _between(3 * n, -how.stain, how.stain).view(n, 3, 1, 1).to(images.device)
    density = torch.einsum("nshw,sc->nchw", amounts * scale + shift, rows)
    return ((torch.exp(-density) * 256 - 1) / 255).clamp(0, 1)


def _jitter_color(images: Tensor, how: Augmentation) -> Tensor:
    n, device = len(images), images.device
    if how.brightness or how.contrast != (1.0, 1.0):
        lift = _between(n, -how.brightness, how.brightness).view(n, 1, 1, 1).to(device)
        contrast = _between(n, *how.contrast).view(n, 1, 1, 1).to(device)
        mean = images.mean((1, 2, 3), keepdim=True)
        images = ((images - mean) * contrast + mean + lift).clamp(0, 1)
    if how.saturation != (1.0, 1.0):
        images = adjust_saturation(images, _between(n, *how.saturation).to(device))
    if how.hue:
        images = adjust_hue(images, _between(n, -how.hue, how.hue).to(device) * 2 * math.pi)
    return images


def _blur(images: Tensor, how: Augmentation) -> Tensor:
    rows = _hit(len(images), how.p_blur).nonzero().flatten().to(images.device)
    sigma = _between(len(rows), *how.blur_sigma_px)[:, None].repeat(1, 2).to(images.device)
    if not len(rows):
        return images
    kernel = (_BLUR_KERNEL_PX, _BLUR_KERNEL_PX)
    return images.index_copy(0, rows, gaussian_blur2d(images[rows], kernel, sigma))


def _add_noise(images: Tensor, how: Augmentation) -> Tensor:
    is_hit = _hit(len(images), how.p_noise).view(-1, 1, 1, 1).to(images)
    if not how.p_noise:
        return images
    return images + torch.randn_like(images) * how.noise * is_hit


def _compress(images: Tensor, how: Augmentation) -> Tensor:
    rows = _hit(len(images), how.p_jpeg).nonzero().flatten().to(images.device)
    quality = _between(len(rows), *how.jpeg_quality).to(images.device)
    if not len(rows):
        return images
    compressed = jpeg_codec_differentiable(images[rows].clamp(0, 1), quality)
    return images.index_copy(0, rows, compressed)


def _hit(n: int, chance: float) -> Tensor:
    """Return for each image whether it is changed; the chances are drawn on the CPU."""
    return torch.rand(n) < chance


def _between(n: int, low: float, high: float) -> Tensor:
    return torch.rand(n) * (high - low) + low
