"""Finds slides in folders, and says what one needs to know of a slide to list it."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from pathoview.core.errors import SlideError
from pathoview.core.natural import natural
from pathoview.core.privacy import hide
from pathoview.slides.opening import open_slide
from pathoview.slides.series import frame_files, identity
from pathoview.slides.video_slide import VIDEO_SUFFIXES

log = logging.getLogger(__name__)

PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
"""Plain pictures; in a folder with slides they are previews or masks."""
SUFFIXES = (
    *(".svs", ".tif", ".tiff", ".ndpi", ".mrxs", ".scn", ".vms", ".vmu", ".bif", ".svslide"),
    *(".czi", ".dcm", *PICTURES),
)
"""How names of slides end, as a rule."""


@dataclass(frozen=True, slots=True)
class FoundSlide:
    """A slide that was opened for a moment."""

    path: Path
    content_hash: str
    pseudonym: str
    size_l0: tuple[int, int]
    mpp: tuple[float, float] | None


def slide_files(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield the files among the paths, and all that seem to be slides in the folders, deep down.

    Hidden folders are left out, and so are links to folders, which may lead in a circle.
    """
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        for folder, folders, names in os.walk(path):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            yield from _slides_of(Path(folder), names)


def series_at(path: Path, *, videos: bool) -> list[Path]:
    """Return the clips or bags of a folder, see `series_in`; or the only one that a path names."""
    found = list(series_in(path, videos=videos)) if path.is_dir() else []
    return found or [path]


def series_in(folder: Path, *, videos: bool) -> Iterator[Path]:
    """Yield the folders that pictures lie in, deep down, and with ``videos`` also the videos.

    Each is a series: a clip, or a bag of pictures. Hidden folders and links to folders are left
    out. Raises `SlideError` when a folder cannot be read.
    """
    for place, folders, names in os.walk(folder):
        folders[:] = sorted((name for name in folders if not name.startswith(".")), key=natural)
        if Path(place) != folder and frame_files(Path(place)):
            yield Path(place)
        if videos:
            listed = sorted((name for name in names if not name.startswith(".")), key=natural)
            yield from (Path(place) / name for name in listed if is_video(name))


def has_only_pictures(folder: Path) -> bool:
    """Return whether what could be opened in a folder, deep down, are plain pictures and videos.

    Each picture may be a slide then, or each folder of pictures a clip.
    """
    suffixes = (*PICTURES, *VIDEO_SUFFIXES)
    return all(file.name.lower().endswith(suffixes) for file in slide_files([folder]))


def is_video(name: str) -> bool:
    """Return whether a file is called as videos are."""
    return name.lower().endswith(VIDEO_SUFFIXES)


def _slides_of(folder: Path, names: Iterable[str]) -> Iterator[Path]:
    listed = sorted(name for name in names if not name.startswith("."))
    slides = [name for name in listed if name.lower().endswith(SUFFIXES)]
    others = [name for name in slides if not name.lower().endswith(PICTURES)]
    videos = [name for name in listed if is_video(name)]
    yield from (folder / name for name in [*(others or slides), *videos])


def find_slides(
    paths: Iterable[Path], known: Iterable[str] = (), clips: Iterable[Path] = ()
) -> Iterator[FoundSlide | str | None]:
    """Yield every slide among files and in folders, and what is wrong with what is none.

    ``clips``: folders of pictures and videos, each one slide. None stands for a slide with a known
    hash, or one that came before. All names are hidden in the log from then on.
    """
    seen = set(known)
    for path in chain(slide_files(paths), clips):
        hide(path)
        try:
            if identity(path) in seen:
                yield None
                continue
            found = look_at(path)
        except (SlideError, OSError) as error:
            log.info("left out: %s", error)
            yield str(error)
            continue
        hide(path, found.pseudonym)
        seen.add(found.content_hash)
        yield found


def find_moved(folders: Iterable[Path], hashes: Iterable[str]) -> Iterator[tuple[str, Path] | None]:
    """Yield where slides of some hashes lie, until all are found; None for every other file.

    A folder of pictures is looked at as one clip as well.
    """
    missing, places = set(hashes), list(folders)
    clips = chain.from_iterable(series_at(place, videos=False) for place in places)
    for path in chain(slide_files(places), clips):
        if not missing:
            return
        hide(path)
        try:
            key = identity(path)
        except (SlideError, OSError):
            key = ""
        yield (key, path) if key in missing else None
        missing.discard(key)


def look_at(path: Path) -> FoundSlide:
    """Open a slide for a moment; raises `SlideError` when it is none."""
    with open_slide(path) as slide:
        size_l0 = slide.info.width, slide.info.height
        return FoundSlide(slide.path, slide.content_hash, slide.pseudonym, size_l0, slide.info.mpp)
