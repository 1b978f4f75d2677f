"""What was predicted of a whole slide, in lines for the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pathoview.core.clock import clock_text
from pathoview.core.translation import _, ngettext


def prediction_lines(name: str, result: Mapping[str, Any], seconds: float) -> Sequence[str]:
    """Return lines about the result of `analyze_bag.run` on the slide called ``name``."""
    if result["predicted"] is None:
        return [f"{name}: {result['why_not']}"]
    head = _head(name, result, seconds)
    probabilities: Mapping[str, float] = result["probabilities"]
    shares = ", ".join(f"{one} {share:.3f}" for one, share in probabilities.items())
    told = _("probabilities: {shares}").format(shares=shares)
    if result["threshold"] is not None and len(probabilities) == 2:
        told += _("; {last} from {threshold:.3f} on").format(
            last=list(probabilities)[-1], threshold=result["threshold"]
        )
    if result["thresholds"]:
        each = zip(probabilities, result["thresholds"], strict=True)
        said = ", ".join(f"{one} {least:.3f}" for one, least in each)
        told += _("; said from: {said}").format(said=said)
    tiles = [
        _("{place}: attention {attention:.2f} × the average").format(
            place=_place(tile, result["is_clip"]), attention=tile["attention"]
        )
        for tile in result["top_tiles"]
    ]
    return [head, *(f"  {line}" for line in (told, *tiles))]


def _head(name: str, result: Mapping[str, Any], seconds: float) -> str:
    n = int(result["n_tiles"])
    tiles = ngettext(
        "{name}: {predicted}, from {n} tile in {seconds:.1f} s",
        "{name}: {predicted}, from {n} tiles in {seconds:.1f} s",
        n,
    )
    frames = ngettext(
        "{name}: {predicted}, from {n} frame in {seconds:.1f} s",
        "{name}: {predicted}, from {n} frames in {seconds:.1f} s",
        n,
    )
    text = frames if result["is_clip"] else tiles
    return text.format(name=name, predicted=result["predicted"], n=n, seconds=seconds)


def _place(tile: Mapping[str, Any], is_clip: bool) -> str:
    """Return where a tile is: on the slide, in which picture of a row, or at what time."""
    if is_clip:
        frame = _("frame {n}").format(n=tile["frame"])
        seconds = tile["time_s"]
        return frame if seconds is None else f"{frame} ({clock_text(seconds)})"
    where = _("tile at {x:.0f}, {y:.0f} (level-0 px)").format(x=tile["x_l0"], y=tile["y_l0"])
    if "frame" in tile:
        return _("picture {n}, {where}").format(n=tile["frame"], where=where)
    return where
