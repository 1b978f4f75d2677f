"""An outline drawn in several strokes is put together where their ends meet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

Stroke = npt.NDArray[np.float64]
"""(vertices, 2)"""


def joined_strokes(
    strokes: Sequence[Stroke], reach_px: float
) -> Iterator[tuple[list[int], Stroke]]:
    """Yield (numbers of strokes, the outline they make) for every chain that closes.

    The nearest end within reach comes next, turned around if need be; chains that stay open are
    left as they are.
    """
    waiting = list(range(len(strokes)))
    while waiting:
        chain, outline = [waiting[0]], strokes[waiting[0]]
        others = waiting[1:]
        while others and (found := _nearest(outline[-1], strokes, others, reach_px)) is not None:
            number, is_turned = found
            others.remove(number)
            chain.append(number)
            following = strokes[number][::-1] if is_turned else strokes[number]
            outline = np.concatenate([outline, following])
        is_closed = len(chain) > 1 and _distance(outline[0], outline[-1]) <= reach_px
        waiting = others if is_closed else waiting[1:]
        if is_closed:
            yield chain, outline


def _nearest(
    end: Stroke, strokes: Sequence[Stroke], others: Sequence[int], reach_px: float
) -> tuple[int, bool] | None:
    found = [
        (_distance(end, strokes[number][-1 if is_turned else 0]), number, is_turned)
        for number in others
        for is_turned in (False, True)
    ]
    distance, number, is_turned = min(found)
    return (number, is_turned) if distance <= reach_px else None


def _distance(one: Stroke, other: Stroke) -> float:
    return float(np.hypot(*(one - other)))
