"""Fixtures everybody uses: an own home folder a test, and real data where it is there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

# How fast a machine is, and how busy, says nothing about the code; and a run must say the same
# twice. New examples are looked for with PATHOVIEW_HYPOTHESIS=explore.
settings.register_profile(
    "here", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=True
)
settings.register_profile("explore", settings.get_profile("here"), derandomize=False)
settings.load_profile(os.environ.get("PATHOVIEW_HYPOTHESIS", "here"))

SHARED_DATA = Path(__file__).parents[2] / "shared" / "data"


@pytest.fixture(autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep the user's own settings, runs and logs out of every test."""
    home = tmp_path_factory.mktemp("home")
    monkeypatch.setenv("PATHOVIEW_HOME", str(home))
    return home


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real slides and nuclei that lies beside a checkout; skips without it."""
    if not SHARED_DATA.is_dir():
        pytest.skip("the real data folder ../shared/data is not here")
    return SHARED_DATA
