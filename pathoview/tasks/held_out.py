"""What a model of whole slides did on slides held out in its cross-validation: numbers, curves.

All is taken from the model's card: nothing is predicted anew. The predictions are those of the
folds, of weights that had not seen the slides; the model itself has.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
import orjson
from pydantic import BaseModel, ConfigDict

from pathoview.core.errors import InputError
from pathoview.core.files import replacing
from pathoview.core.progress import Progress
from pathoview.core.statement import RESEARCH_USE
from pathoview.core.translation import _, ngettext
from pathoview.evaluation.slides import Predictions
from pathoview.methods.model import HeldOut, ModelCard, read_card
from pathoview.methods.registry import METHODS
from pathoview.tasks.cross_validation import predictions
from pathoview.tasks.doubts import chance_told, doubts
from pathoview.tasks.evaluation_plots import confusion_svg, curves_svg, reliability_svg, roc_svg
from pathoview.tasks.evaluation_report import value_text
from pathoview.tasks.evaluation_words import TITLES, score_title
from pathoview.tasks.predictions_told import (
    claims_of,
    confusion_told,
    is_of_two,
    looked_for,
    names_told,
    pr_told,
    roc_told,
)
from pathoview.tasks.report_page import page_html, table_html

_BASELINES = {"mean": _("Mean of the tiles"), "max": _("Strongest tile")}

_MEANING = _(
    "Each slide was predicted by weights that had seen neither it nor its patient (out of fold). "
    "The finished model has seen all of them: how it does on new slides, only those can show."
)


class HeldOutRequest(BaseModel):
    """Whose results, and where they go."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    model: str
    report: str = ""
    """An HTML file; empty: none."""
    page: str = ""
    """A JSON file for the window; empty: none."""


def run(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Tell what is known of a model's cross-validation; see `HeldOutRequest`.

    Raises `InputError` when the file is no model, or was not cross-validated, `StorageError`.
    """
    order = HeldOutRequest.model_validate(request)
    told = page_of(read_card(Path(order.model)))
    if order.page:
        with replacing(Path(order.page)) as file:
            file.write(orjson.dumps(told))
    if order.report:
        with replacing(Path(order.report)) as file:
            file.write(html_of(told).encode())
    progress.report(1.0)
    return {"n": told["n"]}


def page_of(card: ModelCard) -> dict[str, Any]:
    """Return all that is told, JSON-able; raise `InputError` for a card without held-out slides."""
    if not card.held_out:
        raise InputError(
            _("“{title}” was not cross-validated.").format(title=card.title),
            _("Train it on labels of slides here, or measure it on slides that it has not seen."),
        )
    names = [one.name for one in card.classes]
    said = {name: _said(card, name) for name in card.held_out[0].probabilities}
    own = said[card.method]
    return {
        "title": card.title,
        "n": len(card.held_out),
        "n_patients": len({one.group or one.slide_hash for one in card.held_out}),
        "n_folds": len({one.fold for one in card.held_out}),
        "notes": [
            *([card.notes] if card.notes else []),
            *doubts(card.metrics, card.intervals, names),
        ],
        "scores": _scores(card),
        "confusion": confusion_told(own, names),
        "roc": list(_rocs(card, said, names)),
        "pr": list(_prs(card, said, names)),
        "reliability": claims_of(own),
        "slides": [_slide(card, one, names) for one in card.held_out],
        "meaning": " ".join(filter(None, [_MEANING, chance_told(card.metrics)])),
        "research_use": RESEARCH_USE,
    }


def _said(card: ModelCard, predictor: str) -> Predictions:
    """Return what one predictor said of all slides."""
    held_out = card.held_out
    is_several = bool(held_out[0].labels)
    truth = [one.labels if is_several else one.label for one in held_out]
    said = [
        one.said_labels[predictor] if is_several else _decided(one, predictor) for one in held_out
    ]
    return predictions(
        np.array(truth, np.int64),
        np.array([one.probabilities[predictor] for one in held_out]),
        np.array(said, np.int64),
        is_ordered=card.settings.get("ordering") == "grades",
    )


def _decided(one: HeldOut, predictor: str) -> int:
    likeliest = int(np.argmax(one.probabilities[predictor]))
    return one.said.get(predictor, likeliest)


def _scores(card: ModelCard) -> dict[str, Any]:
    """Return the table of scores: the method with its intervals, and what ran beside it."""
    others = [name for name in _BASELINES if f"{name}.auroc" in card.metrics]
    rows = []
    for name in (name for name in TITLES if name in card.metrics):
        beside = [_with_interval(card, f"{one}.{name}") for one in others]
        rows.append([score_title(name), _with_interval(card, name), *beside])
    for one in others:
        over = _with_interval(card, f"over_{one}.auroc", sign="+")
        title = _("AUROC over: {name}").format(name=_BASELINES[one])
        rows.append([title, over, *("" for _other in others)])
    head = [_("Score"), _predictor(card, card.method), *(_BASELINES[one] for one in others)]
    return {"title": _("Scores, with 95 % intervals over patients"), "head": head, "rows": rows}


def _with_interval(card: ModelCard, name: str, sign: str = "") -> str:
    """Return a score and its interval as they are shown; empty: it is not known."""
    value = card.metrics.get(name)
    if value is None:
        return ""
    text = format(value, f"{sign}.3f")
    if name not in card.intervals:
        return text
    low, high = card.intervals[name]
    return f"{text} ({low:{sign}.3f} – {high:{sign}.3f})"


def _predictor(card: ModelCard, name: str) -> str:
    if name in _BASELINES:
        return _BASELINES[name]
    return METHODS.get(card.method).title if card.method in METHODS else card.method


def _rocs(
    card: ModelCard, several: Mapping[str, Predictions], names: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Yield curves: of two classes one a predictor, of more one a class, of the method."""
    for name, said, place in _lines(several):
        key = "auroc" if name == card.method else f"{name}.auroc"
        is_two = is_of_two(said)
        title = _predictor(card, name) if is_two else names[place]
        interval = card.intervals.get(key) if is_two else None
        yield roc_told(title, said, place) | {"interval": interval}


def _prs(
    card: ModelCard, several: Mapping[str, Predictions], names: Sequence[str]
) -> Iterator[dict[str, Any]]:
    for name, said, place in _lines(several):
        yield pr_told(_predictor(card, name) if is_of_two(said) else names[place], said, place)


def _lines(
    several: Mapping[str, Predictions],
) -> Iterator[tuple[str, Predictions, int]]:
    """Yield who predicts which class: of more than two classes, only the method."""
    for number, (name, said) in enumerate(several.items()):
        if is_of_two(said) or not number:
            for place in looked_for(said):
                yield name, said, place


def _slide(card: ModelCard, one: HeldOut, names: Sequence[str]) -> dict[str, Any]:
    """Return one slide: in words, which cells of the matrix it is in, how certain it was."""
    told = {"slide_hash": one.slide_hash, "name": one.name, "fold": one.fold + 1}
    probabilities = one.probabilities[card.method]
    if not one.labels:
        decided = _decided(one, card.method)
        return told | {
            "label": names[one.label],
            "said": names[decided],
            "probability": probabilities[decided],
            "classes": [one.label],
            "cells": [(one.label, decided)],
            "is_right": one.label == decided,
        }
    said = one.said_labels[card.method]
    certain = [p if is_it else 1 - p for p, is_it in zip(probabilities, said, strict=True)]
    return told | {
        "label": names_told(names, one.labels),
        "said": names_told(names, said),
        # Of all that was said, together.
        "probability": float(np.prod(certain)),
        "classes": [place for place, has_it in enumerate(one.labels) if has_it],
        "cells": [
            (place, 2 * (1 - has_it) + (1 - is_said))
            for place, (has_it, is_said) in enumerate(zip(one.labels, said, strict=True))
        ],
        "is_right": one.labels == said,
    }


# -- the report ------------------------------------------------------------------------------------


def html_of(told: Mapping[str, Any]) -> str:
    """Return the page as a file that needs no other."""
    scores = told["scores"]
    plots = [roc_svg(told["roc"]), curves_svg(told["pr"]), reliability_svg(told["reliability"])]
    rows = [
        [
            one["name"],
            one["label"],
            one["said"],
            value_text(one["probability"]),
            str(one["fold"]),
        ]
        for one in told["slides"]
    ]
    head = [_("Slide"), _("Label"), _("Said"), _("Probability"), _("Fold")]
    parts = [
        *(f'<div class="finding"><h2>{escape(one)}</h2></div>' for one in told["notes"]),
        f"<p>{escape(told['meaning'])}</p>",
        _section(scores["title"]),
        table_html(scores["head"], scores["rows"]),
        _section(_("What was taken for what")),
        confusion_svg(told["confusion"]),
        _section(_("Probabilities")),
        f'<div class="plots">{"".join(plots)}</div>',
        _section(_("Slides")),
        table_html(head, rows),
    ]
    return page_html(_("Cross-validation"), [told["title"], _numbers(told)], parts)


def _numbers(told: Mapping[str, Any]) -> str:
    n, n_patients, n_folds = told["n"], told["n_patients"], told["n_folds"]
    return ", ".join(
        [
            ngettext("{n} slide", "{n} slides", n).format(n=n),
            ngettext("{n} patient", "{n} patients", n_patients).format(n=n_patients),
            ngettext("{n} fold", "{n} folds", n_folds).format(n=n_folds),
        ]
    )


def _section(title: str) -> str:
    return f"<section><h2>{escape(title)}</h2></section>"
