"""Changes of the annotation document: applied, taken back, refused."""

from __future__ import annotations

from dataclasses import replace

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from pathoview.annotations.change import Change
from pathoview.annotations.document import AnnotationDocument
from pathoview.annotations.feature import Feature


def square(x: float = 0) -> Feature:
    return Feature(shapely.box(x, 0, x + 10, 10))


def test_a_change_puts_in_takes_away_and_edits() -> None:
    old, edited, new = square(), square(20), square(40)
    document = AnnotationDocument([old, edited])
    after = replace(edited, name="margin")
    heard: list[Change] = []
    document.changed.connect(heard.append)
    change = Change((old, edited), (after, new))
    document.apply(change)
    assert list(document) == [after, new]
    assert heard == [change]
    assert document.get(old.id) is None
    assert new.id in document


def test_a_change_of_something_else_is_refused_and_alters_nothing() -> None:
    there = square()
    document = AnnotationDocument([there])
    stranger = square(20)
    for change in (
        Change((stranger,), (square(50),)),
        Change((there, there)),
        Change(after=(there,)),
        Change(after=(stranger, stranger)),
    ):
        with pytest.raises(ValueError, match="change"):
            document.apply(change)
        assert list(document) == [there]


def test_what_comes_back_comes_back_to_its_place() -> None:
    features = [square(20 * n) for n in range(4)]
    document = AnnotationDocument(features)
    change = Change.removing(features[:2])
    document.apply(change)
    document.apply(change.inverse)
    assert list(document) == features


@given(st.data())
def test_any_changes_taken_back_in_turn_leave_what_was_there(data: st.DataObject) -> None:
    start = [square(20 * n) for n in range(3)]
    document = AnnotationDocument(start)
    done: list[Change] = []
    for _ in range(data.draw(st.integers(1, 8))):
        done.append(data.draw(_changes(document)))
        document.apply(done[-1])
    end = list(document)
    for change in reversed(done):
        document.apply(change.inverse)
    assert list(document) == start
    summed = Change()
    for change in done:
        summed += change
    document.apply(summed)
    assert sorted(document, key=lambda one: one.id) == sorted(end, key=lambda one: one.id)


@st.composite
def _changes(draw: st.DrawFn, document: AnnotationDocument) -> Change:
    there = list(document)
    touched = [feature for feature in there if draw(st.booleans())]
    kept = [
        replace(feature, name=draw(st.text(max_size=2)))
        for feature in touched
        if draw(st.booleans())
    ]
    new = [square(draw(st.integers(0, 99))) for _ in range(draw(st.integers(0, 2)))]
    return Change(tuple(touched), (*kept, *new))
