"""Where the leak audit gets its items: a study, a folder of exported tiles, folders of pictures."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from pathoview.core.errors import InputError, UsageError
from pathoview.core.privacy import hide
from pathoview.core.translation import _, ngettext
from pathoview.datasets.leak_items import LeakItem, Picture
from pathoview.datasets.splits import parse_split, split_groups
from pathoview.slides.finding import slide_files
from pathoview.slides.rgb import rgb_rule
from pathoview.study.leak_params import LeakParams
from pathoview.study.metadata_csv import read_table
from pathoview.study.model import SlideRecord
from pathoview.study.study_file import StudyFile
from pathoview.tasks.export_tiles import slide_group
from pathoview.tasks.opening import open_scaled
from pathoview.tasks.overview import thumbnail_picture

_WHOLE_PX = 16_000_000
"""Larger pictures are compared by a small one."""
_SMALL_PX = 1024
_SCANNER_TAGS = ("aperio.ScanScope ID", "hamamatsu.Product", "tiff.Model", "tiff.Software")


@dataclass(frozen=True, slots=True)
class Source:
    """Items to be audited, and what should be known of how they came."""

    items: Sequence[LeakItem]
    warnings: Sequence[str] = ()


class Said:
    """A table of what is said of pictures: a column ``image`` or ``slide``, and others."""

    def __init__(self, path: Path | None) -> None:
        self._rows: dict[str, Mapping[str, str]] = {}
        self._used: set[str] = set()
        if path is None:
            return
        table = read_table(path)
        key = next((one for one in table.columns if one.lower() in ("image", "slide")), None)
        if key is None:
            raise InputError(
                _("“{name}” has no column “image” or “slide”.").format(name=path.name),
                _("Others that are understood: patient, block, site, date, label."),
            )
        for row in table.rows:
            self._rows[row[key]] = {name.lower(): value for name, value in row.items() if value}

    def told(self, item: LeakItem, *names: str) -> LeakItem:
        """Return an item with what the table says of the first of some names that it has."""
        name = next((name for name in names if name in self._rows), None)
        if name is None:
            return item
        self._used.add(name)
        row = self._rows[name]
        return replace(
            item,
            patient=row.get("patient", item.patient),
            slide=row.get("slide", item.slide),
            block=row.get("block", item.block),
            site=row.get("site", item.site),
            date=row.get("date", item.date),
            label=row.get("label", item.label),
        )

    def warnings(self) -> list[str]:
        n = len(self._rows) - len(self._used)
        text = ngettext(
            "{n} row of the table fits no picture.", "{n} rows of the table fit no picture.", n
        )
        return [text.format(n=n)] if n else []


# -- the three kinds of sources ----------------------------------------------------------------


def from_study(path: Path, params: LeakParams) -> Source:
    """Return the slides of a study, shared out as an export of tiles does it."""
    with StudyFile.open(path) as study:
        records = study.records(SlideRecord)
        groups = {one.slide_hash: slide_group(study, one.slide_hash) for one in records}
    patients = dict(groups)
    if params.by == "slide":
        groups = {}
    splits = _shared_out([groups.get(one.slide_hash) or one.slide_hash for one in records], params)
    items = [
        LeakItem(
            name=Path(one.path).name if params.names else f"slide-{one.slide_hash[:8]}",
            split=splits[groups.get(one.slide_hash) or one.slide_hash],
            load=partial(load_picture, Path(one.path)),
            patient=patients[one.slide_hash].removeprefix("patient "),
            slide=one.slide_hash,
            block=one.block_id,
            site=one.site_id,
            label=_label_of(one),
            tokens=words(Path(one.path).stem),
            metadata={"stain": one.stain, **one.metadata},
        )
        for one in records
    ]
    return Source(_named(items, params))


def from_tiles(folder: Path, params: LeakParams, said: Said) -> Source:
    """Return the tiles of a folder that ``pathoview export-tiles`` has written."""
    table = read_table(folder / "tiles.csv")
    missing = {"image", "slide", "split"} - set(table.columns)
    if missing:
        raise InputError(
            _("“{name}” is no table of tiles.").format(name="tiles.csv"),
            _("Name a folder that “pathoview export-tiles” has written."),
        )
    slides = [row["slide"] for row in table.rows]
    is_split = any(row.get("split") for row in table.rows)
    splits = {} if is_split else _shared_out(slides, params)
    items = []
    for row in table.rows:
        item = LeakItem(
            name=Path(row["image"]).stem,
            split=row["split"] if is_split else splits[row["slide"]],
            load=partial(load_picture, folder / row["image"]),
            slide=row["slide"],
            label=_label_of_tile(row),
        )
        name = Path(row["image"])
        items.append(said.told(item, row["image"], name.name, name.stem, row["slide"]))
    return Source(_named(items, params), said.warnings())


def from_folders(folders: Mapping[str, Path], params: LeakParams, said: Said) -> Source:
    """Return the pictures of folders by split; a folder in them is their label.

    Names of the files can tell of patients: a picture is called by its split and its number in the
    order of the names.
    """
    items = []
    for split, folder in folders.items():
        if not folder.is_dir():
            raise InputError(_("There is no folder “{name}”.").format(name=folder.name))
        for number, path in enumerate(sorted(slide_files([folder])), start=1):
            hide(path)
            inside = path.relative_to(folder)
            item = LeakItem(
                name=inside.as_posix() if params.names else f"{split}-{number:04}",
                split=split,
                load=partial(load_picture, path),
                label=inside.parts[0] if len(inside.parts) > 1 else "",
                tokens=words(path.stem),
                metadata={"file type": path.suffix.lower()},
            )
            items.append(said.told(item, inside.as_posix(), path.name, path.stem))
    if not items:
        raise InputError(_("There are no pictures in these folders."))
    return Source(_named(items, params), said.warnings())


def words(stem: str) -> frozenset[str]:
    """Return the words of a file's name, in small letters; numbers and letters are parted."""
    return frozenset(re.findall(r"[^\W\d_]+|\d+", stem.lower()))


def _shared_out(groups: Sequence[str], params: LeakParams) -> Mapping[str, str]:
    shares = parse_split(params.split)
    if len([share for share in shares.values() if share > 0]) < 2:
        raise UsageError(
            _("There is only one split: nothing can leak."),
            _("Say how to share out: --split train=0.8,val=0.2"),
        )
    return split_groups(groups, shares, params.seed)


def _named(items: Sequence[LeakItem], params: LeakParams) -> list[LeakItem]:
    """Call patients, slides and blocks by numbers, unless somebody asked for names."""
    if params.names:
        return list(items)
    patients = _numbered(_("patient {n}"), (item.patient for item in items))
    blocks = _numbered(_("block {n}"), (item.block for item in items))
    slides = _numbered(_("slide {n}"), (item.slide for item in items))
    return [
        replace(
            item,
            patient=patients[item.patient],
            block=blocks[item.block],
            slide=slides[item.slide],
        )
        for item in items
    ]


def _numbered(pattern: str, names: Iterable[str]) -> Mapping[str, str]:
    ordered = sorted(set(names) - {""})
    return {"": ""} | {name: pattern.format(n=n) for n, name in enumerate(ordered, start=1)}


def _label_of(record: SlideRecord) -> str:
    """Return the class or grade of a slide; empty: it has none."""
    for one in record.labels:
        if one.label_kind == "class":
            return one.name
        if one.label_kind == "grade" and one.value is not None:
            return f"{one.name} {one.value:g}"
    return ""


def _label_of_tile(row: Mapping[str, str]) -> str:
    """Return the class that most pixels of a tile have; empty: nothing is known of them."""
    counts = dict(_counts(row))
    classes = {name: n for name, n in counts.items() if name != "background"} or counts
    return max(classes, key=classes.__getitem__, default="")


def _counts(row: Mapping[str, str]) -> Iterator[tuple[str, int]]:
    for column, value in row.items():
        name = column.removeprefix("px ")
        if name != column and name != "unknown" and value.isdigit() and int(value):
            yield name, int(value)


# -- pictures ----------------------------------------------------------------------------------


def load_picture(path: Path) -> Picture:
    """Return the pixels of a picture, of a large one or a slide those of a small picture of it.

    Raises `SlideError`.
    """
    hide(path)
    with open_scaled(path, None) as slide:
        info = slide.info
        if info.width * info.height <= _WHOLE_PX:
            rgb = rgb_rule(slide).apply(slide.read(0, 0, 0, info.width, info.height))
        else:
            rgba = thumbnail_picture(slide, _SMALL_PX)
            rgb = np.asarray(cv2.cvtColor(rgba, cv2.COLOR_RGBA2RGB), np.uint8)
        tags = (str(info.properties.get(tag, "")) for tag in _SCANNER_TAGS)
        return Picture(rgb, info.width, info.height, next(filter(None, tags), info.vendor))
