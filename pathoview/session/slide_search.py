"""Looking for slides in the background: new ones for the study, and those that were moved."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from psygnal import Signal

from pathoview.core.errors import SlideError
from pathoview.core.privacy import hide
from pathoview.core.translation import _, ngettext
from pathoview.session.notices import Notice, from_error
from pathoview.session.piecework import Piecework
from pathoview.slides.finding import (
    FoundSlide,
    find_moved,
    find_slides,
    has_only_pictures,
    is_video,
    series_at,
    slide_files,
)
from pathoview.slides.series import frame_files, identity
from pathoview.study.model import SlideRecord
from pathoview.study.slide_list import file_name, seen_slide
from pathoview.study.step import RecordChange

if TYPE_CHECKING:
    from pathoview.session.session import Session

T = TypeVar("T")

_DEEPEST_TAIL = 4
"""Folders above a slide that moved along with it and the study."""
_MOST_FILES = 50_000
"""Looked at by name near the study, before one gives up."""


@dataclass(slots=True)
class SearchState:
    """How far a search has come."""

    title: str
    n_done: int = 0
    found: list[FoundSlide] = field(default_factory=list)
    n_known: int = 0
    problems: list[str] = field(default_factory=list)
    """What could not be opened, as sentences."""


class ClipsFound(NamedTuple):
    """What was found in folders, before it is added."""

    clips: Sequence[Path]
    """Folders of pictures, and videos."""
    others: Sequence[Path]
    """What was given beside them, and is added with them."""
    given: Sequence[Path]
    """What may be added as slides instead, each picture as one; empty: they are clips."""


class SlideSearch:
    """One search at a time. All methods are called on the session's thread."""

    changed = Signal()
    """`state`"""
    clips_found = Signal(object)
    """(ClipsFound): a person has to say whether they are added."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._work: Piecework[Any] | None = None
        self._on_end: Callable[[BaseException | None], None] | None = None
        self._projects: Sequence[Path] = ()
        self.state: SearchState | None = None
        """None: nothing is looked for."""

    def add(self, paths: Sequence[Path], clips: Sequence[Path] = ()) -> None:
        """Take slides, all in folders, and those of QuPath projects into the study, in one step.

        Of ``clips`` each folder of pictures is one slide. With a project come its classes.
        """
        if not self._can_begin():
            return
        self._projects = [path for path in paths if is_project(path)]
        known = {one.slide_hash: one.path for one in self._session.studies.records.all(SlideRecord)}
        pieces = _looked_at(paths, known, clips)
        self._begin(_("Adding slides"), pieces, self._on_looked_at, self._on_added)

    def add_clips_of(self, folders: Sequence[Path]) -> None:
        """Look for clips in folders; `clips_found` follows, or a notice that there are none."""
        self._look_for_clips(folders, ())

    def add_dropped(self, paths: Sequence[Path]) -> None:
        """Add what was dropped; `clips_found` follows when folders of it may be clips."""
        self._look_for_clips(paths, paths)

    def _look_for_clips(self, paths: Sequence[Path], given: Sequence[Path]) -> None:
        if self._can_begin():
            found: list[tuple[Path, Sequence[Path]]] = []
            pieces = ((path, _clips_of(path, is_sure=not given)) for path in paths)
            end = partial(self._on_clips, found, given)
            self._begin(_("Looking for clips"), pieces, found.extend, end)

    def _on_clips(
        self,
        found: Sequence[tuple[Path, Sequence[Path]]],
        given: Sequence[Path],
        error: BaseException | None,
    ) -> None:
        self._end()
        clips = [clip for _path, clips in found for clip in clips]
        if error is not None:
            self._session.notice.emit(from_error(error))
        elif clips:
            others = [path for path, clips in found if given and not clips]
            self.clips_found.emit(ClipsFound(clips, others, given))
        elif given:
            self.add(given)
        else:
            text = _("There is no video and no folder of pictures in it.")
            self._session.notice.emit(Notice(text, "warning"))

    def _can_begin(self) -> bool:
        """Return whether a study is open and nothing is looked for; say what to do if none is."""
        if self._session.studies.is_named:
            return self.state is None
        action = _("New study…"), "study.new"
        text = _("Make or open a study first: slides are added to that.")
        self._session.notice.emit(Notice(text, "warning", action))
        return False

    def find_moved(self, folders: Sequence[Path]) -> None:
        """Look in folders for slides that are not where they lay, by their content."""
        studies = self._session.studies
        if not studies.is_named or self.state is not None:
            return
        pieces = _moved(folders, studies.records.all(SlideRecord))
        self._begin(_("Finding moved slides"), pieces, self._on_moved, self._on_moved_end)

    def stop(self) -> None:
        """End a search; what was found until now counts."""
        if self._work is not None and self._on_end is not None:
            self._work.cancel()
            self._on_end(None)

    def forget(self) -> None:
        """End a search without a word: the study is closed."""
        if self._work is not None:
            self._work.cancel()
        self._end()

    def _begin(
        self,
        title: str,
        pieces: Iterator[T],
        on_pieces: Callable[[Sequence[T]], None],
        on_end: Callable[[BaseException | None], None],
    ) -> None:
        self.state = SearchState(title)
        self._on_end = on_end
        self._work = Piecework(self._session.scheduler, pieces, on_pieces, on_end)
        self.changed.emit()

    def _end(self) -> None:
        self._work = self._on_end = self.state = None
        self.changed.emit()

    # -- new ones --------------------------------------------------------------------------------

    def _on_looked_at(self, pieces: Sequence[FoundSlide | str | None]) -> None:
        state = self.state
        if state is None:
            return
        for piece in pieces:
            state.n_done += 1
            if isinstance(piece, FoundSlide):
                state.found.append(piece)
            elif piece is None:
                state.n_known += 1
            else:
                state.problems.append(piece)
        self.changed.emit()

    def _on_added(self, error: BaseException | None) -> None:
        state = self.state
        assert state is not None
        self._end()
        if error is not None:
            self._session.notice.emit(from_error(error))
        records = self._session.studies.records
        changes = []
        for one in state.found:
            known = records.get(SlideRecord, one.content_hash)
            made = seen_slide(
                known, one.content_hash, one.pseudonym, one.path, one.size_l0, one.mpp
            )
            changes.append(RecordChange.of(known, made))
        for path in self._projects:
            classes = path.parent / "classifiers" / "classes.json"
            if classes.is_file():
                self._session.classes.read(classes)
        name = ngettext("Add slide", "Add {n} slides", len(changes)).format(n=len(changes))
        if not changes or self._session.studies.put(changes, name):
            self._session.notice.emit(_summary(state))

    # -- moved ones ------------------------------------------------------------------------------

    def _on_moved(self, pieces: Sequence[tuple[str, Path] | None]) -> None:
        state = self.state
        if state is None:
            return
        state.n_done += len(pieces)
        places = dict(piece for piece in pieces if piece is not None)
        state.n_known += len(places)
        self.take_places(places)
        self.changed.emit()

    def _on_moved_end(self, error: BaseException | None) -> None:
        state = self.state
        assert state is not None
        self._end()
        if error is not None:
            self._session.notice.emit(from_error(error))
            return
        n = state.n_known
        text = ngettext("{n} slide was found again.", "{n} slides were found again.", n)
        self._session.notice.emit(Notice(text.format(n=n)))

    def take_places(self, places: Mapping[str, Path]) -> None:
        """Have the study know where slides lie now; by their hashes."""
        records = self._session.studies.records
        found = ((records.get(SlideRecord, key), path) for key, path in places.items())
        moved = [
            record.model_copy(update={"path": str(path.absolute())})
            for record, path in found
            if record is not None
        ]
        for path in places.values():
            hide(path)
        if moved:
            self._session.studies.note(*moved)


def _clips_of(path: Path, *, is_sure: bool) -> Sequence[Path]:
    """Return the clips of a folder; unless that is sure, none where there may be slides."""
    if not path.is_dir() or not (is_sure or has_only_pictures(path)):
        return ()
    clips = [one for one in series_at(path, videos=True) if is_video(one.name) or frame_files(one)]
    # A video is a slide however it is added.
    return clips if is_sure or any(one.is_dir() for one in clips) else ()


def _looked_at(
    paths: Sequence[Path], known: Mapping[str, str], clips: Sequence[Path]
) -> Iterator[FoundSlide | str | None]:
    """Find slides; those that are known are wanted again when there is nothing where they lay."""
    there = [key for key, path in known.items() if Path(path).exists()]
    yield from find_slides(list(_with_projects(paths)), there, clips)


def is_project(path: Path) -> bool:
    """Whether a file is a project of QuPath, by its name."""
    return path.suffix.lower() == ".qpproj"


def _with_projects(paths: Iterable[Path]) -> Iterator[Path]:
    """Yield paths, and instead of a project those of its pictures."""
    from pathoview.annotations.dialects.qupath_project import read_project

    for path in paths:
        if is_project(path):
            yield from (one.path for one in read_project(path).images if one.path is not None)
        else:
            yield path


def _summary(state: SearchState) -> Notice:
    n = len(state.found)
    text = ngettext("{n} slide was added.", "{n} slides were added.", n).format(n=n)
    if state.n_known:
        text += " " + ngettext(
            "{n} was there already.", "{n} were there already.", state.n_known
        ).format(n=state.n_known)
    if state.problems:
        n = len(state.problems)
        sentence = ngettext("{n} file is no slide.", "{n} files are no slides.", n)
        text += " " + sentence.format(n=n)
    details = "\n".join(state.problems)
    return Notice(text, "warning" if details and not state.found else "info", details=details)


def _moved(
    folders: Iterable[Path], wanted: Sequence[SlideRecord]
) -> Iterator[tuple[str, Path] | None]:
    """Find slides that are not where they lay."""
    missing = (one.slide_hash for one in wanted if not one.is_there)
    yield from find_moved(folders, missing)


def locate(record: SlideRecord, folder: Path) -> Path | None:
    """Return where a slide lies: where it lay, or else beside the study; None: nowhere there.

    It is known by its content, whatever its name.
    """
    for path in (Path(record.path), *near(record, folder), *_named(record, folder)):
        if is_slide(path, record.slide_hash):
            return path
    return None


def near(record: SlideRecord, folder: Path) -> Iterator[Path]:
    """Yield where a slide would be if it was moved together with the study."""
    parts = record.path.replace("\\", "/").split("/")
    for n_parts in range(1, min(_DEEPEST_TAIL, len(parts)) + 1):
        yield folder.joinpath(*parts[-n_parts:])


def _named(record: SlideRecord, folder: Path) -> Iterator[Path]:
    """Yield the files of the slide's name in a folder, deep down."""
    name = file_name(record)
    for n_seen, path in enumerate(slide_files([folder])):
        if n_seen > _MOST_FILES:
            return
        if path.name == name:
            yield path


def is_slide(path: Path, slide_hash: str) -> bool:
    """Whether there is a file, or a clip's folder, with the content of a slide."""
    try:
        return path.exists() and identity(path) == slide_hash
    except (OSError, SlideError):
        return False


def places_near(records: Sequence[SlideRecord], folder: Path) -> dict[str, Path | None]:
    """Return where missing slides lie if they moved with the study, by hash; None: not there."""
    missing = (one for one in records if not one.is_there)
    return {
        one.slide_hash: next(filter(partial(_has, one.slide_hash), near(one, folder)), None)
        for one in missing
    }


def _has(slide_hash: str, path: Path) -> bool:
    return is_slide(path, slide_hash)
