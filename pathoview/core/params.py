"""Parameters that describe themselves: one pydantic class gives checks, JSON, form and CLI.

A field says its title, help, unit and bounds once::

    class Params(BaseParams):
        min_area_um2: float = param(12.0, _("Smallest nucleus"), _("…"), unit="µm²", ge=0)
"""

from __future__ import annotations

import copy
import difflib
import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, ValidationError
from pydantic.fields import FieldInfo

from pathoview.core.errors import UsageError
from pathoview.core.translation import _


def param(
    default: Any,
    title: str,
    help_text: str,
    *,
    unit: str = "",
    words: Mapping[str, str] | None = None,
    **bounds: Any,
) -> Any:
    """Declare a field of a `BaseParams`; ``bounds`` are pydantic's ``ge gt le lt``.

    ``words``: what choices are called in a form, where their names say too little.
    """
    extra: dict[str, Any] = {"unit": unit} if unit else {}
    if words:
        extra["words"] = dict(words)
    return Field(
        default, title=title, description=help_text, json_schema_extra=extra or None, **bounds
    )


def param_with(owner: type[BaseParams], name: str, default: Any) -> Any:
    """Declare a field as that of another class, but for its default."""
    field = copy.copy(owner.model_fields[name])
    field.default = default
    return field


class BaseParams(BaseModel):
    """Frozen, checked parameters of a method; unknown names are refused."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    @classmethod
    def parse(cls, values: Mapping[str, Any]) -> Self:
        """Return checked parameters; raise `UsageError` naming the first that is wrong."""
        for name in values:
            if name not in cls.model_fields:
                near = difflib.get_close_matches(name, cls.model_fields, n=1)
                known = ", ".join(cls.model_fields)
                raise UsageError(
                    _("There is no parameter named “{name}”.").format(name=name),
                    _("Did you mean {name}?").format(name=near[0])
                    if near
                    else _("Known are: {names}.").format(names=known),
                )
        try:
            return cls.model_validate(dict(values))
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            raise UsageError(
                _("The parameter “{name}” is wrong: {why}.").format(name=field, why=first["msg"])
            ) from error

    @classmethod
    def parse_texts(cls, pairs: Sequence[str]) -> Self:
        """Return parameters from ``KEY=VALUE`` texts; raise `UsageError` when malformed."""
        values: dict[str, str] = {}
        for pair in pairs:
            key, equals, value = pair.partition("=")
            if not equals or not key:
                raise UsageError(_("“{pair}” is not of the form KEY=VALUE.").format(pair=pair))
            values[key.strip().replace("-", "_")] = value.strip()
        return cls.parse(values)


@dataclass(frozen=True, slots=True)
class FormRow:
    """What a form or a command's help needs to know of one parameter."""

    name: str
    title: str
    help: str
    unit: str
    kind: Literal["int", "float", "bool", "choice", "text"]
    default: Any
    minimum: float | None
    maximum: float | None
    choices: tuple[str, ...]
    words: tuple[str, ...]
    """What the choices are called."""


def form_rows(params: type[BaseParams]) -> list[FormRow]:
    """Return one row a parameter, in the order of declaration."""
    return [_row(name, field) for name, field in params.model_fields.items()]


def _row(name: str, field: FieldInfo) -> FormRow:
    kind, choices = _kind(field.annotation)
    extra = field.json_schema_extra if isinstance(field.json_schema_extra, dict) else {}
    words: Any = extra.get("words", {})
    bounds = {
        key: float(getattr(rule, key))
        for rule in field.metadata
        for key in ("ge", "gt", "le", "lt")
        if getattr(rule, key, None) is not None
    }
    return FormRow(
        name=name,
        title=field.title or name.replace("_", " ").capitalize(),
        help=field.description or "",
        unit=str(extra.get("unit", "")),
        kind=kind,
        default=field.default,
        minimum=bounds.get("ge", bounds.get("gt")),
        maximum=bounds.get("le", bounds.get("lt")),
        choices=choices,
        words=tuple(words.get(choice, choice.replace("_", " ")) for choice in choices),
    )


def _kind(
    annotation: Any,
) -> tuple[Literal["int", "float", "bool", "choice", "text"], tuple[str, ...]]:
    if get_origin(annotation) is Literal:
        return "choice", tuple(str(choice) for choice in get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, enum.Enum):
        return "choice", tuple(str(member.value) for member in annotation)
    if annotation is bool:
        return "bool", ()
    if annotation is int:
        return "int", ()
    return ("float" if annotation is float else "text"), ()
