"""Whatever is done in whatever order: it is valid, on disk as in memory, and can be taken back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import shapely
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)
from makers import he_image, make_svs
from stage import FakeRunner, Loop

from pathoview.annotations import shape_edits
from pathoview.annotations.change import Change
from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.feature import Feature
from pathoview.annotations.operations import OPERATIONS, Distance
from pathoview.annotations.shapes import tidy
from pathoview.session.record_book import KINDS
from pathoview.session.session import Session
from pathoview.session.settings import Settings
from pathoview.study.model import MEANINGS, STAINS, LabelClass, Record
from pathoview.study.slide_labels import parse_label
from pathoview.study.study_file import StudyFile

WIDTH, HEIGHT = 256, 192
NAMES = ("Tumor", "Tumor: Positive", "Mitosis", "Rand – 边")
LABELS = ("class:Benign", "grade:ISUP=2", "number:Ki-67=0.3", "survival:OS=12.5,event")

place = st.tuples(st.integers(-20, WIDTH + 20), st.integers(-20, HEIGHT + 20))
number = st.integers(0, 9)
picks = st.lists(st.integers(0, 30), max_size=4)
"""Which annotations are chosen, counted round and round."""


def _shape(points: Sequence[tuple[int, int]], kind: str, width: int) -> shapely.Geometry | None:
    """Return what a tool makes of the places that the pointer went to."""
    if kind == "point":
        return tidy(shapely.multipoints(points))
    if kind == "line":
        return tidy(shapely.linestrings(points))
    if kind == "polygon":
        return tidy(shapely.polygons([*points, *points[:1]]))
    rings = [shapely.buffer(shapely.linestrings(points), grown) for grown in (width, width / 2)]
    return tidy(rings[0] if kind == "stroke" else rings[0] - rings[1])


shape = st.builds(
    _shape,
    st.lists(place, min_size=3, max_size=7, unique=True),
    st.sampled_from(["point", "line", "polygon", "stroke", "ring"]),
    st.integers(1, 30),
).filter(lambda made: made is not None)


State = tuple[dict[Any, Feature], dict[type[Record], dict[str, Record]]]


def state(session: Session) -> State:
    """Return all annotations by their ids, and all records by kind and key."""
    records = session.studies.records
    return (
        {one.id: one for one in session.annotations.document or ()},
        {kind: {one.key: one for one in records.all(kind)} for kind in KINDS},
    )


def seen(session: Session) -> State:
    """Return the state without classes that are not in the palette: one that came stays known."""
    features, records = state(session)
    return features, records | {
        LabelClass: {str(one.number): one for one in session.classes.listed}
    }


class Workplace(RuleBasedStateMachine):
    """One slide of a study, and all that a person can do with it."""

    def __init__(self, slide: Path, folder: pytest.TempPathFactory) -> None:
        super().__init__()
        self.path = slide
        self.study = folder.mktemp("study") / "s.pathoview"
        self.loop = Loop()
        self.session = Session(self.loop.post, Settings(cache_bytes=2**26), FakeRunner())
        self.desk, self.operations = self.session.annotations, self.session.operations
        self.classes, self.editing = self.session.classes, self.session.slides.editing
        self.bookmarks = self.session.places.bookmarks

    @initialize()
    def begin(self) -> None:
        self.session.study_files.create(self.study)
        self.open()
        self.beginning = seen(self.session)

    def open(self) -> None:
        self.session.open(self.path)
        self.loop.run_until(lambda: self.desk.document is not None)

    def choose(self, chosen: Sequence[int]) -> tuple[Feature, ...]:
        there = list(self.desk.document or ())
        self.desk.select(there[one % len(there)].id for one in chosen if there)
        return self.desk.selected

    @property
    def slides(self) -> list[str]:
        return [row.slide_hash for row in self.session.slides.rows]

    # -- annotations -----------------------------------------------------------------------------

    @rule(made=shape, number=number, role=st.sampled_from(["", "scribble", "full", "ruler"]))
    def draw(self, made: shapely.Geometry, number: int, role: Any) -> None:
        self.desk.choose_class(number)
        self.desk.draw(made, "Draw", role)

    @rule(
        what=st.sampled_from(sorted(OPERATIONS)),
        chosen=picks,
        far=st.sampled_from([0.3, 2.0, 15.0]),
        unit=st.sampled_from(["um", "px"]),
        number=number,
    )
    def operate(self, what: str, chosen: list[int], far: float, unit: Any, number: int) -> None:
        self.choose(chosen)
        found = self.classes.get(number)
        drawn = None if found is None else found.drawn
        self.operations.do(what, Distance(far, unit), drawn)

    @rule(chosen=picks, far=place, how=st.sampled_from(["move", "turn", "scale", "vertex", "cut"]))
    def reshape(self, chosen: list[int], far: tuple[int, int], how: str) -> None:
        for one in self.choose(chosen)[:1]:
            made = one.geometry
            if how == "move":
                made = shape_edits.translate(made, *far)
            elif how == "turn":
                made = shape_edits.rotate(made, far[0], far)
            elif how == "scale":
                made = shape_edits.scale(made, far[0] / 100, far[1] / 100, far)
            elif how == "vertex":
                made = shape_edits.move_vertex(made, 0, *far)
            else:
                made = shape_edits.delete_vertex(made, 0)
            self.desk.reshape(one, made, "Reshape")

    @rule(chosen=picks, name=st.sampled_from(["", "core", "边"]), is_locked=st.booleans())
    def describe(self, chosen: list[int], name: str, is_locked: bool) -> None:
        self.choose(chosen)
        self.operations.edit({"name": name, "is_locked": is_locked}, {"stage": name})

    @rule(chosen=picks, number=number, way=st.sampled_from(["set", "press"]))
    def classify(self, chosen: list[int], number: int, way: str) -> None:
        self.choose(chosen)
        if way == "set":
            self.operations.set_class(number)
        else:
            self.operations.press_digit(str(number))

    @rule(chosen=picks, mark=st.sampled_from(["lock", "uncertain", "disputed", "full", "hide"]))
    def mark(self, chosen: list[int], mark: str) -> None:
        self.choose(chosen)
        if mark == "full":
            self.operations.toggle_fully_labelled()
        elif mark == "hide":
            self.operations.hide()
        else:
            self.operations.toggle(mark)

    @rule()
    def show_hidden(self) -> None:
        self.operations.show_hidden()

    @rule(chosen=picks)
    def remove(self, chosen: list[int]) -> None:
        self.choose(chosen)
        self.operations.do("delete")

    @rule(chosen=picks)
    def copy(self, chosen: list[int]) -> None:
        self.choose(chosen)
        self.operations.copy()

    @rule()
    def paste(self) -> None:
        self.operations.paste()

    @rule()
    def transfer(self) -> None:
        self.operations.transfer_last()

    @rule(made=shape, name=st.sampled_from(NAMES))
    def bring_in(self, made: shapely.Geometry, name: str) -> None:
        """Add an annotation of a class that the palette may lack, as what is imported is."""
        one = Feature(made, classification=DetectionClass(name, (1, 2, 3)))
        records = self.classes.missing([one.classification])
        self.session.studies.do("Import", Change.adding([self.classes.adopted(one)]), records)

    @rule()
    def add_full_image(self) -> None:
        self.operations.add_full_image()

    @rule()
    def add_tissue(self) -> None:
        n_done = len(self.session.history.done)
        self.operations.add_tissue()
        self.loop.run_until(lambda: len(self.session.history.done) > n_done)

    # -- records ---------------------------------------------------------------------------------

    @rule(name=st.sampled_from(NAMES))
    def add_class(self, name: str) -> None:
        self.classes.add(name)

    @rule(number=number, name=st.sampled_from(NAMES))
    def rename_class(self, number: int, name: str) -> None:
        self.classes.rename(number, name)

    @rule(number=number, shade=st.integers(0, 255), meaning=st.sampled_from(MEANINGS))
    def alter_class(self, number: int, shade: int, meaning: Any) -> None:
        self.classes.recolor(number, (shade, 0, 0))
        self.classes.set_meaning(number, meaning)
        self.classes.set_key(number, str(shade % 10))

    @rule(number=number)
    def remove_class(self, number: int) -> None:
        self.classes.remove(number)

    @rule()
    def list_all_classes(self) -> None:
        self.classes.add_unlisted()

    @rule(name=st.sampled_from(["", "here"]))
    def set_bookmark(self, name: str) -> None:
        self.bookmarks.add(name)

    @precondition(lambda self: self.bookmarks.all)
    @rule(name=st.sampled_from(["there", ""]))
    def alter_bookmark(self, name: str) -> None:
        if name:
            self.bookmarks.rename(0, name)
        else:
            self.bookmarks.remove(0)

    @rule(label=st.sampled_from(LABELS), is_given=st.booleans())
    def label_slide(self, label: str, is_given: bool) -> None:
        said = parse_label(label)
        (self.editing.label if is_given else self.editing.unlabel)(self.slides, said)

    @rule(stain=st.sampled_from(STAINS), case=st.sampled_from(["", "C 1", "C 2"]), on=st.booleans())
    def say_of_slide(self, stain: str, case: str, on: bool) -> None:
        self.editing.set_stain(self.slides, stain)
        self.editing.assign(self.slides, case, "A" if on else "")
        self.editing.set_reviewed(self.slides, on=on)
        for one in self.editing.cases:
            self.editing.rename_case(one, f"{one.name} {on}")

    # -- the history -----------------------------------------------------------------------------

    @rule(n=st.integers(1, 4))
    def undo(self, n: int) -> None:
        for _step in range(n):
            self.session.undo()

    @rule(n=st.integers(1, 4))
    def redo(self, n: int) -> None:
        for _step in range(n):
            self.session.redo()

    @rule()
    def come_back(self) -> None:
        """Look at nothing for a moment, and open the slide again."""
        self.session.close_slide()
        self.open()

    # -- what is so at any time ------------------------------------------------------------------

    @invariant()
    def every_shape_is_sound(self) -> None:
        shapes = [one.geometry for one in self.desk.document or ()]
        assert all(shapely.is_valid(shapes))
        assert not any(shapely.is_empty(shapes))

    def teardown(self) -> None:
        try:
            self.check_all()
        finally:
            self.session.close()

    def check_all(self) -> None:
        end = seen(self.session)
        n_done = len(self.session.history.done)
        for is_another_day in (False, True):
            self.check_disk()
            if is_another_day:
                self.come_back()
            self.undo(n_done)
            assert not self.session.history.done
            assert seen(self.session) == self.beginning
            self.check_disk()
            if is_another_day:
                self.come_back()
            self.redo(n_done)
            assert seen(self.session) == end
        self.check_disk()

    def check_disk(self) -> None:
        book = self.session.studies.book
        assert book is not None
        assert book.study.writer.flush(10), book.study.writer.error
        with StudyFile.open(self.study) as file:
            assert file.check() == []
            features, records = state(self.session)
            assert {one.id: one for one in file.features(book.slide_hash)} == features
            assert {kind: {one.key: one for one in file.records(kind)} for kind in KINDS} == records
            kept, done = file.steps(book.slide_hash), book.steps
            assert [(one.number, one.is_undone) for one in kept] == [
                (one.number, one.is_undone) for one in done
            ]
            for one in kept:
                there = replace(book.step(one.number), is_undone=one.is_undone)
                assert file.step(one.number) == there


def test_any_operations_are_kept_as_they_are_and_can_all_be_taken_back(
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    slide = make_svs(tmp_path_factory.mktemp("slide") / "one.svs", he_image(WIDTH, HEIGHT))
    run_state_machine_as_test(
        partial(Workplace, slide, tmp_path_factory),
        settings=settings(max_examples=25, stateful_step_count=15, deadline=None),
    )
