"""The models there are: those that came with the program, were trained here, or were imported.

Torch is not needed to list or find them.
"""

from __future__ import annotations

import contextlib
import difflib
import logging
import os
import re
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pathoview.core.errors import InputError, PathoViewError, StorageError, UsageError
from pathoview.core.files import storage_error
from pathoview.core.paths import data_folder, resources_folder
from pathoview.core.translation import _
from pathoview.methods.model import SUFFIX, Model, ModelCard, read_card, read_model, write_model
from pathoview.methods.network_card import NetworkCard as NetworkCard
from pathoview.methods.network_card import said_beside as said_beside
from pathoview.methods.network_import import ONNX as ONNX
from pathoview.methods.network_import import network_model, write_network

SCRATCH = "scratch"
"""As the model that training goes on from: none, although one came with the method."""
_ID_LETTERS = 8
_REMOVED = "removed"
_REMOVED_FOR_S = 30 * 24 * 3600.0
_NON_COMMERCIAL = re.compile(r"\bNC\b|non[- ]?commercial|research (?:use )?only", re.IGNORECASE)

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class LibraryModel:
    """A model of the library: where it lies, and what is said of it."""

    path: Path
    card: ModelCard


def models_folder() -> Path:
    """Return where models that were trained here or imported are kept; it is made if missing."""
    folder = data_folder() / "models"
    folder.mkdir(exist_ok=True)
    return folder


def bundled_folder() -> Path:
    """Return where the models lie that came with the program."""
    return resources_folder() / "models"


def bundled_path(name: str) -> Path:
    """Return where a model lies that came with the program."""
    return bundled_folder() / (name + SUFFIX)


def library() -> list[LibraryModel]:
    """Return all models, bundled ones first, then the newest first.

    Files that cannot be read are skipped and logged.
    """
    own = sorted(_readable(models_folder()), key=lambda one: one.card.created, reverse=True)
    return [*_readable(bundled_folder()), *own]


def find_model(wanted: str) -> Path:
    """Return the file of a model: a path, or a name, title or id of the library.

    Raises `UsageError` with the nearest names.
    """
    path = Path(wanted)
    if path.suffix == ONNX:
        raise UsageError(
            _("“{name}” is no model yet.").format(name=path.name),
            _("Take it into the library first: pathoview models import {name}.").format(name=path),
        )
    if path.suffix == SUFFIX or path.is_file():
        if not path.is_file():
            raise UsageError(
                _("There is no model “{name}”.").format(name=path.name),
                _("“pathoview models” lists those there are."),
            )
        return path
    known = library()
    for one in known:
        is_id = len(wanted) >= _ID_LETTERS and one.card.id.startswith(wanted)
        if is_id or wanted in (one.path.stem, one.card.title):
            return one.path
    names = [name for one in known for name in (one.path.stem, one.card.title)]
    near = difflib.get_close_matches(wanted, names, n=1)
    raise UsageError(
        _("There is no model “{name}”.").format(name=wanted),
        _("Did you mean {name}?").format(name=near[0])
        if near
        else _("“pathoview models” lists those there are."),
    )


def new_model_path(title: str) -> Path:
    """Return where a new model of the library belongs, a name that is not taken."""
    stem = re.sub(r"[^\w.-]+", "-", title).strip("-.") or "model"
    path = models_folder() / (stem + SUFFIX)
    number = 2
    while path.exists():
        path = models_folder() / f"{stem}-{number}{SUFFIX}"
        number += 1
    return path


def import_model(source: Path, said: Mapping[str, Any] | None = None) -> LibraryModel:
    """Copy a model file into the library, or take a network of an ONNX file into it.

    ``said``: what is to be known of such a network and does not stand in the JSON file beside it
    (see `network_card.NetworkCard`). Raises `InputError`, `UsageError`, `RunError` or
    `StorageError`.
    """
    model = network_model(source, said) if source.suffix.lower() == ONNX else read_model(source)
    card = model.card.model_copy(update={"origin": "imported"})
    if any(one.card.id == card.id for one in library()):
        raise InputError(_("The library has the model “{name}” already.").format(name=card.title))
    path = new_model_path(card.title)
    write_model(path, Model(card, model.tensors))
    return LibraryModel(path, card)


def export_model(path: Path, target: Path) -> Path:
    """Write a copy of a model, with its card beside it; return where it lies.

    As ``.onnx``, the network is written as it was imported, with what was said of it. Raises
    `InputError`, `UsageError` when it was none, or `StorageError`.
    """
    if target.suffix == ONNX:
        write_network(target, read_model(path))
        return target
    target = target if target.suffix == SUFFIX else target.with_name(target.name + SUFFIX)
    write_model(target, read_model(path))
    return target


def rename_model(path: Path, title: str) -> LibraryModel:
    """Call a model otherwise; its file keeps its name.

    Raises `UsageError` without a title, `InputError` or `StorageError`.
    """
    _check_own(path)
    if not title.strip():
        raise UsageError(_("A model needs a name."))
    model = read_model(path)
    card = model.card.model_copy(update={"title": title.strip()})
    write_model(path, Model(card, model.tensors))
    return LibraryModel(path, card)


def remove_model(path: Path) -> Path:
    """Take a model out of the library; return where it lies for 30 days more.

    Raises `StorageError`, also for those that came with the program.
    """
    _check_own(path)
    folder = models_folder() / _REMOVED
    target = folder / f"{time.time_ns()}-{path.name}"
    try:
        folder.mkdir(exist_ok=True)
        _forget_long_removed(folder)
        _move(path, target)
        os.utime(target)
    except OSError as error:
        raise storage_error(path, error) from error
    return target


def bring_back(removed: Path) -> Path:
    """Put a model back into the library that `remove_model` took out; return where it lies now.

    Raises `StorageError`.
    """
    path = new_model_path(removed.stem.partition("-")[2])
    try:
        _move(removed, path)
    except OSError as error:
        raise storage_error(path, error) from error
    return path


def is_non_commercial(card: ModelCard) -> bool:
    """Say whether a licence of a model, its data or its parents forbids commercial use."""
    licences = [card.licence, card.data_licence]
    licences += [one.licence for one in card.parents]
    licences += [one.licence for one in card.data]
    return any(map(forbids_commerce, licences))


def forbids_commerce(licence: str) -> bool:
    """Say whether the words of a licence forbid commercial use."""
    return _NON_COMMERCIAL.search(licence) is not None


def _check_own(path: Path) -> None:
    if path.parent != models_folder():
        raise StorageError(_("Models that came with the program stay as they are."))


def _move(path: Path, target: Path) -> None:
    path.replace(target)
    with contextlib.suppress(FileNotFoundError):
        path.with_suffix(".json").replace(target.with_suffix(".json"))


def _forget_long_removed(folder: Path) -> None:
    for path in folder.iterdir():
        if time.time() - path.stat().st_mtime > _REMOVED_FOR_S:
            path.unlink(missing_ok=True)


def _readable(folder: Path) -> Iterable[LibraryModel]:
    found = []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            found.append(LibraryModel(path, read_card(path)))
        except PathoViewError as error:
            _logger.warning("skipped a model: %s", error)
    return found
