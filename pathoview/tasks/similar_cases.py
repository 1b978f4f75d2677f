"""The cases of a study, or the pictures of a folder, that a model takes for most like a slide.

Slides are described by the model's encoder, as for its predictions; what was described once is read
from the disk. What is of the same patient or the same case is never listed: it would be found for
what the laboratory and the camera did, not for the disease.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, ConfigDict, Field

from pathoview.core.errors import (
    InputError,
    PathoViewError,
    SlideError,
    StorageError,
    UsageError,
)
from pathoview.core.privacy import hide, scrub
from pathoview.core.progress import PartOf, Progress
from pathoview.core.translation import _
from pathoview.methods.case_likeness import proximity, vector_likeness
from pathoview.methods.model import ModelCard
from pathoview.slides.slide import Slide
from pathoview.study.feature_file import newest_features
from pathoview.study.slide_prediction import no_tissue_text
from pathoview.tasks import features
from pathoview.tasks.analyze_bag import encoder_of
from pathoview.tasks.case_library import (
    CaseLibrary,
    CaseSource,
    LibraryCase,
    kin_of,
    read_library,
)
from pathoview.tasks.case_retrieval import CHANCE, precision_name
from pathoview.tasks.case_words import words_of
from pathoview.tasks.described_slides import description_of
from pathoview.tasks.features import FeatureOrder
from pathoview.tasks.method_building import BuiltMethod, build_method
from pathoview.tasks.opening import open_scaled
from pathoview.tasks.training_data import LeftOut

MOST = 1000
"""So many cases are listed at most."""
_READ, _DESCRIBED = 0.05, 0.15
"""How much is done when the library is known, and when the slide is described."""
_PRECISION: Mapping[str, str] = {
    "at_1": precision_name(1),
    "at_5": precision_name(5),
    "chance": CHANCE,
}

Metric = Literal["forest", "vector"]
"""Cases are alike by the share of trees in which they end in the same leaf, or by the cosine of
what the network sees in them."""

Numbers = npt.NDArray[Any]


class CasesRequest(BaseModel):
    """Cases like which slide are wanted, among which, and how many."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    slide: str
    model: str
    """A file, or a name, title or id of the library of models."""
    study: str = ""
    images: str = ""
    """A folder of pictures, also in folders of it; or else a study."""
    labels: str = ""
    """A CSV file of the folder; see `case_library.CaseSource`."""
    n: int = Field(20, ge=1, le=MOST)
    metric: Metric = "forest"
    mpp: float | None = None
    """µm per level-0 px of what states none; a method that looks at whole pictures needs none."""
    patient: str = ""
    """Of the slide, or its case, where the library does not say."""
    describe: bool = False
    """Describe what was never described, which may take long; else it is left out and counted."""
    names: bool = False
    """Tell names of files too, which may name a patient."""


def run(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Rank the cases of a library by how like they are to a slide; see `CasesRequest`.

    The slide itself, copies, and what is of the same patient or case are left out and counted;
    what cannot be read is left out with the reason. Raises `UsageError` for a model that does not
    search for cases, `InputError` when its weights are others, or nothing can be compared; as
    `case_library.read_library`, `features.extract` do; `Cancelled`.
    """
    wanted = CasesRequest.model_validate(request)
    built = build_method(None, {}, wanted.model)
    describing = _Describing(built, wanted)
    source = CaseSource(wanted.study, wanted.images, wanted.labels, describing.grade)
    library = read_library(source, PartOf(progress, 0.0, _READ))
    with open_scaled(Path(wanted.slide), wanted.mpp) as slide:
        key, pseudonym = slide.content_hash, slide.pseudonym
        path = describing.of(slide, PartOf(progress, _READ, _DESCRIBED))
    query = describing.vector(path)
    own = (one.kin for one in library.cases if one.slide_hash == key)
    kin = kin_of(wanted.patient, wanted.patient).union(*own)
    gathered = _Gathered(key, kin, describing)
    gathered.add_all(library, PartOf(progress, _DESCRIBED, 1.0))
    found = gathered.likest(query)
    result = {
        "gives": "cases",
        "model": built.card.title if built.card else built.spec.title,
        "metric": wanted.metric,
        "slide_hash": key,
        "pseudonym": pseudonym,
        "is_patient_known": bool(kin),
        "is_learned_from": _is_learned_from(key, built.card),
        **gathered.counts(),
        "n_unfound": library.n_unfound,
        "states": _states(found, built.card),
        "precision": _precision(built.card) if wanted.metric == "forest" else None,
        "left_out": [{"slide": one.slide, "reason": one.reason} for one in gathered.left_out],
        "similar": found,
    }
    return {**result, "words": words_of(result)}


class _Describing:
    """What a model compares of slides: a vector each, made of the features of their patches."""

    def __init__(self, built: BuiltMethod, wanted: CasesRequest) -> None:
        """Raise `UsageError` for a model that does not search for cases."""
        if not built.spec.looks_at_whole:
            raise UsageError(
                _("“{title}” does not search for similar cases.").format(title=built.spec.title),
                _("Name a model of the method “patch_sum”."),
            )
        self._method, self.wanted, self.card = built.method, wanted, built.card
        self._encoder = encoder_of(built)
        self._order = FeatureOrder.of(self._encoder)
        self._description = description_of(self._encoder)
        self.grade = str(built.card.settings.get("grade", "")) if built.card else ""

    def known(self, slide_hash: str) -> Path | None:
        """Return the newest features of a slide; None: it was never described so."""
        found = newest_features(slide_hash, self._description)
        return None if found is None else found[0]

    def of(self, slide: Slide, progress: Progress) -> Path:
        """Return the features of a slide, computed if need be; raise as `features.extract`."""
        known = self.known(slide.content_hash)
        return known or features.extract(
            slide, self._order, progress, weights=self._encoder.weights
        )

    def of_case(self, case: LibraryCase, progress: Progress) -> Path | None:
        """Return the features of a case, computed if that is wanted; None: there are none.

        Raises `SlideError` and `UsageError` when it cannot be described.
        """
        known = self.known(case.slide_hash)
        if known is not None or not self.wanted.describe:
            return known
        with case.opened(self.wanted.mpp) as slide:
            return self.of(slide, progress)

    def vector(self, path: Path) -> Numbers:
        """Return what is compared; raise `SlideError` where there is nothing, `StorageError`."""
        tiles, _grid, _used = features.bag_of(path)
        if not len(tiles):
            raise SlideError(no_tissue_text())
        if self.wanted.metric == "forest":
            return np.asarray(self._method.case_vector(tiles))
        return np.asarray(self._method.s_vector(tiles))

    def likeness(self, query: Numbers, others: Numbers) -> npt.NDArray[np.float64]:
        """Return how like others, (case, number), are to one, 0 to 1."""
        if self.wanted.metric == "forest":
            return proximity(query, others)
        return vector_likeness(query, others)


@dataclass(slots=True)
class _Gathered:
    """The cases of a library that can be compared, and how many cannot be."""

    key: str
    """Hash of the slide they are compared with."""
    kin: frozenset[str]
    """What names its patient and case."""
    describing: _Describing
    left_out: list[LeftOut] = field(default_factory=list)
    cases: list[LibraryCase] = field(default_factory=list)
    _vectors: list[Numbers] = field(default_factory=list)
    _seen: set[str] = field(default_factory=set)
    _n: Counter[str] = field(default_factory=Counter)

    def add_all(self, library: CaseLibrary, progress: Progress) -> None:
        """Take the cases of a library in; raise `Cancelled`."""
        for path, why in library.unread:
            name = path.name if self.describing.wanted.names else _("A picture")
            words = _("It cannot be read from its disk: {why}.")
            self.left_out.append(LeftOut(name, words.format(why=why)))
        cases = library.cases
        for number, case in enumerate(cases):
            progress.check()
            part = PartOf(progress, number / len(cases), (number + 1) / len(cases))
            part.report(0.0, _("Comparing cases"))
            why_not = self._why_not(case) or self._add(case, part)
            self._n[why_not] += 1

    def _why_not(self, case: LibraryCase) -> str:
        """Return under what a case is counted that must not be found; empty: it may be."""
        if case.slide_hash == self.key:
            return "n_itself"
        if case.kin & self.kin:
            return "n_same_patient"
        return "n_copies" if case.slide_hash in self._seen else ""

    def _add(self, case: LibraryCase, progress: Progress) -> str:
        """Take a case in; return under what it is counted."""
        self._seen.add(case.slide_hash)
        try:
            path = self.describing.of_case(case, progress)
        except (SlideError, UsageError) as error:
            return self._leave_out(case, error)
        if path is None:
            return "n_without"
        try:
            self._vectors.append(self.describing.vector(path))
        except (SlideError, StorageError) as error:  # nothing in it, or a damaged file
            return self._leave_out(case, error)
        self.cases.append(case)
        return "n_compared"

    def _leave_out(self, case: LibraryCase, error: PathoViewError) -> str:
        if self.describing.wanted.names:
            self.left_out.append(LeftOut(case.path.name, str(error)))
        else:
            hide(case.path, case.pseudonym)
            self.left_out.append(LeftOut(case.pseudonym, scrub(str(error))))
        return "n_left_out"

    def counts(self) -> dict[str, int]:
        """Return how many are compared, and how many are not and why."""
        said = ("n_compared", "n_without", "n_itself", "n_same_patient", "n_copies")
        return {name: self._n[name] for name in said}

    def likest(self, query: Numbers) -> list[dict[str, Any]]:
        """Return the cases that are most like the slide; raise `InputError` when there are none."""
        if not self.cases:
            raise InputError(_("There is no case to compare the slide with."), self._way_on())
        likeness = self.describing.likeness(query, np.stack(self._vectors))
        best = np.argsort(-likeness, kind="stable")[: self.describing.wanted.n]
        return [self._said(self.cases[place], likeness[place]) for place in best.tolist()]

    def _way_on(self) -> str:
        if self._n["n_without"]:
            return _("None of the others was described for this model yet: have them described.")
        if self.left_out:
            reason = self.left_out[0].reason
            return _("What there is was left out: {reasons}").format(reasons=reason)
        return _("Add slides of other patients.")

    def _said(self, case: LibraryCase, likeness: float) -> dict[str, Any]:
        said = {
            "slide_hash": case.slide_hash,
            "pseudonym": case.pseudonym,
            "similarity": round(float(likeness), 6),
            "state": _state(case, self.describing.card),
        }
        return said | ({"name": case.path.name} if self.describing.wanted.names else {})


def _is_learned_from(slide_hash: str, card: ModelCard | None) -> bool:
    """Say whether the model knew the slide's label when its trees were grown."""
    known = (one for one in card.data if one.split != "test") if card else ()
    return any(one.slide_hash == slide_hash for one in known)


def _state(case: LibraryCase, card: ModelCard | None) -> str:
    """Return the classes of the model that a case has, else what else is said of it."""
    told = {one.name for one in card.classes} if card else set()
    return ", ".join([one for one in case.states if one in told] or case.states)


def _states(found: Sequence[Mapping[str, Any]], card: ModelCard | None) -> list[dict[str, Any]]:
    """Return how many of the listed are of each state, the most frequent first; "": unknown.

    ``color`` is that of the model's class; None: it does not tell that state.
    """
    colors = {one.name: one.color for one in card.classes} if card else {}
    counts = Counter(str(one["state"]) for one in found)
    return [
        {"name": name, "n": n, "color": list(colors[name]) if name in colors else None}
        for name, n in sorted(counts.items(), key=lambda item: (not item[0], -item[1]))
    ]


def _precision(card: ModelCard | None) -> dict[str, dict[str, float]] | None:
    """Return how often found cases were of the slide's class in cross-validation, 0 to 1.

    Of the first one, of the first five, and by chance; each the value, and where it is known, the
    bounds of its 95 % interval. None: the model does not say.
    """
    if card is None or not all(name in card.metrics for name in _PRECISION.values()):
        return None
    told = {}
    for name, metric in _PRECISION.items():
        told[name] = {"value": card.metrics[metric]}
        if metric in card.intervals:
            told[name] |= dict(zip(("low", "high"), card.intervals[metric], strict=True))
    return told
