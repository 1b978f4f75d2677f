"""Orders for worker processes, checked before they are given: analyze, go on."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from psygnal import Signal

from pathoview.core.errors import PathoViewError
from pathoview.core.geometry import Rect
from pathoview.core.translation import _
from pathoview.jobs.runner import Job, JobRequest
from pathoview.methods.model import read_card
from pathoview.methods.registry import DEFAULT_METHOD, METHODS
from pathoview.session import orders
from pathoview.session.notices import Notice, from_error
from pathoview.session.run_desk import RunDesk
from pathoview.session.settings import Settings
from pathoview.slides.slide import Slide
from pathoview.study.results import RunFile


class AnalysisDesk:
    """Gives orders about the open slide; what cannot be started is told as a notice."""

    notice = Signal(object)
    """(Notice)"""
    scale_needed = Signal(object)
    """(Slide)"""

    def __init__(self, settings: Settings, runs: RunDesk) -> None:
        self._settings = settings
        self._runs = runs

    def analyze(
        self,
        slide: Slide | None,
        method: str,
        params: Mapping[str, Any],
        region_l0: Rect | None,
        model: Path | None = None,
    ) -> Job | None:
        """Start an analysis of a region (None: everything), by default with the default method.

        ``model``: the file of a trained model of the method; None: its own, if it has one.
        """
        if slide is None:
            action = _("Open"), "file.open"
            self.notice.emit(Notice(_("There is no slide to analyze."), "warning", action))
            return None
        if slide.info.mpp is None and not (model and _needs_no_scale(model)):
            self.scale_needed.emit(slide)
            return None
        if region_l0 is not None and region_l0.is_empty:
            self.notice.emit(Notice(_("The region lies beside the slide."), "warning"))
            return None
        try:
            spec = METHODS.get(method or DEFAULT_METHOD)
            checked = spec.params.parse(params).model_dump(mode="json")
        except PathoViewError as error:
            self.notice.emit(from_error(error))
            return None
        if model is None:
            self._settings.method = spec.name
            self._settings.method_params[spec.name] = checked
        numerics = self._settings.numerics
        order = orders.analysis(slide, spec, checked, region_l0, model=model, numerics=numerics)
        return self._submit(slide, order)

    def resume(self, slide: Slide | None, path: Path) -> Job | None:
        """Go on with the analysis of a result file from its finished tiles."""
        if slide is None:
            return None
        try:
            with RunFile.open(path) as run:
                record = run.record
            spec = METHODS.get(record.method)
        except PathoViewError as error:
            self.notice.emit(from_error(error))
            return None
        region_l0 = Rect(*record.region_l0) if record.region_l0 else None
        model = Path(record.model_path) if record.model_path else None
        order = orders.analysis(
            *(slide, spec, record.params, region_l0),
            model=model,
            numerics=record.numerics or self._settings.numerics,
            resume=True,
            run=record.source_run,
        )
        return self._submit(slide, order)

    def _submit(self, slide: Slide, order: JobRequest) -> Job:
        return self._runs.submit(order, slide.content_hash)


def _needs_no_scale(model: Path) -> bool:
    """Return whether a model looks at whole frames or pictures, whatever their scale."""
    encoder = read_card(model).settings.get("encoder", {})
    return bool(encoder.get("mpp") == [])
