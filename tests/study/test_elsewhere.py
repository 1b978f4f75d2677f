from __future__ import annotations

from pathlib import Path

import pytest
from studies import SLIDE, draw, features, opened, square

from pathoview.annotations.change import Change
from pathoview.core.errors import StorageError
from pathoview.study.elsewhere import save_all_elsewhere
from pathoview.study.step import StudyStep
from pathoview.study.writer import OrderedWriter


def refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(OrderedWriter, "_try", lambda *_rest: StorageError("The disk is full."))


def test_all_is_written_elsewhere_in_order_what_waits_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, target = tmp_path / "a.pathoview", tmp_path / "b.pathoview"
    first, second = square(), square(50)
    draw(path, Change.adding([first]))
    with opened(path) as study, monkeypatch.context() as patch:
        refuse(patch)
        for change in (Change.adding([second]), Change.removing([first])):
            study.do(StudyStep(study.next_number(), SLIDE, "Draw", "2026", "Ada", change))
        study.writer.flush(5)
        assert study.writer.n_waiting == 2
        assert save_all_elsewhere(study, target) == 2
        study.writer.give_up()
        assert (study.writer.n_waiting, study.writer.error) == (0, None)
    assert [one.id for one in features(target)] == [second.id]
    assert [one.id for one in features(path)] == [first.id]


def test_a_study_that_never_came_to_disk_is_made_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "b.pathoview"
    with monkeypatch.context() as patch:
        refuse(patch)
        with opened(tmp_path / "a.pathoview") as study:
            step = StudyStep(1, SLIDE, "Draw", "2026", "Ada", Change.adding([square()]))
            study.do(step)
            save_all_elsewhere(study, target)
            study.writer.give_up()
    assert len(features(target)) == 1


def test_nothing_is_left_of_what_could_not_be_written(tmp_path: Path) -> None:
    path, target = tmp_path / "a.pathoview", tmp_path / "b.pathoview"
    draw(path, Change.adding([square()]))
    with opened(path) as study:
        study.writer._waiting.append(lambda _connection: 1 / 0)  # type: ignore[arg-type]
        with pytest.raises(ZeroDivisionError):
            save_all_elsewhere(study, target)
        study.writer._waiting.clear()
        target.write_text("mine")
        with pytest.raises(StorageError, match="exists already"):
            save_all_elsewhere(study, target)
    assert target.read_text() == "mine"
    assert [one.name for one in tmp_path.iterdir() if one.name[0] != "a"] == ["b.pathoview"]


def test_a_closed_study_is_one_file_that_can_be_moved(tmp_path: Path) -> None:
    path = tmp_path / "a.pathoview"
    draw(path, Change.adding([square()]))
    with opened(path) as study:
        assert study.file is not None
        assert study.file.features(SLIDE)
        study.do(StudyStep(study.next_number(), SLIDE, "Draw", change=Change.adding([square(20)])))
    assert [one.name for one in tmp_path.iterdir()] == ["a.pathoview"]
