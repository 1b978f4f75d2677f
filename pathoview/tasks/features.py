"""Slide → tiles of tissue → what an encoder sees in them, kept on disk for all who learn from it.

One file a slide, encoder, scale and normalisation (`study.feature_file`): asked for again, it is
there at once, and an extraction that was stopped, in whatever way, goes on where it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, get_args

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from pathoview.core.errors import InputError, UsageError
from pathoview.core.params import BaseParams, param
from pathoview.core.progress import Progress
from pathoview.core.translation import _
from pathoview.datasets.bags import LEAST_TISSUE, EncoderUsed, Features, TileGrid
from pathoview.methods.engine.device import choose_device
from pathoview.methods.engine.encoder_list import DEFAULT_ENCODER
from pathoview.methods.hand_features import N_HAND_FEATURES
from pathoview.methods.spec import Compute
from pathoview.slides.slide import PLAUSIBLE_MPP, Slide
from pathoview.slides.stain_normalisation import StainNormaliser
from pathoview.study.feature_file import FeatureFile, FeatureRecord, feature_path
from pathoview.tasks.feature_extraction import Extraction
from pathoview.tasks.feature_tiles import TileSupply
from pathoview.tasks.opening import open_scaled
from pathoview.tasks.provenance import versions
from pathoview.tasks.tile_layouts import tiles_of

if TYPE_CHECKING:
    from pathoview.methods.engine.tile_encoder import TileEncoder

ExactNumerics = Literal["float32", "compile", "onnx"]
"""Numeric paths that give the same numbers; others are off by more than a model may notice."""

_MOST_MAGNIFICATIONS = 4
WHOLE_TILE_PX = 224
"""Side of the patches of a whole picture."""

Scale = Annotated[float, Field(ge=PLAUSIBLE_MPP[0], le=PLAUSIBLE_MPP[1])]


class FeatureOrder(BaseParams):
    """By what tiles are described, and which."""

    encoder: str = param(DEFAULT_ENCODER, _("Encoder"), _("The network that describes a tile."))
    source: str = param(
        "",
        _("Weights"),
        _("A file, “random” or “hub”; empty: those that came with the program, else random."),
    )
    mpp: tuple[Scale, ...] = param(
        (0.5,),
        _("Magnifications"),
        _("µm per px of each; the first sets the grid of tiles. None: frames, or whole pictures."),
        unit="µm",
        max_length=_MOST_MAGNIFICATIONS,
    )
    tile_px: int = param(
        224, _("Side of a tile"), _("At each of the magnifications."), unit="px", ge=16, le=2048
    )
    normalisation: Literal["none", "macenko", "reinhard", "vahadane"] = param(
        "none", _("Colours"), _("Bring all slides to the same colours first.")
    )
    least_tissue: float = param(
        LEAST_TISSUE, _("Least tissue"), _("Share of a tile that counts."), ge=0, le=1
    )
    every: int = param(
        1, _("Every"), _("Of a clip, one frame in so many is described."), ge=1, le=100_000
    )
    overlap: float = param(
        0.0, _("Overlap"), _("Share of a tile's side that the next one sees too."), ge=0, le=0.75
    )
    of_whole: bool = param(
        False, _("Whole pictures"), _("Patches spread over each picture, whatever its scale.")
    )
    numerics: ExactNumerics = param(
        "float32", _("Numbers"), _("How the network is computed; the result is the same.")
    )

    @classmethod
    def of(cls, used: EncoderUsed, numerics: str = "float32") -> Self:
        """Return the order that gives what was used before; raise `UsageError`.

        A numeric path that is not exact gives way to ``float32``.
        """
        return cls.parse(
            {
                "encoder": used.name,
                "source": used.source,
                "mpp": used.mpp,
                "tile_px": used.tile_px,
                "normalisation": used.normalisation,
                "least_tissue": used.least_tissue,
                "every": used.every,
                "overlap": used.overlap,
                "of_whole": used.of_whole,
                "numerics": exact(numerics),
            }
        )

    def whole(self) -> Self:
        """Return the order of patches of whole pictures by the same encoder."""
        said = {"of_whole": True, "mpp": (), "tile_px": WHOLE_TILE_PX, "overlap": 0.0}
        return self.model_copy(update=said)


class FeatureRequest(BaseModel):
    """Of which slide features are wanted."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slide: str
    mpp: float | None = None
    """µm per level-0 px, where the person knows better than the file."""
    order: dict[str, Any] = {}
    """See `FeatureOrder`."""
    restart: bool = False
    """Forget what was computed earlier."""


def exact(numerics: str) -> str:
    """Return a numeric path that features may be computed by, the wanted one if it is exact."""
    return numerics if numerics in get_args(ExactNumerics) else "float32"


def run(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Compute what is missing of a slide's features; see `FeatureRequest` and `extract`."""
    wanted = FeatureRequest.model_validate(request)
    order = FeatureOrder.parse(wanted.order)
    progress.report(0.0, _("Opening the slide"))
    with open_scaled(Path(wanted.slide), wanted.mpp) as slide:
        path, mp_per_s = _extracted(slide, order, progress, restart=wanted.restart)
    with FeatureFile.open(path) as file:
        record, n_tiles = file.record, file.n_tiles()
    return {
        "path": str(path),
        "n_tiles": n_tiles,
        "n_features": record.n_features,
        "cell_l0": list(record.cell_l0),
        "mpp": list(record.true_mpp),
        "licence": record.licence,
        "megapixels": n_tiles * record.tile_px**2 / 1e6,
        "mp_per_s": mp_per_s,
        "bytes": path.stat().st_size,
    }


def extract(
    slide: Slide,
    order: FeatureOrder,
    progress: Progress,
    *,
    weights: str = "",
) -> Path:
    """Compute what is missing of a slide's features, and return the finished file's path.

    ``weights``: the hash that the encoder's weights must have; empty: any. A slide without tissue
    gives a finished file without tiles.

    Raises `MissingScaleError` without a scale; `UsageError` for an unknown encoder, tiles that it
    cannot describe, or stains that cannot be normalised; `InputError` when its weights cannot be
    had or are others; `SlideError`, `StorageError`; `Cancelled` when asked to stop. Finished blocks
    are kept whatever happens.
    """
    return _extracted(slide, order, progress, weights=weights)[0]


def _extracted(
    slide: Slide,
    order: FeatureOrder,
    progress: Progress,
    *,
    weights: str = "",
    restart: bool = False,
) -> tuple[Path, float | None]:
    """Return the finished file, and how many megapixels a second it took; None: it was there."""
    encoder = _encoder(order)
    if weights and encoder.weights != weights:
        raise InputError(
            _("These tiles were described by other weights of {name}.").format(name=order.encoder),
            _("Choose the file of weights that was used, or train the model again."),
        )
    used = _used(encoder, order)
    tiles = tiles_of(slide, order)
    record = _record(slide, order, used, tiles)
    path = feature_path(record)
    if restart:
        _forget(path)
    if path.exists():
        with FeatureFile.open(path) as file:
            if file.record.finished:
                return path, None
    else:
        progress.report(0.0, _("Measuring the slide"))
        FeatureFile.create(path, _measured(record, slide, order)).close()
    with FeatureFile.open(path, writable=True) as file:
        extraction = Extraction(tiles, encoder, file, progress)
        extraction.run()
    return path, extraction.mp_per_s


def bag_of(file: Path | FeatureFile) -> tuple[Features, TileGrid, EncoderUsed]:
    """Return the features, (tile, feature), of a file, where the tiles lie, and what made them."""
    kept, grid, used = kept_bag(file)
    return kept.astype(np.float32), grid, used


def kept_bag(
    file: Path | FeatureFile,
) -> tuple[npt.NDArray[np.float16], TileGrid, EncoderUsed]:
    """Return what `bag_of` does, with features as they are kept: in half the memory."""
    if isinstance(file, Path):
        with FeatureFile.open(file) as opened:
            return kept_bag(opened)
    record = file.record
    columns, rows, _tissue, kept = file.read_kept()
    names = {one.name for one in fields(EncoderUsed)} - {"name"}
    used = EncoderUsed(record.encoder, **{name: getattr(record, name) for name in names})
    return kept, TileGrid(columns, rows, record.cell_l0), used


def _encoder(order: FeatureOrder) -> TileEncoder:
    file = Path(order.source)
    stamp = file.stat().st_mtime_ns if order.source and file.is_file() else 0
    return _built(order.encoder, order.source, stamp, Compute(choose_device().name, order.numerics))


@lru_cache(maxsize=1)
def _built(name: str, source: str, stamp: int, compute: Compute) -> TileEncoder:
    """Return an encoder, the same for slide after slide while its file stays as it is."""
    from pathoview.methods.engine.tile_encoder import TileEncoder

    return TileEncoder(name, source, compute)


def _used(encoder: TileEncoder, order: FeatureOrder) -> EncoderUsed:
    """Return the record of how tiles, or the frames of a clip, are described."""
    if order.mpp:
        used = encoder.used(order.mpp, order.tile_px, order.normalisation, order.least_tissue)
        return replace(used, overlap=order.overlap)
    if order.normalisation != "none":
        raise UsageError(
            _("Stains of clips and of whole pictures are not normalised."),
            _("Leave the colours as they are."),
        )
    used = encoder.used((0.0,), order.tile_px, "none", order.least_tissue)
    if not order.of_whole:
        return replace(used, mpp=(), every=order.every)
    n_features = used.n_features + N_HAND_FEATURES
    return replace(used, mpp=(), of_whole=True, n_features=n_features, n_hand=N_HAND_FEATURES)


def _record(
    slide: Slide, order: FeatureOrder, used: EncoderUsed, tiles: TileSupply
) -> FeatureRecord:
    said = asdict(used)
    return FeatureRecord(
        slide_hash=slide.content_hash,
        pseudonym=slide.pseudonym,
        encoder=said.pop("name"),
        **said,
        true_mpp=tiles.true_mpp,
        side_l0=tiles.cell_l0.width,
        height_l0=tiles.cell_l0.height,
        n_columns=tiles.n_columns,
        n_rows=tiles.n_rows,
        slide_mpp=slide.info.mpp if order.mpp else None,
        device=choose_device().name,
        numerics=order.numerics,
    )


def _measured(record: FeatureRecord, slide: Slide, order: FeatureOrder) -> FeatureRecord:
    """Return the record with what is measured once on the slide."""
    said: dict[str, Any] = {"versions": versions(with_torch=True)}
    if order.normalisation != "none":
        said["stains"] = StainNormaliser.fit(slide, order.normalisation).to_json()
    return record.model_copy(update=said)


def _forget(path: Path) -> None:
    for ending in ("", "-wal", "-shm"):
        path.with_name(path.name + ending).unlink(missing_ok=True)
