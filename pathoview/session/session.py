"""The open application without a window: what a window, a script or a test talks to."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from psygnal import Signal

from pathoview.core.geometry import Rect
from pathoview.core.params import FormRow
from pathoview.core.pyramid import Plane
from pathoview.core.undo import History
from pathoview.layers.layer import LayerList
from pathoview.layers.scheduler import TileScheduler
from pathoview.methods.spec import MethodSpec
from pathoview.session.runs import RunView
from pathoview.session.selection import Selection
from pathoview.session.settings import ExportSettings, Settings
from pathoview.session.viewport import Viewport
from pathoview.slides.slide import Slide

Tool = Literal["move", "rectangle"]
Where = Literal["slide", "viewport"]


class Session:
    """One slide, its layers and runs, where one looks, and what can be taken back.

    All methods are called on one thread (the window's); slow work goes to the scheduler's threads
    or to jobs, and comes back through ``post``. All signals are emitted on that thread.
    """

    slide_changed = Signal()
    """Another slide is open, or none, or the same one with another scale or plane."""
    layers_changed = Signal()
    """The list of layers, or one's name, visibility or opacity."""
    viewport_changed = Signal()
    runs_changed = Signal()
    """`runs`, `results`, or the statistics of one of them."""
    selection_changed = Signal()
    """`selection` or `region_l0`."""
    tool_changed = Signal()
    job_changed = Signal(object)
    """(Job)"""
    notice = Signal(object)
    """(Notice)"""
    scale_needed = Signal(object)
    """(Slide): nobody said its µm per px; ask, then call `set_scale`."""
    command_requested = Signal(str)
    """(id of a command that only a window can do)"""

    slide: Slide | None
    path: Path | None
    """Where the open slide lies."""
    is_opening: bool
    plane: Plane
    settings: Settings
    scheduler: TileScheduler
    layers: LayerList
    viewport: Viewport
    history: History
    runs: Sequence[RunView]
    """Those shown, oldest first."""
    selection: Selection | None
    region_l0: Rect | None
    """The rectangle drawn with the tool, to be analyzed."""
    tool: Tool

    def __init__(
        self,
        post: Callable[[Callable[[], None]], None],
        settings: Settings | None = None,
        runner: Any = None,
    ) -> None: ...

    @property
    def results(self) -> RunView | None:
        """The run shown last: the one the results panel tells about."""

    @property
    def jobs(self) -> Sequence[Any]:
        """All jobs of this session, newest last."""

    def open(self, path: Path | str) -> None:
        """Open a slide; `slide_changed` or an error `notice` follows."""

    def close_slide(self) -> None: ...

    def set_scale(self, mpp: float) -> None:
        """State the µm per level-0 px of the open slide; it is remembered."""

    def set_plane(self, plane: Plane) -> None: ...

    def methods(self) -> Sequence[tuple[MethodSpec, Sequence[FormRow]]]:
        """Return all methods with the rows of their forms."""

    def analyze(
        self,
        method: str = "",
        params: Mapping[str, Any] | None = None,
        where: Where | Rect = "slide",
    ) -> Any:
        """Start an analysis, return its job; None when it cannot start (a notice says why)."""

    def resume_run(self, path: Path) -> Any: ...

    def export_geojson(self, path: Path, options: ExportSettings | None = None) -> Any: ...

    def import_geojson(self, path: Path) -> Any: ...

    def select_at(self, x_l0: float, y_l0: float) -> Selection | None: ...

    def clear_selection(self) -> None: ...

    def set_region(self, rect_l0: Rect | None) -> None: ...

    def set_tool(self, tool: Tool) -> None: ...

    def cancel_tool(self) -> None:
        """Leave the tool: the half-drawn or drawn region goes, then the selection."""

    def focus_changed(self) -> None:
        """Have running analyses do next what is seen now; call it when a pan has come to rest."""

    def remove_results(self) -> None: ...

    def undo(self) -> None: ...

    def redo(self) -> None: ...

    def toggle_detections(self) -> None: ...

    def toggle_annotations(self) -> None: ...

    def toggle_overlays(self) -> None: ...

    def toggle_fill(self) -> None: ...

    def change_overlay_opacity(self, step: float) -> None: ...

    def apply_overlay_style(self) -> None:
        """Paint all detections as `settings.overlay` says; call it after changing that."""

    def close(self) -> None:
        """End jobs, threads and files; keep the settings."""
