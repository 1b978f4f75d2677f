"""Parameters that several methods have, each declared once: same words, same unit, same bounds."""

from __future__ import annotations

from typing import Any, Literal

from pathoview.core.params import param
from pathoview.core.translation import _

Views = Literal["1", "4", "8"]
Colors = Literal["one laboratory", "several laboratories"]


def views() -> Any:
    """Return how often a patch is looked at."""
    return param(
        "1",
        _("Views"),
        _("Turned (4) and mirrored (8) views are averaged: a little better, as many times slower."),
    )


def min_area_um2(default: float) -> Any:
    """Return the area of the smallest nucleus."""
    return param(
        default,
        _("Smallest nucleus"),
        _("Smaller objects are left out."),
        unit="µm²",
        ge=0.0,
        le=200.0,
    )


def max_area_um2(default: float, largest: float) -> Any:
    """Return the area of the largest nucleus, at most ``largest``."""
    return param(
        default,
        _("Largest nucleus"),
        _("Larger objects are left out."),
        unit="µm²",
        ge=10.0,
        le=largest,
    )


# -- of trainings of networks ---------------------------------------------------------------------


def batch() -> Any:
    """Return how many patches a step learns from."""
    return param(8, _("Batch"), _("Patches learned from at once."), ge=1, le=256)


def learning_rate(default: float) -> Any:
    """Return the highest learning rate of the course."""
    return param(
        default,
        _("Learning rate"),
        _("The highest of the course. From a good model, lower keeps more of it."),
        ge=1e-6,
        le=0.1,
    )


def colors(default: Colors) -> Any:
    """Return how much colours are changed at random."""
    return param(
        default,
        _("Colours"),
        _("How much colours are changed at random: much, where slides of others are to come."),
    )


def encoder_weights() -> Any:
    """Return where the weights come from that an encoder begins with."""
    return param(
        "",
        _("Weights of the encoder"),
        _(
            "Empty: those that came with PathoView, where there are some, else random ones. Or "
            "the path of a file (safetensors, or PyTorch's); or “hub”: fetched from the internet, "
            "which nothing but this word does."
        ),
    )
