"""Messages between window and worker survive the pipe."""

from __future__ import annotations

import numpy as np
import pytest

from pathoview.jobs.messages import Cancel, Done, Event, Exit, Focus, Report, Run, decode, encode


@pytest.mark.parametrize(
    "message",
    [
        Run("j", "module:task", {"slide": "a/é.svs", "params": {"k": [1, None, True]}}),
        Report("j", 0.5, "half", {"mp_per_s": 3.5}),
        Event("j", "tile", {"rect_l0": [0, 0, 5, 5]}),
        Cancel("j"),
        Focus("j", None),
        Exit(),
    ],
)
def test_a_message_is_the_same_on_the_other_side(message: object) -> None:
    assert decode(encode(message)) == message  # type: ignore[arg-type]


def test_numpy_numbers_become_plain_ones() -> None:
    assert decode(encode(Done("j", {"n": np.int64(3)}))) == Done("j", {"n": 3})


def test_what_is_not_json_is_refused() -> None:
    with pytest.raises(TypeError):
        encode(Done("j", {"n": object()}))
