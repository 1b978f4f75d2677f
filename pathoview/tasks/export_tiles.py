"""Cut slides into pictures and masks to train on, with a table that says where each is from."""

from __future__ import annotations

import csv
import io
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import orjson
from pydantic import BaseModel, ConfigDict

from pathoview import __version__
from pathoview.core.errors import InputError, UsageError
from pathoview.core.files import replacing, storage_error
from pathoview.core.geometry import Rect
from pathoview.core.progress import Progress
from pathoview.core.statement import RESEARCH_USE
from pathoview.core.translation import _, ngettext
from pathoview.datasets.feature_labels import RULES, FeatureLabels
from pathoview.datasets.labels import BACKGROUND, UNKNOWN
from pathoview.datasets.patches import leave_out_beyond
from pathoview.datasets.splits import parse_split, split_groups
from pathoview.slides.rgb import rgb_rule
from pathoview.slides.slide import Slide
from pathoview.study.labelled_slides import patient_of
from pathoview.study.model import Block, LabelClass, SlideRecord
from pathoview.study.records import now
from pathoview.study.study import private_path
from pathoview.study.study_file import StudyFile
from pathoview.study.tile_params import TileParams
from pathoview.tasks.opening import open_scaled
from pathoview.tasks.tile_cutting import tile_picture, tile_places

_MOST_CLASSES = 254


class TilesRequest(BaseModel):
    """Which slides to cut, by whose labels, and where the tiles go."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slides: list[str]
    output: str
    """A folder that is empty or does not exist."""
    study: str = ""
    """Empty: the private study of each slide."""
    mpp: float | None = None
    params: dict[str, Any] = {}
    """See `TileParams`."""
    classes: list[str] | None = None
    """Names of the classes to learn; None: all."""


def run(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Write the tiles; see `TilesRequest`. When it fails or is stopped nothing of them is left.

    Raises `UsageError` for a folder with something in it and for classes that the study has not,
    `InputError` when no slide has labels, `MissingScaleError` for a slide without a scale,
    `StorageError` when the disk refuses, `Cancelled` when asked to stop.
    """
    order = TilesRequest.model_validate(request)
    params = TileParams.parse(order.params)
    parse_split(params.split)
    folder = Path(order.output)
    was_there = folder.exists()
    _make_empty(folder)
    try:
        return _Tiles(order, params, folder, progress).run()
    except BaseException:
        for name in ("images", "masks"):
            shutil.rmtree(folder / name, ignore_errors=True)
        for name in ("tiles.csv", "classes.json", "README.txt"):
            (folder / name).unlink(missing_ok=True)
        if not was_there:
            folder.rmdir()
        raise


def _make_empty(folder: Path) -> None:
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(
            _("“{name}” is not an empty folder.").format(name=folder.name),
            _("Name a new one: tiles of two exports must not be mixed."),
        )
    try:
        (folder / "images").mkdir(parents=True)
        (folder / "masks").mkdir()
    except OSError as error:
        raise storage_error(folder, error) from error


@dataclass(frozen=True, slots=True)
class _Tile:
    slide: str
    x_l0: int
    y_l0: int
    size_l0: float
    um_per_px: float
    counts: Mapping[int, int]
    """Pixels by what the mask says."""

    @property
    def name(self) -> str:
        return f"{self.slide}_x{self.x_l0}_y{self.y_l0}.png"


class _Tiles:
    """One export while it goes on."""

    def __init__(
        self, order: TilesRequest, params: TileParams, folder: Path, progress: Progress
    ) -> None:
        self._order = order
        self._params = params
        self._folder = folder
        self._progress = progress
        self._classes: dict[int, LabelClass] = {}
        self._tiles: list[_Tile] = []
        self._warnings: list[str] = []

    def run(self) -> dict[str, Any]:
        groups: dict[str, str] = {}
        for number, path in enumerate(self._order.slides):
            with open_scaled(Path(path), self._order.mpp) as slide:
                if slide.pseudonym not in groups:  # the same slide may be named twice
                    groups[slide.pseudonym] = self._cut(slide, number)
        if not self._tiles:
            raise InputError(
                _("No tile has labels enough."),
                _("Draw regions, strokes or points with a class, or ask for less labelled tiles."),
            )
        used = {tile.slide for tile in self._tiles}
        splits = self._split({slide: group for slide, group in groups.items() if slide in used})
        self._write_table(splits)
        self._write_classes()
        self._write_readme()
        return {
            "output": str(self._folder),
            "n_tiles": len(self._tiles),
            "n_slides": len(used),
            "warnings": self._warnings,
        }

    def _cut(self, slide: Slide, number: int) -> str:
        """Write the tiles of a slide; return its group."""
        slide_mpp = slide.mpp  # raises when it is not known
        path = Path(self._order.study) if self._order.study else private_path(slide.content_hash)
        if not path.exists() and not self._order.study:
            self._warnings.append(_("{slide} has no labels.").format(slide=slide.pseudonym))
            return slide.content_hash
        with StudyFile.open(path) as study:
            features = study.features(slide.content_hash)
            classes = study.classes()
            group = slide_group(study, slide.content_hash) if self._params.by == "patient" else ""
        self._take_classes(classes)
        params = self._params
        wanted = self._order.classes
        labels = FeatureLabels(
            features,
            classes,
            {one.name: one.number for one in classes if wanted is None or one.name in wanted},
            mpp=slide_mpp,
            stroke_um=params.scribble_um,
            point_um=params.point_um,
        )
        self._cut_tiles(slide, labels, number)
        return group or slide.content_hash

    def _take_classes(self, classes: Sequence[LabelClass]) -> None:
        names = {one.name for one in classes}
        unknown = [name for name in self._order.classes or () if name not in names]
        if unknown:
            raise UsageError(
                _("The study has no class “{name}”.").format(name=unknown[0]),
                _("Known are: {names}.").format(names=", ".join(sorted(names))),
            )
        if any(one.number > _MOST_CLASSES for one in classes):
            raise UsageError(_("A mask holds 254 classes, and the study has more."))
        for one in classes:
            known = self._classes.setdefault(one.number, one)
            if known.name != one.name:
                raise UsageError(
                    _("Class {number} is “{one}” for one slide and “{other}” for another.").format(
                        number=one.number, one=known.name, other=one.name
                    ),
                    _("Put the slides into one study first."),
                )

    def _cut_tiles(self, slide: Slide, labels: FeatureLabels, number: int) -> None:
        params = self._params
        size_l0 = params.tile_px * params.um_per_px / slide.mpp
        places = tile_places(labels.extents_l0(), size_l0, params.overlap, slide)
        rule = rgb_rule(slide)
        n_before = len(self._tiles)
        for place, (x_l0, y_l0) in enumerate(places):
            self._progress.check()
            n = len(self._tiles)
            text = ngettext("{n} tile written", "{n} tiles written", n).format(n=n)
            share = (number + place / len(places)) / len(self._order.slides)
            self._progress.report(share, text, tiles=n)
            rect_l0 = Rect(x_l0, y_l0, size_l0, size_l0)
            mask = labels.mask(rect_l0, params.tile_px, params.tile_px)
            leave_out_beyond(mask, slide, rect_l0)
            if not (known := np.count_nonzero(mask != UNKNOWN)):
                continue
            if known / mask.size >= params.min_labelled:
                picture = tile_picture(slide, rule, x_l0, y_l0, size_l0, params.tile_px)
                self._keep(slide, x_l0, y_l0, size_l0, picture, mask)
        if len(self._tiles) == n_before:
            text = _("{slide} gave no tiles: too little is labelled.")
            self._warnings.append(text.format(slide=slide.pseudonym))

    def _keep(
        self,
        slide: Slide,
        x_l0: int,
        y_l0: int,
        size_l0: float,
        picture: npt.NDArray[np.uint8],
        mask: npt.NDArray[np.uint8],
    ) -> None:
        values, counts = np.unique(mask, return_counts=True)
        said = dict(zip(values.tolist(), counts.tolist(), strict=True))
        um_per_px = self._params.um_per_px
        tile = _Tile(slide.pseudonym, x_l0, y_l0, size_l0, um_per_px, said)
        bgr = np.asarray(cv2.cvtColor(picture, cv2.COLOR_RGB2BGR), np.uint8)
        _write_png(self._folder / "images" / tile.name, bgr)
        _write_png(self._folder / "masks" / tile.name, mask)
        self._tiles.append(tile)

    def _split(self, groups: Mapping[str, str]) -> Mapping[str, str]:
        """Return the split of each slide by its pseudonym."""
        shares = parse_split(self._params.split)
        by_group = split_groups(groups.values(), shares, self._params.seed)
        wanted = {name for name, share in shares.items() if share > 0}
        empty = sorted(wanted - set(by_group.values()))
        if empty:
            text = _("There are too few patients or slides: nothing is in {names}.")
            self._warnings.append(text.format(names=", ".join(empty)))
        return {slide: by_group[group] for slide, group in groups.items()}

    # -- what is written beside the tiles --------------------------------------------------------

    @property
    def _learned(self) -> list[LabelClass]:
        wanted = self._order.classes
        return [
            one
            for number, one in sorted(self._classes.items())
            if one.meaning in ("positive", "negative") and (wanted is None or one.name in wanted)
        ]

    def _write_table(self, splits: Mapping[str, str]) -> None:
        text = io.StringIO()
        table = csv.writer(text, lineterminator="\n")
        classes = self._learned
        values = [BACKGROUND, *(one.number for one in classes), UNKNOWN]
        names = ["background", *(one.name for one in classes), "unknown"]
        columns = ("image", "mask", "slide", "x_l0", "y_l0", "size_l0", "um_per_px", "split")
        table.writerow([*columns, *(f"px {name}" for name in names)])
        for tile in self._tiles:
            place = (tile.x_l0, tile.y_l0, f"{tile.size_l0:.6g}", f"{tile.um_per_px:g}")
            counts = (tile.counts.get(value, 0) for value in values)
            files = (f"images/{tile.name}", f"masks/{tile.name}")
            table.writerow([*files, tile.slide, *place, splits[tile.slide], *counts])
        self._write("tiles.csv", text.getvalue().encode())

    def _write_classes(self) -> None:
        said = [
            {
                "number": one.number,
                "name": one.name,
                "color": list(one.color),
                "meaning": one.meaning,
            }
            for one in self._learned
        ]
        fixed = [
            {"number": BACKGROUND, "name": "background", "color": [0, 0, 0], "meaning": "negative"},
            {"number": UNKNOWN, "name": "unknown", "color": [255, 255, 255], "meaning": "ignore"},
        ]
        self._write("classes.json", orjson.dumps([*fixed, *said], option=orjson.OPT_INDENT_2))

    def _write_readme(self) -> None:
        params = self._params.model_dump(mode="json")
        lines = [
            "Tiles to train on: images/NAME.png belongs to masks/NAME.png; see tiles.csv.",
            "",
            RULES,
            f"written: {now()} by PathoView {__version__}",
            f"classes: {', '.join(one.name for one in self._learned)}",
            *(f"{name}: {value}" for name, value in params.items()),
            f"libraries: numpy {np.__version__}, OpenCV {cv2.__version__}",
            "",
            RESEARCH_USE,
        ]
        self._write("README.txt", ("\n".join(lines) + "\n").encode())

    def _write(self, name: str, data: bytes) -> None:
        with replacing(self._folder / name) as file:
            file.write(data)


def slide_group(study: StudyFile, slide_hash: str) -> str:
    """Return what names the patient of a slide: an id, or the case; empty: nobody says."""
    record = study.record(SlideRecord, slide_hash)
    if record is None:
        return ""
    return patient_of(record, study.record(Block, record.block_id) if record.block_id else None)


def _write_png(path: Path, pixels: npt.NDArray[np.uint8]) -> None:
    _ok, data = cv2.imencode(".png", pixels)
    try:
        path.write_bytes(data.tobytes())
    except OSError as error:
        raise storage_error(path, error) from error
