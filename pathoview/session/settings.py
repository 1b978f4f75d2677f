"""What is remembered between two starts; a broken file never stops one."""

from __future__ import annotations

import logging
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from pathoview.core import paths
from pathoview.core.errors import StorageError
from pathoview.core.files import replacing
from pathoview.core.machine import memory_bytes

_logger = logging.getLogger(__name__)

MAX_RECENT_FILES = 10
MAX_RECENT_COMMANDS = 8
_LEAST_CACHE_BYTES = 64 * 2**20


def _quarter_of_memory() -> int:
    return max(_LEAST_CACHE_BYTES, memory_bytes() // 4)


class _Group(BaseModel):
    model_config = ConfigDict(validate_assignment=True, extra="ignore")


class OverlaySettings(_Group):
    """How detections look; see `layers.outline_colors.OutlineStyle`."""

    mode: Literal["class", "single", "measurement"] = "class"
    color: tuple[int, int, int] = (255, 214, 10)
    measurement: str = ""
    """What colours stand for in mode ``measurement``."""
    line_width_px: float = Field(default=2.0, ge=1, le=8)
    fill: bool = False
    fill_opacity: float = Field(default=0.35, ge=0, le=1)
    opacity: float = Field(default=1.0, ge=0, le=1)


class ExportSettings(_Group):
    """What the export dialog proposes."""

    what: Literal["both", "annotations", "results"] = "both"
    format: str = "geojson"
    collection: bool = True
    """A FeatureCollection; else a bare array of features."""
    measurements: bool = True
    gzip: bool = False
    map: dict[str, Any] = Field(default_factory=dict)
    """How the map of a run is written; see `study.map_params.MapParams`."""
    attention: dict[str, Any] = Field(default_factory=dict)
    """How the tiles of a whole slide are written; see `study.map_params.AttentionParams`."""
    synthesis: dict[str, Any] = Field(default_factory=dict)
    """What of a pseudo-healthy run is outlined; see `study.map_params.SynthesisParams`."""

    def areas(self, gives: str) -> dict[str, Any]:
        """Return what was set about runs of a kind (`RunRecord.gives`)."""
        return {"bag": self.attention, "synthesis": self.synthesis}.get(gives, self.map)


NumericPath = Literal["float32", "bf16", "compile", "onnx"]
PresetName = Literal["qupath", "napari", "asap"]


class KeySettings(_Group):
    """Which keys do what; see `session.keymap`."""

    preset: PresetName = "qupath"
    own: dict[str, str] = Field(default_factory=dict)
    """The person's own keys by id of the command, as in `Command.shortcut`; others are ignored."""


class PictureSettings(_Group):
    """How pictures of the view are made."""

    factor: int = Field(default=1, ge=1, le=4)
    """Px of the picture a px of the view."""
    scale_bar: bool = True
    legend: bool = True
    background: Literal["white", "dark"] = "white"


class GridSettings(_Group):
    """The measuring grid."""

    is_shown: bool = False
    step_um: float | None = Field(default=None, gt=0)
    """Distance of the lines; None: a round one that suits the zoom."""


class ScreeningSettings(_Group):
    """How the tissue is walked over."""

    magnification: float = Field(default=10.0, gt=0, le=60)
    """Of a field, and from which on a place counts as seen."""
    overlap: float = Field(default=0.1, ge=0, le=0.5)
    """Share of its sides that a field has in common with the next."""


class DrawingSettings(_Group):
    """How the drawing tools work."""

    brush_view: float = Field(default=50.0, ge=2, le=500)
    """Diameter of the brush, px of the view."""
    brush_follows_zoom: bool = True
    """The brush has the same size on screen at every zoom; else the same size on the slide."""
    brush_l0: float = Field(default=100.0, gt=0)
    """Diameter in level-0 px, when it does not follow the zoom."""
    wand_space: Literal["lab", "first stain", "second stain", "grey"] = "lab"
    wand_sensitivity: float = Field(default=1.0, ge=0.1, le=20)
    superpixel_um: float = Field(default=25.0, ge=2, le=1000)
    """Side of a superpixel, about."""
    snaps_points: bool = False
    """Points go to the nearest maximum of haematoxylin."""
    snap_radius_um: float = Field(default=4.0, gt=0, le=20)
    line_role: Literal["ruler", "arrow", ""] = "ruler"
    """What the line tool draws."""
    rectangle_role: Literal["", "full"] = ""
    """What the rectangle tool draws: ``full``: everything in it is labelled."""
    polyline_role: Literal["", "scribble"] = "scribble"
    goes_back_to_move: bool = False
    """After each annotation the move tool is in hand again."""


class SlideTrainingSettings(_Group):
    """How it was learned from labels of slides last; empty: as it is proposed."""

    method: str = ""
    encoder: str = ""
    weights: str = ""
    """A file of the encoder's weights."""
    mpp: list[float] = Field(default_factory=list)
    """µm per px of each magnification."""
    tile_px: int = 0
    more: dict[str, Any] = Field(default_factory=dict)
    """See `session.slide_plan.SlideMore`."""


class Settings(_Group):
    """All settings. Set a field, then `Settings.save`."""

    version: Literal[1] = 1
    recent_files: list[str] = Field(default_factory=list)
    """Newest first."""
    recent_studies: list[str] = Field(default_factory=list)
    author: str = ""
    """Whose labels are drawn; empty: whoever is logged in."""
    last_folder: str = ""
    last_place: str = ""
    """The coordinates gone to last, as they were written."""
    window_geometry: str = ""
    """Qt's geometry and dock state, base64."""
    window_state: str = ""
    method: str = ""
    """The method chosen last; empty: the default."""
    method_params: dict[str, dict[str, Any]] = Field(default_factory=dict)
    teach_method: str = ""
    """The method that was taught last."""
    teach_params: dict[str, dict[str, Any]] = Field(default_factory=dict)
    slide_training: SlideTrainingSettings = Field(default_factory=SlideTrainingSettings)
    numerics: NumericPath = "float32"
    """The numeric path on which models predict; ``pathoview tune`` measures and pins it."""
    overlay: OverlaySettings = Field(default_factory=OverlaySettings)
    evidence_of: str = ""
    """The class whose map is shown of whole slides; empty: attention."""
    export: ExportSettings = Field(default_factory=ExportSettings)
    import_options: dict[str, dict[str, Any]] = Field(default_factory=dict)
    """What was said last of files that do not say it, by the name of their format."""
    tiles: dict[str, Any] = Field(default_factory=dict)
    """Parameters of the last export of tiles."""
    keys: KeySettings = Field(default_factory=KeySettings)
    recent_commands: list[str] = Field(default_factory=list)
    """Ids, newest first."""
    opengl: bool = False
    """Draw the canvas by OpenGL where the screen can (an experiment)."""
    drawing: DrawingSettings = Field(default_factory=DrawingSettings)
    distances: dict[str, float] = Field(default_factory=dict)
    """What was asked last, by operation and unit: ``expand um``."""
    picture: PictureSettings = Field(default_factory=PictureSettings)
    table_columns: list[str] = Field(default_factory=list)
    """Columns of the table of objects, by their names; none: those it begins with."""
    trackpad_pans: bool = False
    """Two fingers on a trackpad move the slide (a pinch, or Shift, zooms); else they zoom."""
    grid: GridSettings = Field(default_factory=GridSettings)
    screening: ScreeningSettings = Field(default_factory=ScreeningSettings)
    correct_colors: bool = True
    """Show colours as the slide's ICC profile says; methods see raw pixels all the same."""
    accepted_research_use: bool = False
    language: str = "en"
    theme: Literal["dark", "light"] = "dark"
    cache_bytes: int = Field(default_factory=_quarter_of_memory, ge=_LEAST_CACHE_BYTES)
    """What the caches of all layers may hold together; see `Session.set_memory`."""

    def add_recent(self, path: Path) -> None:
        """Put a file at the head of the recent ones, and remember its folder."""
        self.recent_files = _at_head(path, self.recent_files)
        self.last_folder = str(path.absolute().parent)

    def add_recent_study(self, path: Path) -> None:
        """Put a study at the head of the recent ones, and remember its folder."""
        self.recent_studies = _at_head(path, self.recent_studies)
        self.last_folder = str(path.absolute().parent)

    def add_recent_command(self, command_id: str) -> None:
        """Put a command at the head of those asked for of late."""
        others = [other for other in self.recent_commands if other != command_id]
        self.recent_commands = [command_id, *others][:MAX_RECENT_COMMANDS]

    def save(self) -> None:
        """Write the settings at once or not at all; a disk that refuses is only logged."""
        try:
            with replacing(settings_file()) as file:
                file.write(self.model_dump_json(indent=2).encode())
        except StorageError as error:
            _logger.warning("settings are not kept: %s", error)


def _at_head(path: Path, names: list[str]) -> list[str]:
    name = str(path.absolute())
    return [name, *(other for other in names if other != name)][:MAX_RECENT_FILES]


def settings_file() -> Path:
    return paths.settings_folder() / "settings.json"


def load_settings() -> Settings:
    """Return the kept settings; defaults when there are none or they cannot be understood.

    A file that cannot be understood is kept aside as ``settings.json.broken``.
    """
    path = settings_file()
    try:
        return Settings.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Settings()
    except (OSError, ValidationError) as error:
        _logger.warning("settings cannot be read, defaults are taken: %s", type(error).__name__)
    try:
        path.replace(path.with_name(path.name + ".broken"))
    except OSError as error:
        _logger.warning("the broken settings cannot be put aside: %s", type(error).__name__)
    return Settings()
