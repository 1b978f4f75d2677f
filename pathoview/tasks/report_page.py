"""The frame of all reports: one HTML file that needs no other, in the colours of the program."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Sequence
from html import escape

import cv2
import numpy as np
import numpy.typing as npt

from pathoview import __version__
from pathoview.core.statement import RESEARCH_USE
from pathoview.core.translation import _
from pathoview.study.records import now

_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #24262b; background: #fafafa; margin: 0; }
main { max-width: 860px; margin: 0 auto; padding: 32px 24px 64px; }
h1 { font-size: 24px; font-weight: 600; margin: 0 0 4px; }
h2 { font-size: 16px; font-weight: 600; margin: 0; }
section { margin: 32px 0 0; }
.muted { color: #6a6f78; font-size: 13px; }
.finding { background: #fff; border: 1px solid #e3e5e9; border-left: 4px solid #c98a1b;
  border-radius: 6px; padding: 14px 18px; margin: 16px 0; }
.finding.error { border-left-color: #b3372f; }
.clean { border-left-color: #3c8a57; }
.pairs { display: flex; flex-wrap: wrap; gap: 16px; margin-top: 12px; }
.pairs figure { width: 340px; }
.plots { display: flex; flex-wrap: wrap; gap: 24px; margin-top: 12px; }
.places { display: flex; flex-wrap: wrap; gap: 16px; margin-top: 12px; }
.places figure { width: 168px; }
figure { margin: 0; }
figure div { display: flex; gap: 8px; align-items: flex-start; }
figure span { width: 166px; overflow-wrap: anywhere; font-size: 12px; color: #6a6f78; }
figcaption { font-size: 12px; color: #6a6f78; overflow-wrap: anywhere; }
h3 { font-size: 14px; font-weight: 600; margin: 20px 0 0; }
img { max-width: 168px; max-height: 168px; border-radius: 4px; display: block; }
img.wide { max-width: 820px; max-height: none; }
svg { font: 11px system-ui, sans-serif; display: block; }
table { border-collapse: collapse; margin: 12px 0; }
td, th { padding: 4px 16px 4px 0; text-align: left; border-bottom: 1px solid #e3e5e9; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
"""


def page_html(title: str, facts: Sequence[str], parts: Iterable[str]) -> str:
    """Return a whole page; ``facts`` stand below the title, ``parts`` are HTML."""
    written = _("Written {time} by PathoView {version}").format(time=now(), version=__version__)
    said = " · ".join([written, *filter(None, facts)])
    body = "\n".join(
        [
            f"<h1>{escape(title)}</h1>",
            f'<p class="muted">{escape(said)}</p>',
            *parts,
            f'<p class="muted">{escape(RESEARCH_USE)}</p>',
        ]
    )
    head = f'<meta charset="utf-8"><title>{escape(title)}</title>'
    return (
        f'<!doctype html><html lang="en"><head>{head}<style>{_STYLE}</style></head>'
        f"<body><main>\n{body}\n</main></body></html>\n"
    )


def table_html(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of texts; all columns but the first hold numbers."""
    parts = [_row("th", head), *(_row("td", one) for one in rows)]
    return f"<table>{''.join(parts)}</table>"


def facts_html(rows: Iterable[Sequence[str]]) -> str:
    """Return a table of names and what is said of each."""
    cells = (f"<td>{escape(name)}</td><td>{escape(said)}</td>" for name, said in rows)
    return f"<table>{''.join(f'<tr>{one}</tr>' for one in cells)}</table>"


def base64_png(rgb: npt.NDArray[np.uint8]) -> str:
    """Return a picture, (height, width, 3) RGB, as PNG in base64."""
    _ok, data = cv2.imencode(".png", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR))
    return base64.b64encode(data.tobytes()).decode()


def _row(tag: str, cells: Sequence[str]) -> str:
    first = f"<{tag}>{escape(cells[0])}</{tag}>"
    others = "".join(f'<{tag} class="n">{escape(one)}</{tag}>' for one in cells[1:])
    return f"<tr>{first}{others}</tr>"
