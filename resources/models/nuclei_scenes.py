"""Training pictures for the bundled nucleus model: real tiles in other colours, and made-up H&E.

The real tiles (DSB2018, CC0) are few and nearly all purple. So most of what is learned from are
their nuclei in the colours of hematoxylin and eosin, over made-up tissue, and nuclei that are made
up altogether. Everything here is computed from random numbers; no other picture enters.
Amounts of stain are optical densities; all lengths are px at 0.5 µm.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.methods.nuclei_maps import depth_of

Image = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int32]
Rng = np.random.Generator

MPP = 0.5
HEMATOXYLIN = ((0.65, 0.70, 0.29), (0.56, 0.72, 0.41), (0.49, 0.77, 0.41), (0.72, 0.62, 0.31))
EOSIN = ((0.07, 0.99, 0.11), (0.22, 0.87, 0.43), (0.09, 0.95, 0.28), (0.27, 0.83, 0.49))


@dataclass(frozen=True)
class Tile:
    """A real tile with its nuclei; ``mpp`` is what makes its median nucleus 7.5 µm wide."""

    name: str
    rgb: npt.NDArray[np.uint8]
    labels: Labels
    mpp: float
    hash: str


def noise(rng: Rng, side: int, grain: float, stretch: float = 1.0, angle: float = 0.0) -> Image:
    """Return smooth noise, mean 0 and deviation 1, (side, side), drawn out along a direction."""
    n = max(3, int(np.ceil(side / grain)) + 3)
    small = rng.standard_normal((n, n)).astype(np.float32)
    turn = cv2.getRotationMatrix2D((n / 2, n / 2), angle, 1.0) @ np.diag([1 / stretch, 1.0, 1.0])
    turn[:, :2] /= grain
    turn[:, 2] = np.array([n / 2, n / 2]) - turn[:, :2] @ np.array([side / 2, side / 2])
    made = cv2.warpAffine(
        small,
        turn,
        (side, side),
        flags=cv2.INTER_CUBIC | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REFLECT,
    )
    return (made - made.mean()) / (made.std() + 1e-6)


def stain_vectors(rng: Rng) -> Image:
    """Return the colours of a hematoxylin and an eosin nobody has seen, (2, 3), length 1."""
    rows = []
    for known in (HEMATOXYLIN, EOSIN):
        weights = rng.dirichlet(np.ones(len(known)) * 0.7)
        vector = weights @ np.array(known) + rng.normal(0, 0.07, 3)
        vector = np.clip(vector, 0.02, None)
        rows.append(vector / np.linalg.norm(vector))
    return np.array(rows, np.float32)


def _shape(rng: Rng, width: float, height: float, angle: float) -> npt.NDArray[np.int32]:
    """Return the outline of a nucleus around 0, 1/16 px: an ellipse with a few dents."""
    t = np.linspace(0, 2 * np.pi, 28, endpoint=False)
    radius = np.ones_like(t)
    for k in (2, 3, 4):
        radius += rng.normal(0, 0.09 / k) * np.cos(k * t + rng.uniform(0, 2 * np.pi))
    x, y = width / 2 * radius * np.cos(t), height / 2 * radius * np.sin(t)
    c, s = np.cos(angle), np.sin(angle)
    return np.stack([x * c - y * s, x * s + y * c], axis=1)


class _Placing:
    """Puts nuclei on a field where there is room."""

    def __init__(self, rng: Rng, side: int) -> None:
        self.rng = rng
        self.labels = np.zeros((side, side), np.int32)
        self.kinds: list[int] = [0]
        self._closeness = rng.choice([0.0, 0.05, 0.15], p=[0.3, 0.4, 0.3])
        self._gap = int(rng.random() < 0.3)

    def put(self, x: float, y: float, kind: int, size: float, angle: float) -> None:
        rng = self.rng
        long = size * rng.lognormal(0, 0.15)
        ratio = {1: 0.9, 2: 0.75, 3: 0.35}[kind] * rng.lognormal(0, 0.12)
        outline = _shape(rng, long * min(ratio, 1.0) ** -0.3, long * min(ratio, 1.0) ** 0.7, angle)
        side = len(self.labels)
        points = outline + np.array([x, y])
        low = np.clip(np.floor(points.min(0)).astype(int) - 1, 0, side)
        high = np.clip(np.ceil(points.max(0)).astype(int) + 2, 0, side)
        if (high - low).min() < 2:
            return
        mask = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
        cv2.fillPoly(mask, [np.rint((points - low) * 16).astype(np.int32)], 1, shift=4)
        area = self.labels[low[1] : high[1], low[0] : high[0]]
        is_new = mask > 0
        taken = area > 0
        n_new = np.count_nonzero(is_new)
        if n_new < 6 or np.count_nonzero(is_new & taken) > self._closeness * n_new:
            return
        if self._gap:
            taken = cv2.dilate(taken.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0
        area[is_new & ~taken] = len(self.kinds)
        self.kinds.append(kind)


def layout(rng: Rng, side: int) -> tuple[Labels, list[int], Image]:
    """Return made-up nuclei, the kind of each (1 round, 2 epithelial, 3 spindle), and lumina."""
    field = _Placing(rng, side)
    lumen = np.zeros((side, side), np.float32)
    scale = rng.lognormal(-0.1, 0.25)
    sizes = {1: 11.0 * scale, 2: 16.0 * scale * rng.lognormal(0, 0.2), 3: 17.0 * scale}
    along = rng.uniform(0, np.pi)
    if rng.random() < 0.45:
        for _gland in range(rng.integers(1, 4)):
            _gland_at(rng, field, lumen, sizes[2])
    shares = rng.dirichlet([0.6, 0.6, 0.6])
    n = int(rng.choice([15, 50, 120, 260]) * rng.uniform(0.6, 1.4) * (side / 192) ** 2)
    density = noise(rng, side, rng.choice([25, 60, 120]))
    floor = rng.uniform(-1.5, 0.8)
    for x, y in rng.uniform(-4, side + 4, (n, 2)):
        cell = min(max(int(y), 0), side - 1), min(max(int(x), 0), side - 1)
        if lumen[cell] > 0.5 or density[cell] < floor:
            continue
        kind = int(rng.choice(3, p=shares)) + 1
        angle = along + rng.normal(0, 0.3) if kind == 3 else rng.uniform(0, np.pi)
        field.put(x, y, kind, sizes[kind], angle)
    return field.labels, field.kinds, lumen


def _gland_at(rng: Rng, field: _Placing, lumen: Image, size: float) -> None:
    """Put a ring of nuclei side by side around a lumen, which may be closed."""
    side = len(lumen)
    center = rng.uniform(0, side, 2)
    axes = rng.uniform(1.2, 5, 2) * size
    turn = rng.uniform(0, np.pi)
    n = int(2 * np.pi * axes.mean() / (size * rng.uniform(0.6, 1.0)))
    for t in np.linspace(0, 2 * np.pi, n, endpoint=False):
        t = t + rng.normal(0, 0.1)
        r = axes * (1 + rng.normal(0, 0.08))
        x, y = r[0] * np.cos(t), r[1] * np.sin(t)
        c, s = np.cos(turn), np.sin(turn)
        at = center + np.array([x * c - y * s, x * s + y * c])
        angle = np.arctan2(*(at - center)[::-1]) + rng.normal(0, 0.25)
        field.put(at[0], at[1], 2, size, angle)
    if rng.random() < 0.7:
        inner = np.maximum(axes - size * rng.uniform(0.8, 1.6), 0)
        place = tuple(np.rint(center * 16).astype(int).tolist())
        cv2.ellipse(
            lumen,
            place,
            tuple(np.rint(inner * 16).astype(int).tolist()),
            float(np.degrees(turn)),
            0,
            360,
            1.0,
            -1,
            cv2.LINE_AA,
            4,
        )


def made_chromatin(rng: Rng, labels: Labels, kinds: list[int]) -> tuple[Image, Image]:
    """Return the hematoxylin of made-up nuclei, dark ones and pale ones with rim and nucleoli.

    The second picture says how clear the inside of pale ones is, 0 … 1.
    """
    side = len(labels)
    n = len(kinds)
    kind = np.array(kinds)
    base = rng.lognormal(0, 0.2, n) * np.where(kind == 1, rng.uniform(0.9, 1.5), 1.0)
    pale = np.clip(rng.normal(rng.uniform(-0.1, 0.9), 0.15, n), 0, 0.92) * (kind != 1)
    rim = np.clip(rng.normal(0.2, 0.2, n), 0, 0.7)
    depth = depth_of(labels)
    inner = np.clip(depth / 3.0 - 0.4, 0, 1)
    amount = base[labels] * (1 - pale[labels] * inner + rim[labels] * np.exp(-depth / 1.2))
    clumps = noise(rng, side, rng.uniform(1.2, 3.0)) * rng.uniform(0.05, 0.3)
    amount *= np.clip(1 + clumps + 0.15 * noise(rng, side, 7), 0.15, None)
    nucleoli = (noise(rng, side, 2.5) > 1.9) & (inner > 0.5)
    amount += nucleoli * rng.uniform(0.2, 0.8)
    clear = np.clip(1.5 * pale[labels] * inner - 0.4, 0, 1)
    return (amount * (labels > 0)).astype(np.float32), clear.astype(np.float32)


def made_tissue(rng: Rng, labels: Labels, lumen: Image) -> tuple[Image, Image]:
    """Return hematoxylin and eosin of what lies between nuclei."""
    side = len(labels)
    angle = rng.uniform(0, 180)
    stretch = rng.choice([1.0, 2.0, 5.0])
    eosin = rng.uniform(0.15, 0.7) * np.ones((side, side), np.float32)
    for grain, most in ((90, 0.35), (25, 0.3), (8, 0.25), (3, 0.2)):
        layer = noise(rng, side, grain, stretch if grain < 50 else 1.0, angle)
        eosin *= np.clip(1 + rng.uniform(0, most) * layer, 0.1, None)
    haze = np.clip(noise(rng, side, rng.choice([6, 10, 30, 70])), 0, None)
    hematoxylin = rng.uniform(0, 0.12) + rng.choice([0, 0.05, 0.12, 0.25]) * haze
    hematoxylin = hematoxylin.astype(np.float32) * np.ones_like(eosin)
    around = cv2.GaussianBlur((labels > 0).astype(np.float32), (0, 0), rng.uniform(3, 9))
    ragged = np.clip(2 * around + 0.3 * noise(rng, side, 6), 0, 1)
    eosin *= 1 + rng.uniform(-0.5, 0.8) * ragged
    hematoxylin += rng.choice([0, 0.1, 0.3]) * rng.random() * ragged
    if rng.random() < 0.5:
        gaps = noise(rng, side, rng.choice([8, 25, 60]), stretch, angle) > rng.uniform(0.6, 1.8)
        lumen = np.maximum(lumen, gaps)
    if rng.random() < 0.1:
        lumen = np.maximum(lumen, rng.uniform(0.6, 1.0))
    if rng.random() < 0.25:
        lumen = np.maximum(lumen, _glass(rng, hematoxylin, eosin))
    keep = 1 - cv2.GaussianBlur(lumen.astype(np.float32), (0, 0), rng.uniform(0.5, 1.5))
    eosin, hematoxylin = eosin * keep, hematoxylin * keep
    if rng.random() < 0.5 and labels.any():
        _cells(rng, labels, hematoxylin, eosin)
    if rng.random() < 0.3:
        _red_cells(rng, labels, eosin)
    return hematoxylin, eosin


def _glass(rng: Rng, hematoxylin: Image, eosin: Image) -> Image:
    """Return where tissue ends, ragged; it is often darker along its edge."""
    side = len(eosin)
    height = noise(rng, side, rng.choice([40, 90])) + rng.uniform(0.05, 0.4) * noise(rng, side, 5)
    over = height - rng.uniform(-0.5, 1.2)
    rim = np.exp(-((over / rng.uniform(0.1, 0.4)) ** 2)) * rng.uniform(0, 1)
    hematoxylin += rng.choice([0, 0.2, 0.5]) * rim
    eosin *= 1 + rim
    return (over > 0).astype(np.float32)


def _cells(rng: Rng, labels: Labels, hematoxylin: Image, eosin: Image) -> None:
    """Give each nucleus a cytoplasm of its own shade, some with a cleft or a rim around."""
    outside = (labels == 0).astype(np.uint8)
    far, nearest = cv2.distanceTransformWithLabels(
        outside, cv2.DIST_L2, cv2.DIST_MASK_5, labelType=cv2.DIST_LABEL_PIXEL
    )
    owners = np.zeros(int(nearest.max()) + 1, np.int32)
    owners[nearest[outside == 0]] = labels[outside == 0]
    owner = owners[nearest]
    n = int(labels.max()) + 1
    reach = rng.uniform(4, 14) * rng.lognormal(0, 0.3, n)
    ragged = reach[owner] + 1.5 * noise(rng, len(labels), 5)
    inside = cv2.GaussianBlur((far < ragged).astype(np.float32), (0, 0), 0.7)
    shade = np.exp(rng.normal(0, rng.uniform(0.05, 0.4), n))[owner]
    eosin *= 1 + inside * (shade * rng.uniform(0.6, 1.6) - 1)
    hematoxylin += inside * rng.choice([0, 0.08, 0.25]) * shade * rng.random()
    border = np.zeros_like(eosin)
    border[:, 1:] = owner[:, 1:] != owner[:, :-1]
    border[1:] = np.maximum(border[1:], owner[1:] != owner[:-1])
    edge = (
        np.maximum(border, np.abs(far - ragged) < 0.7) * (labels == 0) * (far < 1.3 * reach.max())
    )
    edge = cv2.GaussianBlur(edge.astype(np.float32), (0, 0), rng.uniform(0.5, 1.2))
    change = np.exp(rng.choice([-1.5, -0.7, 0.0, 0.5]) * np.clip(edge, 0, 1))
    eosin *= change
    hematoxylin *= np.minimum(change, 1)


def _red_cells(rng: Rng, labels: Labels, eosin: Image) -> None:
    side = len(eosin)
    cells = np.zeros((side, side), np.float32)
    middle = rng.uniform(0, side, 2)
    spread = rng.uniform(15, 60)
    for _cell in range(rng.integers(5, 70)):
        x, y = np.rint((middle + rng.normal(0, spread, 2)) * 16).astype(int).tolist()
        size = tuple(np.rint(rng.uniform(5, 8, 2) * 16).astype(int).tolist())
        cv2.ellipse(cells, (x, y), size, rng.uniform(0, 180), 0, 360, 1.0, -1, cv2.LINE_AA, 4)
    free = cells * (labels == 0)
    np.maximum(eosin, free * rng.uniform(0.5, 1.3), out=eosin)


def rendered(rng: Rng, hematoxylin: Image, eosin: Image) -> Image:
    """Return RGB 0–255 of two amounts of stain in colours chosen at random."""
    vectors = stain_vectors(rng)
    density = hematoxylin[..., None] * vectors[0] + eosin[..., None] * vectors[1]
    tint = rng.uniform(0, 0.1, 3) * (rng.random() < 0.5)
    white = rng.uniform(225, 255)
    return white * np.exp(-np.clip(density + tint, 0, None)).astype(np.float32)


def made_scene(rng: Rng, side: int) -> tuple[Image, Labels]:
    """Return a made-up field and its nuclei."""
    labels, kinds, lumen = layout(rng, side)
    hematoxylin, eosin = made_tissue(rng, labels, lumen)
    nuclei, clear = made_chromatin(rng, labels, kinds)
    nuclei *= rng.uniform(0.3, 1.3)
    inside = cv2.GaussianBlur((labels > 0).astype(np.float32), (0, 0), rng.uniform(0.4, 0.8))
    soft = cv2.GaussianBlur(nuclei, (0, 0), rng.uniform(0.3, 0.8))
    left = rng.uniform(0.2, 1.0) * (1 - rng.uniform(0, 1) * clear)
    return rendered(rng, hematoxylin + soft, eosin * (1 - inside * (1 - left))), labels


def restained(rng: Rng, rgb: Image, labels: Labels) -> Image:
    """Return a real field whose nuclei keep their chromatin but lie in made-up H&E tissue."""
    density = -np.log((rgb + 1) / 256)
    red = density[..., 0]
    level = np.percentile(red[labels == 0], 50) if (labels == 0).any() else 0.0
    chromatin = np.clip(red - rng.uniform(0.6, 1.0) * level, 0, None)
    inside = cv2.GaussianBlur((labels > 0).astype(np.float32), (0, 0), rng.uniform(0.4, 0.8))
    typical = np.percentile(chromatin[labels > 0], 70) if (labels > 0).any() else 0.5
    gain = rng.uniform(0.4, 1.3) / max(typical, 0.1)
    outside = rng.choice([0.15, 0.5, 1.0])
    hematoxylin = gain * chromatin * (inside + (1 - inside) * outside)
    tissue_h, tissue_e = made_tissue(rng, labels, np.zeros_like(red))
    own = (
        np.clip(density[..., 1] - density[..., 1][labels == 0].mean(), -0.3, 0.5)
        if (labels == 0).any()
        else np.zeros_like(red)
    )
    left = rng.uniform(0.2, 1.0)
    tissue_e = np.clip(tissue_e + rng.uniform(0, 1) * own * (1 - inside), 0, None)
    return rendered(rng, hematoxylin + tissue_h, tissue_e * (1 - inside * (1 - left)))


def recoloured(rng: Rng, rgb: Image) -> Image:
    """Return a field whose channels absorb more or less than they did."""
    density = -np.log((np.clip(rgb, 0, 255) + 1) / 256)
    strength = rng.choice([0.15, 0.5, 0.9], p=[0.3, 0.4, 0.3])
    mix = np.diag(np.exp(rng.normal(0, strength, 3))) + rng.normal(0, 0.15 * strength, (3, 3))
    if rng.random() < 0.3:
        density = np.clip(density - rng.uniform(0, 1) * np.percentile(density, 10, (0, 1)), 0, None)
    changed = np.clip(density @ mix.astype(np.float32), 0, None) * np.exp(rng.normal(0, 0.25))
    return 255 * np.exp(-changed).astype(np.float32)


def spoiled(rng: Rng, rgb: Image) -> npt.NDArray[np.uint8]:
    """Return a field as scanners and files leave it: hue, contrast, blur, noise, JPEG."""
    if rng.random() < 0.5:
        grey = rgb.mean(axis=2, keepdims=True)
        rgb = grey + (rgb - grey) * rng.uniform(0.5, 1.5)
        rgb = rgb * rng.uniform(0.85, 1.1, 3).astype(np.float32) + rng.normal(0, 6)
    if rng.random() < 0.3:
        rgb = 255 * np.clip(rgb / 255, 0, 1) ** rng.uniform(0.7, 1.5)
    if rng.random() < 0.4:
        rgb = cv2.GaussianBlur(rgb, (0, 0), rng.uniform(0.3, 1.3))
    elif rng.random() < 0.25:
        rgb = rgb + rng.uniform(0.3, 1.5) * (rgb - cv2.GaussianBlur(rgb, (0, 0), 1.0))
    if rng.random() < 0.4:
        rgb = rgb + rng.normal(0, rng.uniform(1, 8), rgb.shape)
    pixels = np.clip(np.rint(rgb), 0, 255).astype(np.uint8)
    if rng.random() < 0.4:
        quality = [cv2.IMWRITE_JPEG_QUALITY, int(rng.integers(35, 95))]
        pixels = cv2.imdecode(cv2.imencode(".jpg", pixels, quality)[1], cv2.IMREAD_COLOR)
    return pixels


def crop(rng: Rng, tile: Tile, side: int) -> tuple[Image, Labels]:
    """Return a turned, scaled and bent piece of a tile; what is beyond its edge is mirrored."""
    scale = tile.mpp / MPP * np.exp(np.clip(rng.normal(-0.05, 0.35), -0.8, 0.7))
    rgb, labels = tile.rgb.astype(np.float32), tile.labels
    if scale < 1:  # smaller first, by averaging: warping would skip pixels
        rgb = cv2.GaussianBlur(rgb, (0, 0), 0.45 * (1 / scale - 0.4)) if scale < 0.8 else rgb
    height, width = labels.shape
    ratio = np.exp(rng.normal(0, 0.08))
    angle = rng.uniform(0, 2 * np.pi)
    c, s = np.cos(angle), np.sin(angle)
    inverse = np.array([[c, -s], [s, c]]) @ np.diag([ratio / scale, 1 / ratio / scale])
    if rng.random() < 0.5:
        inverse[:, 0] *= -1
    reach = np.array([width, height]) / 2
    room = np.clip(reach - side / 2 / scale, 0, None)
    center = reach + rng.uniform(-1, 1, 2) * room
    y, x = np.mgrid[:side, :side].astype(np.float32) - side / 2
    bend = rng.uniform(0, 1.5)
    x = x + bend * noise(rng, side, 20)
    y = y + bend * noise(rng, side, 20)
    map_x = (inverse[0, 0] * x + inverse[0, 1] * y + center[0]).astype(np.float32)
    map_y = (inverse[1, 0] * x + inverse[1, 1] * y + center[1]).astype(np.float32)
    rgb = cv2.remap(rgb, map_x, map_y, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT)
    mapped = cv2.remap(
        labels.astype(np.float32), map_x, map_y, cv2.INTER_NEAREST, borderMode=cv2.BORDER_REFLECT
    )
    return rgb, mapped.astype(np.int32)


def sample(
    rng: Rng, tiles: list[Tile], side: int, made: float = 0.35
) -> tuple[npt.NDArray[np.uint8], Labels]:
    """Return one picture to learn from, (side, side, 3) RGB, with its nuclei."""
    if rng.random() < made:
        rgb, labels = made_scene(rng, side)
    else:
        rgb, labels = crop(rng, tiles[rng.integers(len(tiles))], side)
        way = rng.random()
        if way < 0.55:
            rgb = restained(rng, rgb, labels)
        elif way < 0.92:
            rgb = recoloured(rng, rgb)
    return spoiled(rng, rgb), labels
