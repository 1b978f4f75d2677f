"""A QuPath project: its pictures and classes. Its ``.qpdata`` only QuPath can read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from pathoview.annotations.classes import parse_class
from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.dialects.frame import damaged
from pathoview.annotations.dialects.json_file import load_json, metadata_of, objects_in, text_in
from pathoview.annotations.dialects.opening import Opening
from pathoview.core.errors import AnnotationFileError
from pathoview.core.translation import _

NAME = "qupath-project"

_FILE = "project.qpproj"
_CLASSES = Path("classifiers") / "classes.json"
_DEEPEST = 8
"""Builders within builders: cropped, turned, with other channels."""


@dataclass(frozen=True, slots=True)
class ProjectImage:
    """A picture of a project."""

    name: str
    uri: str
    path: Path | None
    """Where the file is said to lie; None: not on a disk. It may have been moved."""
    entry_id: str
    masked_name: str = ""
    """What QuPath shows when names are masked."""
    description: str = ""
    metadata: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    is_transformed: bool = False
    """QuPath shows it cropped, turned or otherwise changed: so are the coordinates."""
    has_data: bool = False
    """Objects are kept for it, in a form that only QuPath reads."""


@dataclass(frozen=True, slots=True)
class QuPathProject:
    """What can be told of a project without QuPath."""

    version: str
    images: tuple[ProjectImage, ...]
    classes: tuple[DetectionClass, ...]


def looks_like(opening: Opening) -> bool:
    if not opening.is_json or not opening.has_keys("images"):
        return False
    return opening.has_keys("serverBuilder") or (
        opening.has_keys("version", "createTimestamp") or opening.path.suffix == ".qpproj"
    )


def read_project(path: Path) -> QuPathProject:
    """Return what is in a project file, or in the folder of one.

    Raises `AnnotationFileError` when it is damaged. Objects are not in it: they have to be exported
    from QuPath as GeoJSON.
    """
    if path.is_dir():
        path = path / _FILE
    if not path.exists():
        raise AnnotationFileError(_("There is no file “{name}”.").format(name=path.name))
    value = load_json(path)
    if not isinstance(value, Mapping) or not isinstance(value.get("images"), list):
        raise damaged(path, _("no “images” in it"))
    images = tuple(_image(one, path.parent) for one in objects_in(value, "images"))
    return QuPathProject(text_in(value, "version"), images, _classes(path.parent))


def _image(entry: Mapping[str, Any], folder: Path) -> ProjectImage:
    builder, is_transformed = _uri_builder(entry.get("serverBuilder"))
    uri = text_in(builder, "uri")
    path = _local_path(uri, folder)
    entry_id = str(entry.get("entryID", ""))
    tags = entry.get("tags")
    is_plain_id = entry_id.isalnum()
    return ProjectImage(
        name=text_in(entry, "imageName") or (path.name if path else uri),
        uri=uri,
        path=path,
        entry_id=entry_id,
        masked_name=text_in(entry, "randomizedName"),
        description=text_in(entry, "description"),
        metadata=metadata_of(entry.get("metadata")),
        tags=tuple(str(tag) for tag in tags) if isinstance(tags, list) else (),
        is_transformed=is_transformed,
        has_data=is_plain_id and (folder / "data" / entry_id / "data.qpdata").is_file(),
    )


def _uri_builder(builder: object) -> tuple[object, bool]:
    """Return what opens the file itself, and whether something was laid around it."""
    for depth in range(_DEEPEST):
        if not isinstance(builder, Mapping) or "uri" in builder:
            return builder, depth > 0
        builder = builder.get("builder")
    return None, True


def _local_path(uri: str, folder: Path) -> Path | None:
    """Return the path of a file URI, a relative one from the project's folder."""
    parts = urlsplit(uri)
    if parts.scheme not in ("", "file") or not parts.path:
        return None
    text = unquote(parts.path)
    if parts.netloc and parts.netloc != "localhost":
        return Path(f"//{parts.netloc}{text}")  # a share of Windows
    is_drive = len(text) > 2 and text[0] == "/" and text[2] == ":"
    path = Path(text[1:] if is_drive else text)
    return path if parts.scheme else folder / path


def _classes(folder: Path) -> tuple[DetectionClass, ...]:
    path = folder / _CLASSES
    if not path.is_file():
        return ()
    value = load_json(path)
    listed = value.get("pathClasses") if isinstance(value, Mapping) else value
    if not isinstance(listed, list):
        raise damaged(path, _("no classes in it"))
    return tuple(entry for entry in map(parse_class, listed) if entry is not None)
