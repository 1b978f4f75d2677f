from __future__ import annotations

from typing import Literal

import pytest

from pathoview.core.errors import UsageError
from pathoview.core.params import BaseParams, form_rows, param, param_with


class Params(BaseParams):
    min_area_um2: float = param(12.0, "Smallest nucleus", "Smaller ones go.", unit="µm²", ge=0)
    rounds: int = param(3, "Rounds", "How often.", gt=0, le=9)
    split: bool = param(True, "Split", "Split touching ones.")
    stain: Literal["H&E", "H-DAB", "no_stain"] = param(
        "H&E", "Stain", "What was stained.", words={"H-DAB": "brown"}
    )


def test_a_form_knows_kind_unit_bounds_and_help_of_each_parameter() -> None:
    area, rounds, split, stain = form_rows(Params)
    assert (area.kind, area.unit, area.minimum, area.maximum) == ("float", "µm²", 0, None)
    assert (rounds.kind, rounds.minimum, rounds.maximum) == ("int", 0, 9)
    assert (split.kind, split.default) == ("bool", True)
    assert (stain.kind, stain.choices) == ("choice", ("H&E", "H-DAB", "no_stain"))
    assert stain.words == ("H&E", "brown", "no stain")
    assert area.help == "Smaller ones go."


def test_a_class_may_differ_from_another_in_a_default() -> None:
    class Others(Params):
        rounds: int = param_with(Params, "rounds", 5)

    assert (Others().rounds, Params().rounds) == (5, 3)
    row, own = form_rows(Others)[1], form_rows(Params)[1]
    assert (row.name, row.title, row.help) == (own.name, own.title, own.help)
    with pytest.raises(UsageError, match="rounds"):
        Others.parse({"rounds": 10})


def test_texts_of_the_command_line_become_checked_values() -> None:
    params = Params.parse_texts(["min-area-um2=20", "split=false", "stain=H-DAB"])
    assert params == Params(min_area_um2=20, split=False, stain="H-DAB")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("min_area_um=3", "Did you mean min_area_um2?"),
        ("rounds=many", "“rounds” is wrong"),
        ("rounds=0", "“rounds” is wrong"),
        ("stain=PAS", "“stain” is wrong"),
        ("rounds", "KEY=VALUE"),
    ],
)
def test_a_wrong_parameter_is_named_in_a_sentence(text: str, part: str) -> None:
    with pytest.raises(UsageError) as caught:
        Params.parse_texts([text])
    assert part in caught.value.full_text
