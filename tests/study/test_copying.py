"""Copies and backups: complete or not there, and nothing is overwritten unasked."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from studies import SLIDE, draw, features, opened, square

from pathoview.annotations.change import Change
from pathoview.core.errors import StorageError
from pathoview.study import backups, copying
from pathoview.study.backups import back_up, back_up_daily, list_backups, restore
from pathoview.study.copying import keep_private, save_copy
from pathoview.study.model import StudyInfo
from pathoview.study.study import Study, private_path
from pathoview.study.study_file import StudyFile


@pytest.fixture
def study(tmp_path: Path) -> Path:
    path = tmp_path / "s.pathoview"
    draw(path, Change.adding([square()]))
    return path


def others(folder: Path, *known: Path) -> list[str]:
    """Return what lies in a folder beside some studies and the journals of those being read."""
    names = {one.name.removesuffix("-wal").removesuffix("-shm") for one in folder.iterdir()}
    return sorted(names - {one.name for one in known})


def test_a_copy_is_made_while_the_study_is_being_written(study: Path, tmp_path: Path) -> None:
    target = tmp_path / "copy.pathoview"
    with opened(study) as writing:
        writing.put(writing.classes()[0])
        assert writing.writer.flush(10)
        save_copy(study, target, "Bo")
        info = writing.info
    assert others(tmp_path, study, target) == []
    assert features(target) == features(study)
    with StudyFile.open(target) as file:
        assert file.info == info.model_copy(update={"name": "copy"})
        assert [line[1] for line in file.audit()][-1] == "Bo"
        assert file.check() == []


def test_a_copy_never_overwrites_unasked(study: Path, tmp_path: Path) -> None:
    target = tmp_path / "t.pathoview"
    draw(target, Change.adding([square(), square(20)]))
    with pytest.raises(StorageError, match="exists already"):
        save_copy(study, target)
    with pytest.raises(StorageError, match="study itself"):
        save_copy(study, study, replace=True)
    with opened(target), pytest.raises(StorageError, match="is open"):
        save_copy(study, target, replace=True)
    assert len(features(target)) == 2
    save_copy(study, target, replace=True)
    assert len(features(target)) == 1
    text = tmp_path / "t.txt"
    text.write_text("mine")
    with pytest.raises(StorageError):
        save_copy(study, text, replace=True)
    assert text.read_text() == "mine"


def test_a_copy_that_fails_leaves_nothing(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_said: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(copying, "add_audit", full)
    with pytest.raises(StorageError, match="disk is full"):
        save_copy(study, tmp_path / "t.pathoview")
    assert others(tmp_path, study) == []
    with pytest.raises(StorageError, match="no file"):
        save_copy(tmp_path / "none.pathoview", tmp_path / "t.pathoview")
    assert others(tmp_path, study) == []


def test_a_private_study_is_kept_as_a_named_one(tmp_path: Path) -> None:
    path, target = private_path(SLIDE), tmp_path / "kept.pathoview"
    study = Study(path, lambda *_told: None, info=StudyInfo(is_private=True))
    study.tell("Ada", "", "x")
    assert study.writer.flush(10)
    with pytest.raises(StorageError, match="is open"):
        keep_private(path, target)
    study.close()
    keep_private(path, target)
    assert others(path.parent) == []
    with StudyFile.open(target) as file:
        assert (file.info.name, file.info.is_private) == ("kept", False)


def test_a_day_has_one_backup_and_the_oldest_go(
    study: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Clock(datetime):
        today = 1

        @classmethod
        def now(cls, _zone: object = None) -> datetime:  # type: ignore[override]
            return datetime(2026, 1, cls.today, 12, tzinfo=UTC)

    monkeypatch.setattr(backups, "datetime", Clock)
    before_merge = back_up(study, "merge")
    for Clock.today in range(1, 11):
        assert back_up_daily(study) is not None
        assert back_up_daily(study) is None
    kept = list_backups(study)
    assert [one.time.day for one in kept if one.sort == "daily"] == [10, 9, 8, 7, 6, 5, 4]
    assert [one.path for one in kept if one.sort != "daily"] == [before_merge]
    assert kept[0].n_bytes == kept[0].path.stat().st_size


def test_a_backup_is_restored_and_what_was_there_stays(study: Path) -> None:
    backup = back_up(study, "daily")
    draw(study, Change.adding([square(20)]))
    aside = restore(backup, study, "Ada")
    assert len(features(study)) == 1
    assert aside is not None
    assert len(features(aside)) == 2
    with opened(study) as again:  # it can be worked with
        assert again.file is not None
        assert [line[3] for line in again.file.audit()][-1] == "Restored from a backup"
        with pytest.raises(StorageError, match="is open"):
            restore(backup, study)


def test_a_backup_replaces_a_study_that_is_broken_or_gone(study: Path) -> None:
    back_up(study, "daily")
    study.write_bytes(b"x" * 5000)
    (found,) = list_backups(study)
    aside = restore(found.path, study)
    assert aside is not None
    assert aside.read_bytes() == b"x" * 5000
    assert len(features(study)) == 1
    study.unlink()
    assert restore(found.path, study) is None
    assert len(features(study)) == 1


def test_what_is_no_backup_is_not_restored(study: Path, tmp_path: Path) -> None:
    bad = tmp_path / "bad.backup"
    bad.write_bytes(b"y" * 5000)
    with pytest.raises(StorageError):
        restore(bad, study)
    assert len(features(study)) == 1
    assert others(tmp_path, study, bad) == []
