"""The page of a leak audit: what the window shows, and the same as an HTML file of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

import cv2
import numpy as np

from pathoview.core.errors import InputError
from pathoview.core.progress import Progress
from pathoview.core.translation import _, ngettext
from pathoview.datasets.leak_items import LeakItem, Rgb
from pathoview.datasets.leak_pairs import Pair
from pathoview.datasets.leaks import Audit, Finding
from pathoview.tasks.report_page import base64_png, page_html

Page = dict[str, Any]
"""JSON-able; see `page_of`."""

_MOST_SHOWN = 24
"""Pairs of a finding that are shown with their pictures."""
_SIDE_PX = 160


def page_of(audit: Audit, items: Sequence[LeakItem], progress: Progress) -> Page:
    """Return what is shown of an audit: findings with pairs of small PNG pictures, and the table.

    ``{"summary", "n_errors", "n_warnings", "splits", "findings": [{"kind", "severity",
    "sentence", "n_pairs", "pairs": [{"note", "items": [{"name", "split", "label", "png"}, …]}]}],
    "priors"}``; ``png`` is base64, empty where a picture cannot be read.
    """
    painter = _Painter(items, progress)
    return {
        "summary": summary_of(audit),
        "n_errors": audit.n_errors,
        "n_warnings": len(audit.findings) - audit.n_errors,
        "splits": dict(audit.splits),
        "findings": [painter.finding(one) for one in audit.findings],
        "priors": {label: dict(counts) for label, counts in audit.priors.items()},
    }


def summary_of(audit: Audit) -> str:
    """Return one sentence for all."""
    n_warnings = len(audit.findings) - audit.n_errors
    if not audit.findings:
        return _("No leaks were found.")
    kinds = ngettext(
        "Leaks of {n} kind were found.", "Leaks of {n} kinds were found.", audit.n_errors
    ).format(n=audit.n_errors)
    warnings = ngettext("{n} warning.", "{n} warnings.", n_warnings).format(n=n_warnings)
    found = kinds if audit.n_errors else _("No leaks were found.")
    return f"{found} {warnings}" if n_warnings else found


class _Painter:
    """Makes the small pictures; each item is loaded once."""

    def __init__(self, items: Sequence[LeakItem], progress: Progress) -> None:
        self._items = items
        self._progress = progress
        self._made: dict[int, str] = {}

    def finding(self, one: Finding) -> dict[str, Any]:
        return {
            "kind": one.kind,
            "severity": one.severity,
            "sentence": one.sentence,
            "n_pairs": len(one.pairs),
            "pairs": [self._pair(one.kind, pair) for pair in one.pairs[:_MOST_SHOWN]],
        }

    def _pair(self, kind: str, pair: Pair) -> dict[str, Any]:
        self._progress.check()
        first = self._items[pair.first]
        sides = [self._side(place) for place in pair.places]
        return {"note": _note(kind, pair, first), "items": sides}

    def _side(self, place: int) -> dict[str, str]:
        item = self._items[place]
        if place not in self._made:
            try:
                self._made[place] = _png(item.load().rgb)
            except InputError:
                self._made[place] = ""
        said = {"name": item.name, "split": item.split, "label": item.label}
        return {**said, "png": self._made[place]}


def _note(kind: str, pair: Pair, first: LeakItem) -> str:
    if kind in ("patient", "slide", "block"):
        return str(getattr(first, kind))
    if kind == "near":
        bits = ngettext("{n} of 64 bits differs", "{n} of 64 bits differ", int(pair.score))
        text = bits.format(n=int(pair.score))
        return _("{bits}, turned or mirrored").format(bits=text) if pair.is_turned else text
    return _("cosine {value:.4f}").format(value=pair.score) if kind == "alike" else ""


def _png(rgb: Rgb) -> str:
    scale = min(1.0, _SIDE_PX / max(rgb.shape[:2]))
    size = max(1, round(rgb.shape[1] * scale)), max(1, round(rgb.shape[0] * scale))
    small = cv2.resize(rgb, size, interpolation=cv2.INTER_AREA)
    return base64_png(np.asarray(small, np.uint8))


# -- HTML --------------------------------------------------------------------------------------


def html_of(page: Page) -> str:
    """Return the page as a file that needs no other."""
    counts = ", ".join(f"{split}: {n:,}" for split, n in page["splits"].items())
    parts = [
        f'<div class="finding {_tone(page)}"><h2>{escape(page["summary"])}</h2></div>',
        *(_finding_html(one) for one in page["findings"]),
        *_priors_html(page["priors"], list(page["splits"])),
    ]
    return page_html(_("Check for leaks"), [counts], parts)


def _tone(page: Page) -> str:
    if page["n_errors"]:
        return "error"
    return "" if page["n_warnings"] else "clean"


def _finding_html(one: Mapping[str, Any]) -> str:
    pairs = "".join(map(_pair_html, one["pairs"]))
    more = one["n_pairs"] - len(one["pairs"])
    rest = ""
    if more > 0:
        text = ngettext("{n} more pair is not shown.", "{n} more pairs are not shown.", more)
        rest = f'<p class="muted">{escape(text.format(n=more))}</p>'
    return (
        f'<div class="finding {one["severity"]}"><h2>{escape(one["sentence"])}</h2>'
        f'<div class="pairs">{pairs}</div>{rest}</div>'
    )


def _pair_html(pair: Mapping[str, Any]) -> str:
    sides = "".join(map(_side_html, pair["items"]))
    return f'<figure><div>{sides}</div><p class="muted">{escape(pair["note"])}</p></figure>'


def _side_html(side: Mapping[str, str]) -> str:
    words = " · ".join(filter(None, (side["name"], side["split"], side["label"])))
    image = f'<img alt="" src="data:image/png;base64,{side["png"]}">' if side["png"] else ""
    return f"<span>{image}{escape(words)}</span>"


def _priors_html(priors: Mapping[str, Mapping[str, int]], splits: Sequence[str]) -> Iterator[str]:
    if not priors:
        return
    totals = {split: sum(counts.get(split, 0) for counts in priors.values()) for split in splits}
    head = "".join(f'<th class="n">{escape(split)}</th>' for split in splits)
    yield f"<h2>{escape(_('Labels by split'))}</h2><table><tr><th></th>{head}</tr>"
    for label, counts in priors.items():
        cells = "".join(
            f'<td class="n">{counts.get(split, 0):,} '
            f"({counts.get(split, 0) / max(1, totals[split]):.0%})</td>"
            for split in splits
        )
        yield f"<tr><td>{escape(label)}</td>{cells}</tr>"
    yield "</table>"
