"""What the file of a network does not say of itself, and what therefore stands beside it as JSON.

The card is a set of parameters, so that the window's form, the options of the command line and the
checks are made from it; in the JSON file, classes, means and deviations may be lists.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

import orjson
from pydantic import field_validator

from pathoview.annotations.classes import default_color, parse_color
from pathoview.core.errors import InputError, PathoViewError, UsageError
from pathoview.core.params import BaseParams, param
from pathoview.core.translation import _
from pathoview.methods.model import ModelClass

NOT_SAID: Literal["not said"] = "not said"
_COLOR = re.compile(r"#[0-9a-fA-F]{6}")

Triple = tuple[float, float, float]


class NetworkCard(BaseParams):
    """What a network from elsewhere wants and gives."""

    title: str = param("", _("Name"), _("What the model is called; else as its file."))
    mpp: float = param(
        0.0,
        _("Resolution"),
        _("µm per pixel of the pictures that the network was trained on."),
        unit="µm",
        ge=0.0,
        le=99.999,  # a form has as many digits as its bounds
    )
    classes: str = param(
        "",
        _("Classes"),
        _(
            "One name a map of the network, in their order, with commas between; a colour may "
            "follow: Tumour=#c80000, Stroma."
        ),
    )
    range: Literal["not said", "0-1", "0-255"] = param(
        NOT_SAID,
        _("Range of pixels"),
        _("What red, green and blue go to before mean and deviation are taken: 0 to 1, or to 255."),
    )
    mean: str = param(
        "0",
        _("Mean"),
        _("Taken from the pixels, in their range: one number, or one each of red, green, blue."),
    )
    std: str = param(
        "1",
        _("Deviation"),
        _("What pixels less their mean are divided by: one number, or one each of the channels."),
    )
    activation: Literal["not said", "softmax", "sigmoid", "none"] = param(
        NOT_SAID,
        _("Activation"),
        _(
            "What makes probabilities of the maps: “softmax” over all of them, “sigmoid” of each, "
            "or “none” where the network does so itself."
        ),
    )
    halo_um: float = param(
        32.0,
        _("Surroundings"),
        _("How far around a pixel the network looks; so much is read around each tile."),
        unit="µm",
        ge=1.0,
        le=256.0,
    )
    multiple_px: int = param(
        32,
        _("Multiple"),
        _("Sides of pictures have to be multiples of it, where the network takes any size."),
        unit="px",
        ge=1,
        le=512,
    )
    stains: str = param("H&E", _("Stains"), _("What the network was made for, with commas."))
    licence: str = param("", _("Licence"), _("Under which the network may be used."))
    notes: str = param("", _("Notes"), _("Where it is from, and what it is good for."))

    @field_validator("classes", mode="before")
    @classmethod
    def _classes(cls, value: Any) -> Any:
        return ", ".join(map(_class_text, value)) if isinstance(value, list) else value

    @field_validator("mean", "std", "stains", mode="before")
    @classmethod
    def _joined(cls, value: Any) -> Any:
        if isinstance(value, list):
            return ", ".join(map(str, value))
        return str(value) if isinstance(value, int | float) else value

    def model_classes(self) -> tuple[ModelClass, ...]:
        """Return the classes of the maps; raise `UsageError` for a colour that is none."""
        return tuple(_class(text) for text in _parts(self.classes))

    def scaling(self) -> tuple[Triple, Triple]:
        """Return mean and deviation of red, green and blue; raise `UsageError`."""
        mean, std = _triple("mean", self.mean), _triple("std", self.std)
        if min(std) <= 0:
            raise UsageError(
                _("A deviation (“std”) has to be above 0."), _("Write 1 where there is none.")
            )
        return mean, std

    def check_complete(self) -> None:
        """Raise `InputError` when something is missing that nobody can guess."""
        said = {
            "mpp": self.mpp > 0,
            "classes": bool(_parts(self.classes)),
            "range": self.range != NOT_SAID,
            "activation": self.activation != NOT_SAID,
        }
        missing = [name for name, is_said in said.items() if not is_said]
        if missing:
            hint = _(
                "Say it in the form, in the .json file beside the network, or by --param {name}=…."
            )
            raise InputError(
                _("It is not said of the network: {names}.").format(names=", ".join(missing)),
                hint.format(name=missing[0]),
            )

    def to_json(self) -> dict[str, Any]:
        """Return the card as it is written beside a network."""
        mean, std = self.scaling()
        classes = [one.model_dump(mode="json") for one in self.model_classes()]
        lists = {"classes": classes, "mean": list(mean), "std": list(std)}
        return {**self.model_dump(mode="json"), **lists, "stains": _parts(self.stains)}


def said_beside(network: Path) -> dict[str, Any]:
    """Return what the JSON file beside a network says; nothing where there is none.

    Raises `InputError` when it cannot be understood.
    """
    path = network.with_suffix(".json")
    try:
        said = orjson.loads(path.read_bytes())
        if not isinstance(said, dict):
            raise InputError(_("It is no object of names and values."))
        return NetworkCard.parse(said).model_dump(exclude_unset=True)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, PathoViewError) as error:
        why = str(error).strip().rstrip(".")
        raise InputError(
            _("“{name}” cannot be understood: {why}.").format(name=path.name, why=why),
            getattr(error, "hint", "") or _("The guide's page Models shows what it looks like."),
        ) from error


def said_in(texts: Sequence[str]) -> dict[str, Any]:
    """Return what ``KEY=VALUE`` texts say of a network; raise `UsageError`."""
    return NetworkCard.parse_texts(texts).model_dump(exclude_unset=True)


def _class_text(said: Any) -> str:
    """Return a class of the JSON file as it is written in a form."""
    name = said.get("name") if isinstance(said, Mapping) else said
    if not isinstance(name, str) or not name.strip() or set(name) & set(",=\n"):
        raise UsageError(_("“{name}” cannot be the name of a class.").format(name=name))
    color = parse_color(said.get("color")) if isinstance(said, Mapping) else None
    return name.strip() if color is None else name.strip() + "=#" + bytes(color).hex()


def _class(text: str) -> ModelClass:
    name, equals, color = (part.strip() for part in text.partition("="))
    if equals and not _COLOR.fullmatch(color):
        raise UsageError(
            _("“{text}” is no colour.").format(text=color), _("Write it as #rrggbb, say #c80000.")
        )
    red, green, blue = bytes.fromhex(color[1:]) if equals else default_color(name)
    return ModelClass(name=name, color=(red, green, blue))


def _parts(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def _triple(name: str, text: str) -> Triple:
    try:
        numbers = [float(part) for part in _parts(text)]
    except ValueError:
        numbers = []
    numbers = numbers * 3 if len(numbers) == 1 else numbers
    if len(numbers) != 3 or not all(map(math.isfinite, numbers)):
        raise UsageError(
            _("“{name}” has to be one number or three, not “{text}”.").format(name=name, text=text),
            _("Write red, green and blue with commas between: 0.485, 0.456, 0.406."),
        )
    red, green, blue = numbers
    return red, green, blue
