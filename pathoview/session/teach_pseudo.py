"""What a method will learn from, as a layer over what is seen: renewed as one looks and labels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from psygnal import Signal

from pathoview.annotations.detections import DetectionClass
from pathoview.core.affine import Affine
from pathoview.core.translation import _
from pathoview.jobs.runner import Job, JobRequest, JobRunner, JobState
from pathoview.layers.class_map_source import ClassMapSource
from pathoview.layers.layer import Layer
from pathoview.layers.raster import ArrayRaster
from pathoview.methods.spec import MethodSpec
from pathoview.session import orders
from pathoview.session.notices import Notice
from pathoview.slides.slide import Slide

if TYPE_CHECKING:
    from pathoview.session.session import Session

_OPACITY = 0.5
_FLUSH_S = 5.0


class PseudoLabels:
    """A switch, and while it is on a layer. All methods are called on the session's thread."""

    changed = Signal()
    """`is_on`, or whether it is being computed."""

    def __init__(
        self,
        session: Session,
        runner: JobRunner,
        method: Callable[[], MethodSpec | None],
    ) -> None:
        """``method`` says which one is taught now."""
        self._session = session
        self._runner = runner
        self._method = method
        self.is_on = False
        self._job: Job | None = None
        self._is_flushing = False
        self._n_changes = 0
        """Of labels."""
        self._layer: Layer | None = None
        self._asked: tuple[object, ...] = ()
        """What the layer, or the job, is made of."""
        session.slide_changed.connect(self._on_slide_changed)
        session.annotations.changed.connect(self._on_labels_changed)

    @property
    def can_show(self) -> bool:
        """Whether the method makes something of labels before it learns."""
        spec = self._method()
        return spec is not None and bool(spec.pseudo_labels_entry)

    @property
    def is_busy(self) -> bool:
        return self._is_flushing or self._job is not None

    def switch(self, is_on: bool) -> None:
        """Show it from now on, or no longer."""
        self.is_on = is_on and self.can_show
        self._asked = ()
        self._remove_layer()
        self.renew()
        self.changed.emit()

    def renew(self) -> None:
        """Have it computed anew if labels, parameters or what is seen are others than before.

        Call it when hand and eye have come to rest.
        """
        spec, slide, book = self._method(), self._session.slide, self._session.studies.book
        if not self.is_on or self.is_busy or spec is None or slide is None or book is None:
            return  # while it is computed: it is asked again in the end
        if not spec.pseudo_labels_entry:
            self.switch(False)
            return
        region_l0 = self._session.viewport.visible_l0.outward()
        params = dict(self._session.settings.teach_params.get(spec.name, {}))
        asked = (spec.name, repr(params), region_l0, self._n_changes, slide.content_hash)
        if asked == self._asked or slide.info.mpp is None:
            return
        self._asked = asked
        study = book.study.path if self._session.studies.is_named else None
        order = orders.pseudo_labels(spec, params, study, slide, region_l0)
        self._is_flushing = True
        self._session.scheduler.submit(
            partial(book.study.writer.flush, _FLUSH_S), partial(self._on_flushed, order, slide)
        )
        self.changed.emit()

    def _on_flushed(
        self, order: JobRequest, slide: Slide, _is_written: bool | None, _error: object
    ) -> None:
        self._is_flushing = False
        self._job = job = self._runner.submit(order)
        job.changed.connect(partial(self._on_job_changed, slide))
        self._on_job_changed(slide, job)

    def _on_job_changed(self, slide: Slide, job: Job) -> None:
        if job is not self._job or not job.is_over:
            return
        self._job = None
        if job.state is JobState.FAILED:
            self.is_on = False
            text = f"{job.error} {job.hint}".strip()
            self._session.notice.emit(Notice(text, "error", details=job.details))
        elif job.result and "file" in job.result:
            said = dict(job.result)
            self._session.scheduler.submit(
                partial(_loaded, Path(said["file"])), partial(self._on_loaded, slide, said)
            )
        self.changed.emit()
        self.renew()

    def _on_loaded(
        self,
        slide: Slide,
        said: Mapping[str, Any],
        mask: np.ndarray[Any, Any] | None,
        error: BaseException | None,
    ) -> None:
        if mask is None or not self.is_on or slide is not self._session.slide:
            return
        scale, (x, y) = float(said["scale_l0"]), said["corner_l0"]
        source = ClassMapSource(
            ArrayRaster(mask),
            Affine(xx=scale, yy=scale, x0=float(x), y0=float(y)),
            slide.info.width,
            slide.info.height,
            {int(n): DetectionClass(name, tuple(color)) for n, name, color in said["classes"]},
            nothing=int(said["nothing"]),
        )
        layer = Layer(_("What is learned from"), source, opacity=_OPACITY)
        if self._layer is not None:
            layer.visible, layer.opacity = self._layer.visible, self._layer.opacity
        self._remove_layer()
        self._layer = layer
        self._session.layers.add(layer)
        self._session.scheduler.add(source)

    def _remove_layer(self) -> None:
        layer, self._layer = self._layer, None
        if layer is not None and layer in self._session.layers:
            self._session.layers.remove(layer)
            self._session.scheduler.remove(layer.source)

    def _on_labels_changed(self, _change: object) -> None:
        self._n_changes += 1

    def _on_slide_changed(self) -> None:
        self._remove_layer()
        self._asked = ()
        self.renew()


def _loaded(path: Path) -> np.ndarray[Any, Any]:
    """Read a mask and remove its file."""
    mask: np.ndarray[Any, Any] = np.load(path, allow_pickle=False)
    path.unlink(missing_ok=True)
    return mask
