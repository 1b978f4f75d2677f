from __future__ import annotations

from dataclasses import dataclass

import pytest

from pathoview.core.errors import UsageError
from pathoview.core.registry import Registry, load_entry


@dataclass(frozen=True)
class Thing:
    name: str


def test_hyphens_and_underscores_mean_the_same() -> None:
    things = Registry("thing", (Thing("nuclei_watershed"),))
    assert things.get("nuclei-watershed") is things.get("nuclei_watershed")
    assert "nuclei-watershed" in things


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    things = Registry("method", (Thing("nuclei_watershed"), Thing("pixel_forest")))
    with pytest.raises(UsageError, match="no method named “nuclei_watershd”") as caught:
        things.get("nuclei_watershd")
    assert caught.value.hint == "Did you mean nuclei_watershed?"
    with pytest.raises(UsageError) as caught:
        things.get("zzz")
    assert caught.value.hint == "Known are: nuclei_watershed, pixel_forest."


def test_two_things_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="two entries"):
        Registry("thing", (Thing("a"), Thing("a")))


def test_an_entry_is_imported_when_it_is_asked_for() -> None:
    assert load_entry("pathoview.core.registry:Registry") is Registry
