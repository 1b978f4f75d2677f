from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import shapely
from makers import make_svs
from stage import Ears, Loop
from studies import opened

from pathoview.annotations.change import Change
from pathoview.annotations.detections import DetectionClass
from pathoview.annotations.feature import Feature
from pathoview.session.session import Session
from pathoview.study.model import LabelClass

OpenSlide = Callable[[Path], None]


@pytest.fixture
def labelling(session: Session, loop: Loop, open_slide_of: OpenSlide, tmp_path: Path) -> Session:
    """A slide whose annotations are read."""
    open_slide_of(make_svs(tmp_path / "one.svs"))
    loop.run_until(lambda: session.annotations.document is not None)
    return session


def draw(session: Session, class_number: int, left: float = 0) -> None:
    session.annotations.choose_class(class_number)
    assert session.annotations.draw(shapely.box(left, 0, left + 20, 20), "Draw")


def names(session: Session) -> list[str]:
    return [one.name for one in session.classes.listed]


def test_a_new_class_gets_a_colour_a_meaning_a_free_key_and_is_drawn_in(labelling: Session) -> None:
    added = labelling.classes.add("Tumor:Negative ")
    assert added is not None
    assert added.name == "Tumor: Negative"
    assert added.color == (112, 112, 225)
    assert (added.meaning, added.shortcut) == ("negative", "8")
    assert labelling.annotations.drawing_class == added
    assert labelling.history.undo_name == "Add class Tumor: Negative"
    labelling.undo()
    assert added.name not in names(labelling)
    assert labelling.annotations.drawing_class is None


@pytest.mark.parametrize("name", ["Tumor", " Tumor ", "", " : "])
def test_a_name_that_is_taken_or_none_is_refused_with_a_sentence(
    labelling: Session, ears: Ears, name: str
) -> None:
    assert labelling.classes.add(name) is None
    assert not labelling.classes.rename(2, name)
    assert {notice.level for notice in ears.notices} == {"error"}
    assert len(labelling.history.done) == 0


def test_annotations_follow_when_their_class_is_renamed_or_coloured(labelling: Session) -> None:
    draw(labelling, 1)
    assert labelling.classes.rename(1, "Carcinoma")
    assert labelling.classes.recolor(1, (1, 2, 3))
    (feature,) = labelling.annotations.document or ()
    assert feature.classification == LabelClass(number=1, name="Carcinoma", color=(1, 2, 3)).drawn
    assert labelling.classes.count(1) == 1
    labelling.undo()
    labelling.undo()
    (feature,) = labelling.annotations.document or ()
    assert feature.classification is not None
    assert feature.classification.name == "Tumor"


def test_a_class_leaves_the_palette_its_annotations_keep_it_and_it_comes_back(
    labelling: Session, ears: Ears
) -> None:
    draw(labelling, 2)
    assert labelling.classes.remove(2)
    assert "Stroma" not in names(labelling)
    assert labelling.classes.unlisted == ["Stroma"]
    assert not labelling.classes.rename(1, "Stroma")
    assert "taken from the palette" in ears.notices[-1].text
    labelling.classes.add_unlisted()
    assert labelling.classes.unlisted == []
    assert labelling.classes.count(2) == 1
    labelling.classes.remove(2)
    again = labelling.classes.add("Stroma")
    assert again is not None
    assert (again.number, again.shortcut) == (2, "2")


def test_a_key_is_taken_from_the_class_that_had_it_in_one_step(labelling: Session) -> None:
    assert labelling.classes.set_key(3, "1")
    first, third = labelling.classes.get(1), labelling.classes.get(3)
    assert first is not None
    assert third is not None
    assert (first.shortcut, third.shortcut) == ("", "1")
    labelling.undo()
    assert labelling.classes.with_key("1") == labelling.classes.get(1)
    assert not labelling.classes.set_key(3, "0")


def test_a_meaning_is_given_and_what_is_so_already_is_no_step(labelling: Session) -> None:
    assert labelling.classes.set_meaning(1, "ignore")
    assert not labelling.classes.set_meaning(1, "ignore")
    found = labelling.classes.get(1)
    assert found is not None
    assert found.meaning == "ignore"
    assert len(labelling.history.done) == 1


def test_counts_follow_every_step(labelling: Session) -> None:
    told = []
    labelling.classes.changed.connect(lambda: told.append(True))
    for left, number in enumerate((1, 1, 2, 0)):
        draw(labelling, number, 50 * left)
    counts = [labelling.classes.count(number) for number in (0, 1, 2, 3)]
    assert counts == [1, 2, 1, 0]
    labelling.classes.select(1)
    assert labelling.annotations.n_selected == 2
    labelling.operations.set_class(3)
    assert [labelling.classes.count(number) for number in (1, 3)] == [0, 2]
    labelling.undo()
    assert [labelling.classes.count(number) for number in (1, 3)] == [2, 0]
    assert told


def test_a_hidden_class_is_neither_seen_nor_chosen_and_stays_hidden_under_another_name(
    labelling: Session,
) -> None:
    draw(labelling, 1)
    draw(labelling, 2, 100)
    labelling.annotations.select_all()
    labelling.classes.show(1, shown=False)
    assert labelling.annotations.n_selected == 1
    assert labelling.annotations.find(10, 10) == []
    labelling.classes.rename(1, "Carcinoma")
    assert labelling.annotations.find(10, 10) == []
    labelling.annotations.select_all()
    assert labelling.annotations.n_selected == 1
    labelling.classes.show(1)
    assert len(labelling.annotations.find(10, 10)) == 1


def test_a_set_of_classes_goes_to_another_study(
    labelling: Session, loop: Loop, tmp_path: Path, open_slide_of: OpenSlide
) -> None:
    labelling.classes.add("Mitosis")
    labelling.classes.set_meaning(1, "region")
    labelling.classes.set_key(8, "1")
    assert labelling.classes.write(tmp_path / "classes.json")
    expected = [
        (one.name, one.color, one.meaning, one.shortcut) for one in labelling.classes.listed
    ]
    labelling.close_slide()
    open_slide_of(make_svs(tmp_path / "two.svs", mpp=0.25))
    loop.run_until(lambda: labelling.annotations.document is not None)
    labelling.classes.recolor(2, (9, 9, 9))
    assert labelling.classes.read(tmp_path / "classes.json")
    assert [
        (one.name, one.color, one.meaning, one.shortcut) for one in labelling.classes.listed
    ] == expected
    assert not labelling.classes.read(tmp_path / "classes.json")
    labelling.undo()
    assert "Mitosis" not in names(labelling)


def test_taking_a_new_class_back_leaves_it_to_annotations_of_other_slides(
    session: Session, loop: Loop, tmp_path: Path, open_slide_of: OpenSlide
) -> None:
    one, two = make_svs(tmp_path / "one.svs"), make_svs(tmp_path / "two.svs", mpp=0.25)

    def look_at(slide: Path) -> None:
        open_slide_of(slide)
        loop.run_until(lambda: session.annotations.document is not None)

    session.study_files.create(tmp_path / "s.pathoview")
    look_at(one)
    added = session.classes.add("Mitosis")
    assert added is not None
    look_at(two)
    draw(session, added.number)
    look_at(one)
    session.undo()
    assert "Mitosis" not in names(session)
    other = session.classes.add("Apoptosis")
    assert other is not None
    assert other.number != added.number
    look_at(two)
    (feature,) = session.annotations.document or ()
    assert feature.classification == added.drawn
    assert session.classes.unlisted == ["Mitosis"]


def test_a_class_that_came_with_annotations_is_theirs_under_another_name_too(
    labelling: Session, loop: Loop, tmp_path: Path, open_slide_of: OpenSlide
) -> None:
    feature = Feature(shapely.Point(5, 5), classification=DetectionClass("Mitosis", (1, 2, 3)))
    records = labelling.classes.missing([feature.classification])
    labelling.studies.do("Import", Change.adding([feature]), records)
    assert labelling.classes.rename(8, "Mitoses")
    loop.run_until(lambda: not labelling.studies.n_unsaved)
    labelling.close_slide()
    open_slide_of(tmp_path / "one.svs")
    loop.run_until(lambda: labelling.annotations.document is not None)
    assert [one.classification for one in labelling.annotations.document or ()] == [
        DetectionClass("Mitoses", (1, 2, 3))
    ]


def test_classes_of_qupath_and_of_a_study_are_read(labelling: Session, tmp_path: Path) -> None:
    classes = [
        {"name": "Tumor", "color": -3670016},
        {"name": "Glomerulus", "color": [1, 2, 3]},
        {"color": [255, 255, 255]},
        {"names": ["Tumor", "Positive"], "color": [250, 62, 62]},
    ]
    file = tmp_path / "classes.json"
    file.write_text(json.dumps({"pathClasses": classes}))
    assert labelling.classes.read(file)
    assert names(labelling)[-2:] == ["Glomerulus", "Tumor: Positive"]
    with opened(tmp_path / "other.pathoview") as study:
        study.put(LabelClass(number=8, name="Mitosis", color=(1, 2, 3)))
    assert labelling.classes.read(tmp_path / "other.pathoview")
    assert names(labelling)[-1] == "Mitosis"


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"classes": [3]}', '{"classes": []}'])
def test_what_is_no_set_of_classes_is_refused(
    labelling: Session, ears: Ears, tmp_path: Path, content: str
) -> None:
    file = tmp_path / "classes.json"
    file.write_text(content)
    assert not labelling.classes.read(file)
    assert "holds no classes" in ears.notices[-1].text
    assert not labelling.classes.read(tmp_path / "none.json")
    assert "cannot be read" in ears.notices[-1].text


def test_without_a_slide_there_are_no_classes(session: Session) -> None:
    assert session.classes.listed == []
    assert not session.classes.can_edit
    assert session.classes.add("Tumor") is None
