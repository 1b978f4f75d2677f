"""Sets of classes that go from study to study as JSON; QuPath's ``classes.json`` is read too."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import orjson
from pydantic import ValidationError

from pathoview.annotations.classes import SEPARATOR, parse_class
from pathoview.core.errors import AnnotationFileError
from pathoview.core.files import replacing
from pathoview.core.translation import _
from pathoview.study.model import LabelClass, Meaning
from pathoview.study.study_file import SUFFIX, StudyFile

_FORMAT = "pathoview classes"


def write_class_set(path: Path, classes: Sequence[LabelClass]) -> None:
    """Write classes with their colours, meanings and keys; raises `StorageError`."""
    said = [
        {
            "name": one.name,
            "color": list(one.color),
            "meaning": one.meaning,
            "shortcut": one.shortcut,
        }
        for one in classes
    ]
    content = {"format": _FORMAT, "version": 1, "classes": said}
    with replacing(path) as file:
        file.write(orjson.dumps(content, option=orjson.OPT_INDENT_2))


def read_class_set(path: Path) -> list[LabelClass]:
    """Return the classes of a set, of QuPath's ``classes.json`` or of a study, numbered from 1.

    Raises `AnnotationFileError` or `StorageError` when there are none in the file.
    """
    if path.suffix == SUFFIX:
        with StudyFile.open(path) as study:
            found = [one for one in study.classes() if one.is_listed]
    else:
        found = _in_json(path)
    by_name = {one.name: one for one in found}
    if not by_name:
        raise _unknown(path)
    return [
        one.model_copy(update={"number": number}) for number, one in enumerate(by_name.values(), 1)
    ]


def _in_json(path: Path) -> list[LabelClass]:
    try:
        content = orjson.loads(path.read_bytes())
    except OSError as error:
        raise AnnotationFileError(
            _("“{name}” cannot be read: {why}.").format(name=path.name, why=error.strerror)
        ) from error
    except orjson.JSONDecodeError as error:
        raise _unknown(path) from error
    if isinstance(content, dict) and isinstance(content.get("pathClasses"), list):
        return [one for said in content["pathClasses"] if (one := _of_qupath(said)) is not None]
    entries = content.get("classes") if isinstance(content, dict) else None
    if not isinstance(entries, list):
        raise _unknown(path)
    try:
        return [LabelClass.model_validate({**said, "number": 1}) for said in entries]
    except (ValidationError, TypeError) as error:
        raise _unknown(path) from error


def _of_qupath(said: object) -> LabelClass | None:
    """Return a class of QuPath; None for its entry without a name."""
    found = parse_class(said)
    if found is None:
        return None
    return LabelClass(
        number=1, name=found.name, color=found.color, meaning=meaning_of_name(found.name)
    )


def meaning_of_name(name: str) -> Meaning:
    """Return what a class teaches going by its name, as QuPath's users name them.

    A name that ends in ``*`` is no class of tissue: ``Region*`` says where to look, others are to
    be left out.
    """
    leaf = name.rpartition(SEPARATOR)[2]
    if name.endswith("*"):
        return "region" if name.startswith("Region") else "ignore"
    return "negative" if leaf in ("Negative", "Other") else "positive"


def _unknown(path: Path) -> AnnotationFileError:
    return AnnotationFileError(
        _("“{name}” holds no classes that can be understood.").format(name=path.name),
        _("Choose a set of classes, a classes.json of QuPath, or a study."),
    )
