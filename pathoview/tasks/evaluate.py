"""Score a method, or two, against images whose truth is known. The result is what others compare.

A picture is opened, analyzed and outlined as any slide would be; its outlines are filled at full
resolution and compared with the known nuclei there. `evaluate_cases` says what is scored against,
`evaluate_instances`, `evaluate_maps` and `evaluate_objects` how an image is scored, and
`evaluate_summary` how they are added up. Whole slides are scored by `evaluate_slides`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import orjson
from pydantic import Field

from pathoview.core.errors import UsageError
from pathoview.core.files import replacing
from pathoview.core.progress import Progress
from pathoview.core.translation import _
from pathoview.methods.registry import METHODS
from pathoview.methods.spec import Kind
from pathoview.study.scales import remember_scale
from pathoview.tasks.bag_labels import BagItems
from pathoview.tasks.evaluate_cases import (
    NUCLEUS,
    Case,
    Cases,
    CaseSource,
    learned_from,
    open_cases,
    seen_before,
)
from pathoview.tasks.evaluate_instances import METRICS, score_instances
from pathoview.tasks.evaluate_maps import legend_of, score_map
from pathoview.tasks.evaluate_objects import class_names, score_objects
from pathoview.tasks.evaluate_scores import ImageScores, Place, worst_first
from pathoview.tasks.evaluate_slides import evaluate_slides
from pathoview.tasks.evaluate_summary import (
    Scored,
    difference,
    means,
    places_of_cells,
    summary,
    worst,
)
from pathoview.tasks.evaluation_report import html_of, score_tables
from pathoview.tasks.evaluation_tables import write_tables
from pathoview.tasks.evaluation_words import KINDS, kind_word
from pathoview.tasks.method_building import BuiltMethod, build_method
from pathoview.tasks.pathology_map import as_map
from pathoview.tasks.provenance import versions


class EvaluateRequest(CaseSource):
    """What to score, and against what."""

    method: str | None = None
    params: dict[str, Any] = Field(default_factory=dict)
    model: str | None = None
    items: BagItems = "slides"
    """Of a model of whole slides: what lies in the folder of images."""
    numerics: str = "float32"
    against: str = ""
    """Another method or model that is scored on the same images; empty: none."""
    seed: int = 0
    """Of the drawings for intervals."""
    n_worst: int = Field(default=50, ge=0, le=1000)
    """Places that are told."""
    report: str = ""
    """An HTML file; empty: none."""
    csv: str = ""
    """A folder for tables; empty: none."""
    page: str = ""
    """A JSON file for the window: the result, the places behind each cell, and where images lie."""


class _Painter(Protocol):
    def paint(self, place: Place) -> str: ...


def run(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Return the scores, means over images and one by one; see `EvaluateRequest`.

    A metric is None where no image has it: points tell nothing about areas. Raises `UsageError`
    for a wrong method or parameter, `InputError` when nothing can be compared, `StorageError` when
    a report cannot be written.
    """
    order = EvaluateRequest.model_validate(request)
    methods = [as_map(build_method(order.method, order.params, order.model, order.numerics))]
    if order.against:
        methods.append(_other(order.against, methods[0], order.numerics))
    if methods[0].spec.kind is Kind.BAG:
        return evaluate_slides(order, methods, progress)
    run_of = _Evaluation(order, methods, progress)
    with open_cases(order, methods, progress) as cases:
        run_of.score(cases)
    result = run_of.result(cases.warnings)
    if order.report or order.page:
        run_of.write(result)
    if order.csv:
        write_tables(Path(order.csv), run_of.told_by_pseudonym(result))
    progress.report(1.0)
    return run_of.without_pictures(result)


def _other(named: str, first: BuiltMethod, numerics: str) -> BuiltMethod:
    is_method = named in METHODS
    method, model = (named, None) if is_method else (None, named)
    other = as_map(build_method(method, {}, model, numerics))
    if other.spec.kind is not first.spec.kind:
        raise UsageError(
            _("“{first}” and “{second}” cannot be compared.").format(
                first=first.spec.title, second=other.spec.title
            ),
            _("Both have to give the same: nuclei, or classes of pixels, objects or slides."),
        )
    return other


class _Evaluation:
    """One evaluation while it goes on."""

    def __init__(
        self, order: EvaluateRequest, methods: Sequence[BuiltMethod], progress: Progress
    ) -> None:
        self._order, self._progress = order, progress
        self._scored = [Scored(one) for one in methods]
        self._finder = build_method(None, {}) if methods[0].spec.kind is Kind.OBJECT else methods[0]
        self._images: dict[str, dict[str, str]] = {}
        self._learned_from = learned_from(methods)
        self._n_seen = 0
        self._is_painted = bool(order.report or order.page)

    def score(self, cases: Cases) -> None:
        """Score every method on every image."""
        for number, case in enumerate(cases.each):
            self._progress.check()
            self._progress.report(number / cases.n, case.name)
            self._images[case.name] = {
                "pseudonym": self._pseudonym(case),
                "path": str(case.slide.path),
            }
            self._n_seen += case.slide.content_hash in self._learned_from
            if self._order.page and self._order.images:  # so that a place can be shown
                remember_scale(case.slide.content_hash, (case.slide.mpp,) * 2)
            for place, scored in enumerate(self._scored):
                image, painter = self._score(scored, case)
                scored.images[case.name] = image
                if self._is_painted and not place:
                    self._paint(painter)

    def _pseudonym(self, case: Case) -> str:
        """Return a name for reports; copies of one picture are numbered."""
        taken = [one["pseudonym"] for one in self._images.values()]
        name = case.slide.pseudonym
        n = sum(one == name or one.startswith(f"{name}-") for one in taken)
        return f"{name}-{n + 1}" if n else name

    def _score(self, scored: Scored, case: Case) -> tuple[ImageScores, _Painter]:
        built, check = scored.built, self._progress.check
        if scored.kind is Kind.INSTANCE:
            scored.names = (NUCLEUS,)
            return score_instances(case, built, check)
        if scored.kind is Kind.PIXEL:
            legend = legend_of(case, built, self._order.positive)
            scored.names = legend.names
            return score_map(case, built, legend, check)
        scored.names = class_names(self._scored[0].built)
        return score_objects(case, built, self._finder, scored.names, check)

    def _paint(self, painter: _Painter) -> None:
        """Paint what of this image is among the worst so far."""
        first = self._scored[0]
        name = next(reversed(first.images))
        every = [place for one in first.images.values() for place in one.places]
        for place in worst_first(every)[: self._order.n_worst]:
            if place.image == name and not place.png:
                self._progress.check()
                place.png = painter.paint(place)

    # -- what is told -----------------------------------------------------------------------------

    def result(self, warnings: Sequence[str]) -> dict[str, Any]:
        """Return all that is told; first what others compare."""
        first, seed = self._scored[0], self._order.seed
        told = {
            **_told(first, seed),
            "images": {name: {"pseudonym": one["pseudonym"]} for name, one in self._images.items()},
            "worst": worst(first, self._order.n_worst),
            "warnings": [*warnings, *seen_before(self._n_seen, len(self._images))],
            "card": first.built.card.model_dump(mode="json") if first.built.card else None,
            "versions": versions(with_torch=first.built.spec.uses_torch),
        }
        if len(self._scored) > 1:
            told["against"] = _told(self._scored[1], seed)
            told["difference"] = difference(first, self._scored[1], seed)
        return told

    def write(self, result: Mapping[str, Any]) -> None:
        """Write the report and the window's page."""
        page = {
            **result,
            "places": places_of_cells(self._scored[0]),
            "tables": [one.to_json() for one in score_tables(result)],
            "words": {name: kind_word(name) for name in KINDS},
            "paths": {name: one["path"] for name, one in self._images.items()},
        }
        for target, data in (
            (self._order.report, lambda: html_of(self.told_by_pseudonym(result)).encode()),
            (self._order.page, lambda: orjson.dumps(page)),
        ):
            if target:
                _write(Path(target), data)

    def told_by_pseudonym(self, result: Mapping[str, Any]) -> dict[str, Any]:
        """Return the result with pseudonyms in place of the names of files."""
        called = {name: one["pseudonym"] for name, one in self._images.items()}
        told = {
            **result,
            "worst": [{**one, "image": called[one["image"]]} for one in result["worst"]],
        }
        told["per_image"] = {called[name]: one for name, one in result["per_image"].items()}
        if "against" in result:
            other = result["against"]
            by_name = {called[name]: one for name, one in other["per_image"].items()}
            told["against"] = {**other, "per_image": by_name}
        return told

    @staticmethod
    def without_pictures(result: Mapping[str, Any]) -> dict[str, Any]:
        """Return the result as it is printed."""
        return {
            **result,
            "worst": [
                {key: value for key, value in one.items() if key != "png"}
                for one in result["worst"]
            ],
        }


def _told(scored: Scored, seed: int) -> dict[str, Any]:
    return {
        **dict.fromkeys(METRICS),
        **means(scored),
        "n": len(scored.images),
        "per_image": {name: one.scores for name, one in scored.images.items()},
        **summary(scored, seed),
    }


def _write(path: Path, data: Callable[[], bytes]) -> None:
    with replacing(path) as file:
        file.write(data())
