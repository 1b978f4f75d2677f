"""The report of a slide as a page: for the browser, and for the printer of the window.

Tables lay it out, and all pictures are PNG: the printer knows little of style sheets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from pathoview.core.translation import _, ngettext
from pathoview.tasks.evaluation_words import score_title
from pathoview.tasks.report_page import facts_html, page_html, table_html

Told = Mapping[str, Any]

_TILES_A_ROW = 4


def html_of(told: Told) -> str:
    """Return the page as a file that needs no other; ``told``: see `slide_report`."""
    parts = [*_slide(told)]
    for one in told["runs"]:
        parts += _run(one)
    if not told["runs"]:
        parts.append(f"<p>{escape(_('Nothing was analyzed on this slide yet.'))}</p>")
    return page_html(_("Slide report"), [told["pseudonym"]], parts)


def _slide(told: Told) -> Iterator[str]:
    facts = told["slide"]
    width, height = facts["size_px"]
    rows = [[_("Size"), f"{width:,} × {height:,} px"]]
    if facts["mpp"] is not None:
        x, y = facts["mpp"]
        scale = f"{x:.4g}" if x == y else f"{x:.4g} × {y:.4g}"
        stated = _("stated by a person") if facts["scale_source"] == "user" else ""
        rows.append([_("µm per px"), f"{scale} {stated}".strip()])
    if facts["objective_power"]:
        rows.append([_("Objective"), f"{facts['objective_power']:g}×"])
    if facts["tissue_mm2"] is not None:
        rows.append([_("Tissue"), f"{facts['tissue_mm2']:.2f} mm²"])
    rows.append([_("Hash of the file"), facts["hash"][:16]])
    rows += [[_("Label"), _label_text(one)] for one in told["labels"]]
    picture = f'<td valign="top">{_image(told["picture"], "wide")}</td>'
    yield f'<table><tr>{picture}<td valign="top">{facts_html(rows)}</td></tr></table>'


def _label_text(one: Told) -> str:
    value = "" if one["value"] is None else f" {one['value']:g}"
    by = ", ".join(filter(None, [one["author"], one["created"][:10]]))
    return f"{one['name']}{value}" + (f" ({by})" if by else "")


def _run(one: Told) -> Iterator[str]:
    record = one["record"]
    yield f"<h2>{escape(record['title'])}</h2>"
    yield from _prediction(one)
    yield _picture(one["picture"])
    yield from _found(one)
    yield from _tiles(one.get("tiles", ()))
    yield from _made_with(one)


def _prediction(one: Told) -> Iterator[str]:
    """Yield what is said of the slide as a whole, and how much that is worth."""
    if one["record"]["gives"] != "bag":
        return
    if one["predicted"] is None:
        yield f"<p>{escape(_('No prediction: no tissue was found.'))}</p>"
        return
    yield f"<p><b>{escape(one['predicted'])}</b></p>"
    rows = [[name, f"{share:.1%}"] for name, share in one["probabilities"].items()]
    head = [_("Class"), _("Probability")]
    if one["thresholds"]:  # each class is a question of its own
        head.append(_("Said from"))
        rows = [[*row, f"{least:.1%}"] for row, least in zip(rows, one["thresholds"], strict=True)]
    yield table_html(head, rows)
    yield _paragraphs(_worth(one))


def _worth(one: Told) -> Iterator[str]:
    near, names = one["alike"], list(one["probabilities"])
    if near is not None:
        yield _(
            "Of the {n} held-out slides that were given the most similar probability "
            "({lowest:.0%} – {highest:.0%}), {n_right} were {name}: {share:.0%} "
            "(95 % interval {low:.0%} – {high:.0%})."
        ).format(name=one["predicted"], low=near["interval"][0], high=near["interval"][1], **near)
    elif not one["thresholds"]:
        yield _("How often the model is right with such a probability is not known here.")
    if one["threshold"] is not None and len(names) == 2:
        yield _("{name} from {threshold:.1%} on: chosen on validation slides.").format(
            name=names[1], threshold=one["threshold"]
        )
    if one["auroc"] is not None:
        interval = one["auroc_interval"]
        between = "" if interval is None else f" (95 %: {interval[0]:.2f} – {interval[1]:.2f})"
        yield _("AUROC of the model on held-out slides: {auroc:.2f}{between}").format(
            auroc=one["auroc"], between=between
        )


def _found(one: Told) -> Iterator[str]:
    record = one["record"]
    area, names = record["area_mm2"], [each["name"] for each in record["classes"]]
    rows = []
    for name, n in one.get("counts", {}).items():
        density = f"{n / area:,.0f}" if area else "–"
        rows.append([name or _("Objects without a class"), f"{n:,}", density])
    if rows:
        yield table_html([_("Found"), _("Number"), _("per mm² of tissue")], rows)
    areas = record["class_areas_mm2"]
    if areas:
        total = sum(areas) or 1.0
        rows = [
            [name, f"{mm2:.3f}", f"{mm2 / total:.1%}"]
            for name, mm2 in zip(names, areas, strict=False)
        ]
        yield table_html([_("Class"), "mm²", _("Share")], rows)
    if record["gives"] == "synthesis":
        pathology = record["pathology_mm2"]
        share = f"{pathology / area:.1%}" if area else "–"
        yield table_html([_("Pathology"), "mm²", _("Share")], [[*names, f"{pathology:.3f}", share]])
        yield _paragraphs([_("What the model takes for pathology, from a probability of 0.5 on.")])


def _tiles(tiles: Sequence[Told]) -> Iterator[str]:
    if not tiles:
        return
    yield f"<h3>{escape(_('Tiles that counted most'))}</h3>"
    text = _("Attention is importance, not probability; 1 is an average tile.")
    yield _paragraphs([text])
    rows = (
        "<tr>" + "".join(f'<td valign="top">{_tile(one)}</td>' for one in some) + "</tr>"
        for some in _in_rows(tiles)
    )
    yield f"<table>{''.join(rows)}</table>"


def _in_rows(tiles: Sequence[Told]) -> Iterable[Sequence[Told]]:
    return (tiles[start : start + _TILES_A_ROW] for start in range(0, len(tiles), _TILES_A_ROW))


def _tile(one: Told) -> str:
    answers = {"agree": _("agreed"), "disagree": _("disagreed"), "unsure": _("unsure")}
    evidence = ", ".join(f"{name} {share:.2f}" for name, share in one["evidence"].items())
    lines = [
        _("attention {value:.1f} ×").format(value=one["attention"]),
        evidence,
        f"{one['x_l0']:,.0f}, {one['y_l0']:,.0f} px"
        if one["frame"] is None
        else _("frame {n}").format(n=one["frame"]),
        ", ".join(f"{answers[answer]} {n}" for answer, n in one["answers"].items()),
    ]
    said = "<br>".join(escape(text) for text in lines if text)
    return f'{_image(one["png"])}<br><span class="muted">{said}</span>'


def _made_with(one: Told) -> Iterator[str]:
    record, card = one["record"], one["card"]
    yield f"<h3>{escape(_('Made with'))}</h3>"
    rows = [[_("Method"), f"{record['method']} {record['method_version']}"]]
    if one["reference"]:
        rows.append([_("After"), one["reference"]])
    if record["params"]:
        said = ", ".join(f"{name} = {value}" for name, value in record["params"].items())
        rows.append([_("Parameters"), said])
    if record["model"]:
        rows.append([_("Model"), f"{record['model_title']} ({record['model'][:8]})"])
    rows += [] if card is None else _card_rows(card)
    if record["model"] and card is None:
        rows.append([_("Model card"), _("The model is not on this computer any more.")])
    if record["region_l0"] is not None:
        x, y, width, height = record["region_l0"]
        rows.append([_("Only in"), f"{width:,} × {height:,} px, {x:,}, {y:,}"])
    if record["mpp"] is not None:
        rows.append([_("Tissue analyzed"), f"{record['area_mm2']:.2f} mm²"])
    rows += [
        [_("Seed"), str(record["seed"])],
        [_("When"), record["finished"][:19].replace("T", " ")],
        [_("Versions"), ", ".join(f"{name} {one}" for name, one in record["versions"].items())],
    ]
    yield facts_html(rows)


def _card_rows(card: Told) -> list[list[str]]:
    n = sum(card["labels"].values())
    labels = ", ".join(f"{name} {n:,}" for name, n in card["labels"].items())
    rows = [
        [_("Trained on"), ngettext("{n:,} label", "{n:,} labels", n).format(n=n)],
        [_("Labels"), labels],
        [_("Created"), card["created"]],
        [_("Licence"), card["licence"] or _("not stated")],
        [_("Notes"), card["notes"]],
    ]
    for name, (low, high) in card["intervals"].items():
        if name in card["metrics"] and "." not in name:
            value = f"{card['metrics'][name]:.3f} ({low:.3f} – {high:.3f})"
            rows.append([score_title(name), value])
    return [row for row in rows if row[1]]


def _paragraphs(sentences: Iterable[str]) -> str:
    return "".join(f'<p class="muted">{escape(one)}</p>' for one in sentences)


def _picture(png: str) -> str:
    return f"<p>{_image(png, 'wide')}</p>"


def _image(png: str, kind: str = "") -> str:
    name = f' class="{kind}"' if kind else ""
    return f'<img alt=""{name} src="data:image/png;base64,{png}">'
