from __future__ import annotations

import pytest

from pathoview.core.undo import History, Refused, Step


def write(text: str, page: list[str]) -> Step:
    return Step(f"Write {text}", lambda: page.append(text), lambda: page.remove(text))


def test_steps_are_taken_back_in_reverse_and_done_again_in_order() -> None:
    page: list[str] = []
    history = History()
    for text in "abc":
        history.do(write(text, page))
    history.undo()
    history.undo()
    assert page == ["a"]
    assert (history.undo_name, history.redo_name) == ("Write a", "Write b")
    history.redo()
    history.redo()
    assert page == ["a", "b", "c"]
    assert history.redo_name == ""


def test_a_new_step_forgets_those_that_were_taken_back() -> None:
    page: list[str] = []
    history = History()
    history.do(write("a", page))
    history.undo()
    history.do(write("b", page))
    history.redo()
    assert page == ["b"]


def test_nothing_happens_at_both_ends_of_the_history() -> None:
    history = History()
    history.undo()
    history.redo()
    assert (history.undo_name, history.redo_name) == ("", "")


def test_a_step_that_fails_is_not_remembered() -> None:
    def fail() -> None:
        raise LookupError

    history = History()
    with pytest.raises(LookupError):
        history.do(Step("Fail", fail, fail))
    assert history.undo_name == ""


def test_a_step_that_has_come_about_already_is_remembered_without_being_done() -> None:
    page = ["a"]
    history = History()
    history.remember(write("a", page))
    assert page == ["a"]
    history.undo()
    assert page == []


def test_every_change_is_told() -> None:
    told: list[str] = []
    history = History()
    history.changed.connect(lambda: told.append(history.undo_name))
    history.do(write("a", []))
    history.clear()
    assert told == ["Write a", ""]


def test_a_step_that_refuses_stays_where_it_is() -> None:
    def refuse() -> None:
        raise Refused

    history = History()
    history.do(Step("Once", lambda: None, refuse))
    history.undo()
    assert (history.undo_name, history.redo_name) == ("Once", "")
    history.load([], [Step("Again", refuse, lambda: None)])
    history.redo()
    assert (history.undo_name, history.redo_name) == ("Once", "Again")
