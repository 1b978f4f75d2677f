"""Make a model at home with other slides: their stain, their scanner, without a label.

Only models whose own network describes tiles can be. What they are worth then, nobody has measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from pathoview.core.errors import UsageError
from pathoview.core.progress import Progress
from pathoview.core.translation import _
from pathoview.datasets.bags import EncoderUsed
from pathoview.methods.fitting import fitted_of
from pathoview.methods.library import find_model, new_model_path
from pathoview.methods.model import Model, Parent, read_model, write_model
from pathoview.slides.slide import Slide
from pathoview.slides.stain_normalisation import StainNormaliser
from pathoview.study.records import now
from pathoview.tasks.analyze_bag import encoder_of
from pathoview.tasks.feature_tiles import Block, FeatureTiles
from pathoview.tasks.method_building import build_method
from pathoview.tasks.opening import open_scaled
from pathoview.tasks.provenance import device_name

Rgb = npt.NDArray[np.uint8]


class AdaptRequest(BaseModel):
    """Which model, and to which slides."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    slides: list[str] = Field(min_length=1)
    mpp: float | None = None
    """µm per level-0 px of slides that state none."""
    n_tiles: int = Field(default=500, ge=2, le=100_000)
    """Of all slides together."""
    seed: int = 0
    title: str = ""
    output: str = ""
    """A model file; empty: into the library."""


def run(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Write a model whose statistics are those of some tiles of slides; see `AdaptRequest`.

    Raises `UsageError` for a model without a network of tiles, or without enough tissue;
    `InputError`, `SlideError`, `MissingScaleError`, `StorageError`, `Cancelled`.
    """
    from pathoview.methods.engine.tile_adaptation import adapted

    order = AdaptRequest.model_validate(request)
    built = build_method(None, {}, order.model)
    used = encoder_of(built)
    if not built.spec.sees_pixels:
        raise UsageError(
            _("“{title}” describes tiles by a network that it did not learn.").format(
                title=built.card.title if built.card else built.spec.title
            ),
            _("Only models that were taught end to end can be adapted."),
        )
    tiles = _tiles(order, used, progress)
    before = read_model(find_model(order.model))
    fitted = adapted(fitted_of(before), tiles, device_name(built.spec))
    after = _card(before, dict(fitted.settings), order, len(tiles))
    path = Path(order.output) if order.output else new_model_path(after.title)
    write_model(path, Model(after, fitted.tensors))
    progress.report(1.0, _("Done"))
    return {
        "model": str(path),
        "title": after.title,
        "n_tiles": len(tiles),
        "summary": _("{title}: adapted to {n} tiles; nothing was measured since.").format(
            title=after.title, n=len(tiles)
        ),
    }


def _card(before: Model, settings: dict[str, Any], order: AdaptRequest, n: int) -> Any:
    """Return the card of what was adapted: the scores are not its own, so it has none."""
    card = before.card
    notes = _("Adapted to {n} tiles of {slides} slides; nothing was measured since.").format(
        n=n, slides=len(order.slides)
    )
    said: dict[str, Any] = {
        "id": uuid4().hex,
        "title": order.title or _("{title}, adapted").format(title=card.title),
        "settings": settings,
        "metrics": {},
        "intervals": {},
        "held_out": (),
        "parents": (*card.parents, Parent(name=card.title, licence=card.licence, id=card.id)),
        "notes": f"{card.notes} {notes}".strip(),
        "created": now(),
    }
    return card.model_copy(update=said)


def _tiles(order: AdaptRequest, used: EncoderUsed, progress: Progress) -> Rgb:
    """Return tiles drawn at random, about as many of each slide."""
    n_each = -(-order.n_tiles // len(order.slides))
    found = []
    for number, path in enumerate(order.slides):
        progress.check()
        progress.report(number / len(order.slides), _("Reading tiles"))
        with open_scaled(Path(path), order.mpp) as slide:
            found.append(_some(slide, used, n_each, order.seed + number))
    return np.concatenate(found)[: order.n_tiles]


def _some(slide: Slide, used: EncoderUsed, n: int, seed: int) -> Rgb:
    tiles = FeatureTiles(slide, used.mpp, used.tile_px, used.least_tissue)
    normaliser = None
    if used.normalisation != "none":
        normaliser = StainNormaliser.fit(slide, used.normalisation)  # type: ignore[arg-type]
    places = np.argwhere(tiles.shares)
    drawn = np.random.default_rng(seed).permutation(places)[:n]
    one_by_one = [
        tiles.read(Block(column[None], row[None], np.ones(1, np.float32)), normaliser)[0]
        for row, column in drawn
    ]
    return np.concatenate([np.empty((0, used.tile_px, used.tile_px, 3), np.uint8), *one_by_one])
