"""Plots of an evaluation as SVG that stands in the page: no library draws them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from typing import Any

from pathoview.core.translation import _

_SIDE, _LEFT, _TOP = 240, 44, 12
_COLORS = ("#2b6cb0", "#c05621", "#2f855a", "#805ad5", "#b7791f", "#97266d", "#4a5568")
_CELL_PX, _NAME_PX = 72, 110
_DARK = 0.55
"""Share above which a cell is so dark that its number is white."""


def curves_svg(curves: Sequence[Mapping[str, Any]]) -> str:
    """Return precision over recall, a line a class."""
    lines = [
        (f"{one['name']}, AP {one['average_precision']:.3f}", one["recall"], one["precision"])
        for one in curves
    ]
    return _frame(_("Recall"), _("Precision"), _named_lines(lines))


def roc_svg(curves: Sequence[Mapping[str, Any]]) -> str:
    """Return what is found over what is taken for it wrongly, a line a class."""
    lines = [
        (
            f"{one['name']}, AUROC {one['auroc']:.3f}",
            one["false_positive_rate"],
            one["true_positive_rate"],
        )
        for one in curves
        if one["auroc"] is not None
    ]
    marks = [_diagonal(), *_named_lines(lines)]
    return _frame(_("1 - specificity"), _("Sensitivity"), marks)


def _named_lines(lines: Sequence[tuple[str, Sequence[float], Sequence[float]]]) -> list[str]:
    """Return lines by the names that stand in the plot."""
    marks = []
    for place, (name, x, y) in enumerate(lines):
        color = _COLORS[place % len(_COLORS)]
        marks.append(_line(zip(x, y, strict=True), color))
        foot = _TOP + _SIDE - 10 - 15 * (len(lines) - 1 - place)
        marks.append(f'<text x="{_LEFT + 8}" y="{foot}" fill="{color}">{escape(name)}</text>')
    return marks


def _diagonal() -> str:
    return '<line x1="{}" y1="{}" x2="{}" y2="{}" stroke="#b8bdc6" stroke-dasharray="4 4"/>'.format(
        *_at(0, 0), *_at(1, 1)
    )


def reliability_svg(said: Mapping[str, Any]) -> str:
    """Return how often one was right over how certain one was; the diagonal is what is wanted."""
    points = [
        (confidence, right)
        for confidence, right in zip(said["confidence"], said["accuracy"], strict=True)
        if confidence is not None and right is not None
    ]
    total = max(1, sum(said["n"]))
    marks = [_diagonal(), _line(points, _COLORS[0])]
    shares = [n / total for n in said["n"] if n]
    for (x, y), share in zip((_at(*point) for point in points), shares, strict=False):
        radius = 2 + 8 * share**0.5
        marks.append(
            f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" fill="{_COLORS[0]}" '
            'fill-opacity="0.35"/>'
        )
    return _frame(_("Certainty"), _("Share that is right"), marks)


def confusion_svg(said: Mapping[str, Any]) -> str:
    """Return the matrix; a cell is the darker, the larger its share of its row."""
    rows, columns = said["rows"], said["columns"]
    width, height = _NAME_PX + _CELL_PX * len(columns), 44 + 34 * len(rows)
    parts = []
    for place, name in enumerate(columns):
        x = _NAME_PX + _CELL_PX * (place + 0.5)
        parts.append(f'<text x="{x}" y="34" text-anchor="middle">{escape(_short(name))}</text>')
    said_text = escape(_("said"))
    parts.append(f'<text x="{_NAME_PX}" y="14" fill="#6a6f78">{said_text} →</text>')
    for line, (name, counts) in enumerate(zip(rows, said["matrix"], strict=True)):
        y = 44 + 34 * line
        parts.append(
            f'<text x="{_NAME_PX - 10}" y="{y + 21}" text-anchor="end">'
            f"{escape(_short(name))}</text>"
        )
        parts += _cells(counts, y)
    return f'<svg width="{width}" height="{height}" role="img">{"".join(parts)}</svg>'


def _cells(counts: Sequence[int], y: int) -> Iterator[str]:
    total = max(1, sum(counts))
    for place, n in enumerate(counts):
        x, share = _NAME_PX + _CELL_PX * place, n / total
        color = "#fff" if share > _DARK else "#24262b"
        yield (
            f'<rect x="{x}" y="{y}" width="{_CELL_PX - 2}" height="32" fill="#2b6cb0" '
            f'fill-opacity="{0.06 + 0.84 * share:.2f}"/>'
            f'<text x="{x + _CELL_PX / 2 - 1}" y="{y + 21}" text-anchor="middle" '
            f'fill="{color}">{n:,}</text>'
        )


def _short(name: str) -> str:
    return name if len(name) <= 14 else name[:13] + "…"


def _at(x: float, y: float) -> tuple[float, float]:
    return _LEFT + _SIDE * x, _TOP + _SIDE * (1 - y)


def _line(points: Any, color: str) -> str:
    said = " ".join(f"{x:.1f},{y:.1f}" for x, y in (_at(*point) for point in points))
    return f'<polyline points="{said}" fill="none" stroke="{color}" stroke-width="1.8"/>'


def _frame(x_title: str, y_title: str, marks: Sequence[str]) -> str:
    parts = [
        f'<rect x="{_LEFT}" y="{_TOP}" width="{_SIDE}" height="{_SIDE}" fill="#fff" '
        'stroke="#d4d8de"/>'
    ]
    for value in (0.0, 0.5, 1.0):
        x, y = _at(value, value)
        parts.append(
            f'<text x="{x}" y="{_TOP + _SIDE + 16}" text-anchor="middle" '
            f'fill="#6a6f78">{value:g}</text>'
            f'<text x="{_LEFT - 6}" y="{y + 4}" text-anchor="end" fill="#6a6f78">{value:g}</text>'
        )
    middle = _LEFT + _SIDE / 2
    parts.append(
        f'<text x="{middle}" y="{_TOP + _SIDE + 32}" text-anchor="middle">{escape(x_title)}</text>'
        f'<text transform="translate(12 {_TOP + _SIDE / 2}) rotate(-90)" '
        f'text-anchor="middle">{escape(y_title)}</text>'
    )
    size = f'width="{_LEFT + _SIDE + 12}" height="{_TOP + _SIDE + 40}"'
    return f'<svg {size} role="img">{"".join([*parts, *marks])}</svg>'
