"""The page of an evaluation: scores with intervals, plots, the worst places, what it was made with.

Images go by their pseudonyms.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from pathoview.core.translation import _, ngettext
from pathoview.methods.spec import Kind
from pathoview.tasks.doubts import chance_told
from pathoview.tasks.evaluation_plots import confusion_svg, curves_svg, reliability_svg, roc_svg
from pathoview.tasks.evaluation_words import TITLES, kind_word, score_title
from pathoview.tasks.report_page import page_html, table_html

Result = Mapping[str, Any]


def html_of(result: Result) -> str:
    """Return the page as a file that needs no other; see `evaluate.run` for the result."""
    n = int(result["n"])
    facts = [result["title"], ngettext("{n} image", "{n} images", n).format(n=n)]
    if "against" in result:
        facts[0] = _("{first} against {second}").format(
            first=result["title"], second=result["against"]["title"]
        )
    parts = [
        *(f'<div class="finding"><h2>{escape(one)}</h2></div>' for one in result["warnings"]),
        *_scores(result),
        *_plots(result),
        *_classes(result),
        *_worst(result["worst"]),
        *_images(result),
        *_made_with(result),
    ]
    return page_html(_("Evaluation"), facts, parts)


def value_text(value: float | None) -> str:
    """Return a score as it is shown."""
    return "–" if value is None else f"{value:.3f}"


def interval_text(told: Mapping[str, Any] | None) -> str:
    """Return the two ends of an interval as they are shown; empty: there is none."""
    return "" if told is None or "low" not in told else f"{told['low']:.3f} – {told['high']:.3f}"


@dataclass(frozen=True, slots=True)
class ScoreTable:
    """Scores as they are shown: one a row, texts only."""

    title: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def to_json(self) -> dict[str, Any]:
        return {"title": self.title, "head": self.head, "rows": self.rows}


def score_tables(result: Result) -> list[ScoreTable]:
    """Return the means over images, and the scores of all images together."""
    means = [name for name in TITLES if result.get(name) is not None]
    pooled = [name for name in TITLES if name in result["pooled"]]
    return [
        ScoreTable(title, _head(result), tuple(_score_row(result, group, one) for one in names))
        for title, group, names in (
            (_("Means over images"), "", means),
            (_("All images together"), "pooled", pooled),
        )
        if names
    ]


def _head(result: Result) -> tuple[str, ...]:
    interval = _("95 % interval")
    if "against" not in result:
        return _("Score"), _("Value"), interval
    titles = result["title"], result["against"]["title"]
    return _("Score"), titles[0], interval, titles[1], _("Difference"), interval


def _score_row(result: Result, group: str, name: str) -> tuple[str, ...]:
    def value(one: Result) -> float | None:
        found = one["pooled"].get(name, {}).get("value") if group else one.get(name)
        return None if found is None else float(found)

    told = result[group or "intervals"].get(name)
    row = score_title(name), value_text(value(result)), interval_text(told)
    if "against" not in result:
        return row
    apart = result["difference"].get(f"{group}_{name}" if group else name)
    difference = "" if apart is None else f"{apart['value']:+.3f}"
    return (*row, value_text(value(result["against"])), difference, interval_text(apart))


def _scores(result: Result) -> Iterator[str]:
    """Yield the tables of scores, what intervals mean, and what was counted."""
    for one in score_tables(result):
        yield _section(one.title)
        yield table_html(one.head, one.rows)
    told = [*result["intervals"].values(), *result["pooled"].values()]
    over = {one["over"] for one in told if "over" in one}
    units = {"blocks": _("blocks of the image"), "patients": _("patients")}
    unit = units.get(over.pop(), _("images")) if len(over) == 1 else _("images")
    text = _("Intervals: 95 of 100 drawings of the {unit}; with few of them they are too narrow.")
    yield f'<p class="muted">{escape(text.format(unit=unit))}</p>'
    counts = " · ".join(f"{kind_word(name)} {n:,}" for name, n in result["counts"].items())
    yield f'<p class="muted">{escape(counts)}</p>'


def _plots(result: Result) -> Iterator[str]:
    yield _section(_("What was taken for what"))
    yield confusion_svg(result["confusion"])
    plots = []
    if result.get("roc"):
        plots.append(roc_svg(result["roc"]))
    if result["pr"]:
        plots.append(curves_svg(result["pr"]))
    said = result["reliability"]
    if said is not None:
        plots.append(reliability_svg(said))
    if plots:
        yield _section(_("Probabilities"))
        yield f'<div class="plots">{"".join(plots)}</div>'
    if said is not None:
        facts = [
            _("expected calibration error {value}").format(
                value=value_text(said["expected_calibration_error"])
            ),
            _("Brier score {value}").format(value=value_text(said["brier"])),
        ]
        if said["temperature"] is not None:
            facts.append(_("best temperature {value:.2f}").format(value=said["temperature"]))
        yield f'<p class="muted">{escape(" · ".join(facts))}</p>'


def _classes(result: Result) -> Iterator[str]:
    yield _section(_("Classes"))
    head = [_("Class"), _("Precision"), _("Recall"), "Dice", "IoU", _("Known")]
    yield table_html(
        head,
        [
            [
                name,
                *(value_text(one[key]) for key in ("precision", "recall", "dice", "iou")),
                f"{one['n']:,.0f}",
            ]
            for name, one in result["classes"].items()
        ],
    )


def _worst(places: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    if not places:
        return
    yield _section(_("Worst places"))
    text = _("Green: the truth. Orange: the prediction. Coordinates are pixels of the full size.")
    yield f'<p class="muted">{escape(text)}</p>'
    yield f'<div class="places">{"".join(map(_place, places))}</div>'


def _place(one: Mapping[str, Any]) -> str:
    image = f'<img alt="" src="data:image/png;base64,{one["png"]}">' if one["png"] else ""
    unit = f" {one['unit']}" if one["unit"] else ""
    said = f"{kind_word(one['kind'])}, {one['amount']:.3g}{unit}"
    where = f"{one['image']} · {one['x']:.0f}, {one['y']:.0f}"
    return f"<figure>{image}<figcaption>{escape(said)}<br>{escape(where)}</figcaption></figure>"


def _images(result: Result) -> Iterator[str]:
    yield _section(_("Images"))
    if result["kind"] == Kind.BAG:
        yield from _slides(result["per_image"])
        return
    names = [name for name in TITLES if result.get(name) is not None]
    rows = [
        [image, *(value_text(one.get(name)) for name in names)]
        for image, one in result["per_image"].items()
    ]
    yield table_html([_("Image"), *map(score_title, names)], rows)


def _slides(slides: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield what each slide is, what was said, and how probable each class is."""
    columns = [name for name in next(iter(slides.values())) if name not in ("label", "said")]
    rows = [
        [name, one["label"], one["said"], *(value_text(one[column]) for column in columns)]
        for name, one in slides.items()
    ]
    yield table_html([_("Image"), _("Label"), _("Said"), *columns], rows)


def _made_with(result: Result) -> Iterator[str]:
    yield _section(_("Made with"))
    rows = [[_("Method"), result["method"]]]
    card = result["card"]
    if card is not None:
        trained = sum(one["split"] == "train" for one in card["data"])
        rows += [
            [_("Model"), f"{card['title']} ({card['id'][:8]})"],
            [_("Created"), card["created"]],
            [_("Classes"), ", ".join(one["name"] for one in card["classes"])],
            [_("Images learned from"), f"{trained:,}"],
            [_("µm per px"), f"{card['mpp']:g}"],
            [_("Licence"), card["licence"] or _("not stated")],
        ]
        if chance := chance_told(card["metrics"]):
            rows.append([_("Cross-validation"), chance])
    rows += [[name, version] for name, version in result["versions"].items()]
    yield table_html(["", ""], rows)


def _section(title: str) -> str:
    return f"<section><h2>{escape(title)}</h2></section>"
