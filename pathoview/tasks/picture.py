"""A picture of a place on a slide, with results, scale bar and legend, as PNG or SVG."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pathoview.core.affine import Affine
from pathoview.core.errors import UsageError
from pathoview.core.geometry import Rect
from pathoview.core.place_text import PlaceText, parse_place
from pathoview.core.privacy import hide
from pathoview.core.progress import Progress
from pathoview.core.translation import _
from pathoview.layers.compose import shown_layers
from pathoview.layers.detection_source import DetectionSource
from pathoview.layers.feature_source import FeatureSource
from pathoview.layers.file_layer import close_source, open_layer
from pathoview.layers.frame import Frame, Look
from pathoview.layers.layer import Layer
from pathoview.layers.measuring_grid import line_color
from pathoview.layers.outline_colors import OutlineStyle
from pathoview.layers.pictures.drawing import write_png
from pathoview.layers.pictures.order import PictureOrder
from pathoview.layers.pictures.svg import write_svg
from pathoview.layers.slide_source import SlideSource
from pathoview.layers.synthesis_source import SynthesisName
from pathoview.slides.slide import Slide
from pathoview.study.results import RunFile, find_runs
from pathoview.tasks.opening import newest_run
from pathoview.tasks.overview import run_layer

OBJECTIVE_MPP = 10.0
"""µm per px at 1×, by the convention that 20× is 0.5 µm per px."""


@dataclass(frozen=True, slots=True)
class LayerFile:
    """A file that is drawn over the slide; what is not said is guessed from it."""

    path: Path
    kind: str = ""
    """One of `layers.file_layer.FILE_KINDS`."""
    scale: float | None = None
    """Level-0 px a px of the file."""
    offset_l0: tuple[float, float] | None = None
    """Where its top left corner is."""

    @property
    def placement(self) -> Affine | None:
        """From px of the file to level-0 px, if anything is said."""
        if self.scale is None and self.offset_l0 is None:
            return None
        x, y = self.offset_l0 or (0.0, 0.0)
        return Affine.scaled(self.scale or 1.0).then(Affine.moved(x, y))


@dataclass(frozen=True, slots=True)
class PictureRequest:
    """What to draw of a slide."""

    size: tuple[int, int] = (1600, 1200)
    """Width and height, px."""
    center: str = ""
    """A place, as `core.place_text` reads it; empty: the middle of the slide."""
    magnification: float | None = None
    scale: float | None = None
    """Px of the picture a level-0 px. With neither, all of the slide is seen."""
    rotation: float = 0.0
    """Degrees, clockwise."""
    is_flipped: bool = False
    results: bool | None = None
    """None: the newest finished run, if there is one."""
    colour_by: str = ""
    """A measurement that colours the results; empty: their classes."""
    shown: SynthesisName | None = None
    """What of a run that shows tissue as if it were healthy; None: the pathology."""
    layers: tuple[LayerFile, ...] = ()
    """Between the slide and the results, back to front."""
    scale_bar: bool = True
    legend: bool = False
    grid: bool = False


def write_picture(slide: Slide, request: PictureRequest, path: Path, progress: Progress) -> None:
    """Write a picture as the end of ``path`` says.

    Raises `UsageError`, `InputError`, `SlideError`, `StorageError` and `Cancelled`.
    """
    write = {".png": write_png, ".svg": write_svg}.get(path.suffix.lower())
    if write is None:
        raise UsageError(
            _("“{name}” is neither PNG nor SVG.").format(name=path.name),
            _("Give a name that ends in .png or .svg."),
        )
    with contextlib.ExitStack() as open_files:
        found = _results(slide, request, open_files)
        layers = []
        for file in request.layers:
            hide(file.path)
            layers.append(open_layer(file.path, slide.info, file.kind, file.placement))
            open_files.callback(close_source, layers[-1].source)
        drawn = [Layer(_("Slide"), SlideSource(slide)), *layers, *found]
        write(_order(slide, request, drawn, has_results=bool(found)), path, progress)


def _order(
    slide: Slide, request: PictureRequest, drawn: Sequence[Layer], *, has_results: bool
) -> PictureOrder:
    return PictureOrder(
        frame=_frame(slide, request),
        shown=shown_layers(drawn),
        slide_l0=Rect(0, 0, slide.info.width, slide.info.height),
        mpp=slide.info.mpp,
        scale_bar=request.scale_bar,
        grid=request.grid,
        grid_color=line_color(slide.info.is_rgb),
        legend=tuple((layer.name, layer.source) for layer in drawn) if request.legend else (),
        note=_("Research use only") if has_results or request.layers else "",
    )


def _frame(slide: Slide, request: PictureRequest) -> Frame:
    """Return the place that is asked for, in px of the picture."""
    slide_l0 = Rect(0, 0, slide.info.width, slide.info.height)
    place = PlaceText(*slide_l0.center, None)
    if request.center:
        place = parse_place(request.center, slide.info.mpp, slide_l0)
    power = request.magnification or place.magnification
    scale = request.scale
    if scale is None and power is not None:
        scale = power * slide.mpp / OBJECTIVE_MPP
    if scale is None:
        around = Look(1.0, request.rotation, request.is_flipped).affine.rect(slide_l0)
        scale = min(request.size[0] / around.width, request.size[1] / around.height)
    look = Look(scale, request.rotation % 360, request.is_flipped)
    return Frame.around((place.x_l0, place.y_l0), look, *request.size)


def _results(
    slide: Slide, request: PictureRequest, open_files: contextlib.ExitStack
) -> list[Layer]:
    """Return the newest finished run as layers; a map is read from its file while it is drawn."""
    if request.results is False:
        return []
    states = (record.state for _path, record in find_runs(slide.content_hash))
    is_asked = request.results or request.colour_by or request.shown
    if not is_asked and "done" not in states:
        return []
    width, height = slide.info.width, slide.info.height
    style = OutlineStyle()
    if request.colour_by:
        style = OutlineStyle(mode="measurement", measurement=request.colour_by)
    run = open_files.enter_context(RunFile.open(_newest(slide, request)))
    detections = DetectionSource(width, height, style)
    for table in run.tiles():
        detections.append(table)
    features = FeatureSource(width, height, run.features())
    _check_measurement(request.colour_by, detections.measurement_names)
    found = Layer(run.record.title, detections)
    if not run.record.has_objects:
        found = run_layer(slide, run, request.shown or "pathology")
    return [Layer(_("Annotations"), features), found]


def _newest(slide: Slide, request: PictureRequest) -> Path:
    """Return the newest finished run; with `shown`, of those that have such a thing."""
    path = newest_run(slide, "synthesis" if request.shown else "")
    with RunFile.open(path) as run:
        if request.shown and run.record.gives != "synthesis":
            raise UsageError(
                _("“{title}” has made no pseudo-healthy picture.").format(title=run.record.title),
                _("Apply a model that makes one, or leave --show out."),
            )
    return path


def _check_measurement(name: str, known: Sequence[str]) -> None:
    if name and name not in known:
        raise UsageError(
            _("The results have no measurement “{name}”.").format(name=name),
            _("There are: {names}").format(names=", ".join(known)),
        )
