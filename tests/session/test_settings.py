from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from pathoview.session import settings as settings_module
from pathoview.session.settings import MAX_RECENT_FILES, Settings, load_settings, settings_file


def test_settings_come_back_as_they_were_saved() -> None:
    settings = Settings()
    settings.overlay.color = (1, 2, 3)
    settings.method_params["nuclei_watershed"] = {"min_area_um2": 9.0}
    settings.accepted_research_use = True
    settings.save()
    assert load_settings() == settings


def test_without_a_file_there_are_defaults() -> None:
    assert not settings_file().exists()
    assert load_settings() == Settings()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"version": 99}', '{"overlay": {"opacity": 7}}', "\ufffd" * 9]
)
def test_a_broken_file_is_put_aside_and_never_stops_the_start(text: str) -> None:
    settings_file().write_text(text, "utf-8")
    assert load_settings() == Settings()
    aside = settings_file().with_name("settings.json.broken")
    assert aside.read_text("utf-8") == text
    assert not settings_file().exists()


def test_a_folder_in_place_of_the_file_does_not_stop_the_start_or_the_end() -> None:
    settings_file().mkdir()
    settings = load_settings()
    assert settings == Settings()
    settings_file().mkdir(exist_ok=True)
    settings.save()


def test_caches_take_a_quarter_of_the_memory_unless_that_is_too_little(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for gib, expected in ((8, 2 * 2**30), (0.1, 64 * 2**20)):
        memory = int(gib * 2**30)
        monkeypatch.setattr(settings_module, "memory_bytes", lambda memory=memory: memory)
        assert Settings().cache_bytes == expected


def test_members_of_a_newer_program_are_ignored() -> None:
    settings_file().write_text('{"version": 1, "hologram": true, "language": "de"}')
    assert load_settings().language == "de"


def test_recent_files_are_the_newest_ten_each_once() -> None:
    settings = Settings()
    for number in range(MAX_RECENT_FILES + 5):
        settings.add_recent(Path(f"/slides/{number}.svs"))
    settings.add_recent(Path("/slides/9.svs"))
    assert len(settings.recent_files) == MAX_RECENT_FILES
    assert settings.recent_files[:2] == ["/slides/9.svs", "/slides/14.svs"]
    assert settings.last_folder == "/slides"


def test_values_out_of_bounds_are_refused_when_they_are_set() -> None:
    settings = Settings()
    with pytest.raises(ValidationError):
        settings.overlay.opacity = 2
    assert settings.overlay.opacity == 1
