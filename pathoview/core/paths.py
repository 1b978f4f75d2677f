"""Where things are kept: the user's data, settings, cache and log folders, and our resources.

``PATHOVIEW_HOME`` puts all of them below one folder (tests, USB sticks, shared machines).
"""

from __future__ import annotations

import os
from pathlib import Path

import platformdirs

_APP = "pathoview"


def _folder(name: str, default: Path) -> Path:
    home = os.environ.get("PATHOVIEW_HOME")
    folder = Path(home) / name if home else default
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def data_folder() -> Path:
    """Runs, studies, remembered scales, what was looked at."""
    return _folder("data", platformdirs.user_data_path(_APP))


def settings_folder() -> Path:
    return _folder("settings", platformdirs.user_config_path(_APP))


def cache_folder() -> Path:
    return _folder("cache", platformdirs.user_cache_path(_APP))


def log_folder() -> Path:
    return _folder("log", platformdirs.user_log_path(_APP))


def resources_folder() -> Path:
    """Guide, icons and the demo slide: beside the package in a checkout, inside it in a wheel."""
    package = Path(__file__).parents[1]
    bundled = package / "_resources"
    return bundled if bundled.is_dir() else package.parent / "resources"
