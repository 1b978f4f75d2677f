"""What was predicted of a whole slide, in lines for the command line."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pathoview.core.translation import _, ngettext


def prediction_lines(name: str, result: Mapping[str, Any], seconds: float) -> Sequence[str]:
    """Return lines about the result of `analyze_bag.run` on the slide called ``name``."""
    if result["predicted"] is None:
        return [f"{name}: {result['why_not']}"]
    n = int(result["n_tiles"])
    head = ngettext(
        "{name}: {predicted}, from {n} tile in {seconds:.1f} s",
        "{name}: {predicted}, from {n} tiles in {seconds:.1f} s",
        n,
    ).format(name=name, predicted=result["predicted"], n=n, seconds=seconds)
    probabilities: Mapping[str, float] = result["probabilities"]
    shares = ", ".join(f"{one} {share:.3f}" for one, share in probabilities.items())
    told = _("probabilities: {shares}").format(shares=shares)
    if result["threshold"] is not None and len(probabilities) == 2:
        told += _("; {last} from {threshold:.3f} on").format(
            last=list(probabilities)[-1], threshold=result["threshold"]
        )
    tiles = [
        _("tile at {x:.0f}, {y:.0f} (level-0 px): attention {attention:.2f} × the average").format(
            x=tile["x_l0"], y=tile["y_l0"], attention=tile["attention"]
        )
        for tile in result["top_tiles"]
    ]
    return [head, *(f"  {line}" for line in (told, *tiles))]
