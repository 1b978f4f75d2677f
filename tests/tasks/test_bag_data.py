"""Slides with labels become bags: from a study and from a folder, and what is left out and why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from labelled_slides import SIDE_L0, cohort, described, pictures, recorded, table
from studies import opened

from pathoview.core.errors import InputError, MissingScaleError, StainError, UsageError
from pathoview.core.progress import SilentProgress
from pathoview.slides.slide import Slide
from pathoview.study.model import LabelClass, SlideLabel, SlideRecord
from pathoview.study.tile_verdicts import SlideVerdicts, TileVerdict
from pathoview.tasks import bag_data
from pathoview.tasks.bag_data import Described, PreparedBags, open_bag_data
from pathoview.tasks.bag_labels import BagSource
from pathoview.tasks.features import FeatureOrder


@pytest.fixture(autouse=True)
def _quickly_described(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bag_data, "described", described)


def opened_bags(source: BagSource) -> PreparedBags:
    return open_bag_data(source, FeatureOrder(), SilentProgress())


def of_folder(folder: Path, labels: Path, **more: object) -> PreparedBags:
    return opened_bags(BagSource(images=str(folder), labels=str(labels), **{"mpp": 0.5, **more}))  # type: ignore[arg-type]


def labels_of(bags: PreparedBags) -> dict[str, str]:
    return {bag.name: bags.data.classes[bag.label].name for bag in bags.data.bags}


def reasons(bags: PreparedBags) -> dict[str, str]:
    return {one.slide: one.reason for one in bags.left_out}


def a_class(name: str, **more: object) -> SlideLabel:
    return SlideLabel(label_kind="class", name=name, **more)  # type: ignore[arg-type]


def a_study(path: Path, *records: SlideRecord | LabelClass | SlideVerdicts) -> BagSource:
    with opened(path) as study:
        study.put(*records)
    return BagSource(study=str(path))


# -- folders ---------------------------------------------------------------------------------------


def test_a_table_names_label_patient_site_and_split(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "slides", ["a", "b", "c"])
    rows = [
        {"Image": "a", "Label": "Tumor", "Patient": "7", "Site": "X", "Split": "Test"},
        {"Image": "far/away/b.png", "Label": "Normal", "Patient": "", "Site": "", "Split": ""},
    ]
    found = of_folder(folder, table(tmp_path / "t.csv", rows), licence="CC0")
    assert labels_of(found) == {"a": "Tumor", "b": "Normal"}
    assert [one.name for one in found.data.classes] == ["Normal", "Tumor"]
    first, second = found.data.bags
    assert (first.group, first.split, first.licence) == ("patient 7", "test", "CC0")
    assert (second.group, second.split) == ("", "train")
    assert found.sites == ("X", "")
    assert found.data.encoder.name == "fake"
    assert first.features.shape == (8, 6)
    assert not found.left_out


def test_named_classes_give_the_order_and_others_are_not_read(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "slides", "abc")
    rows = [{"slide": name, "label": label} for name, label in zip("abc", "XYZ", strict=True)]
    found = of_folder(folder, table(tmp_path / "t.csv", rows), classes=("Z", "X"))
    assert [one.name for one in found.data.classes] == ["Z", "X"]
    assert labels_of(found) == {"a": "X", "c": "Z"}


def test_grades_are_in_their_order(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "slides", "abc")
    rows = [{"slide": name, "label": grade} for name, grade in zip("abc", (10, 0, 2), strict=True)]
    found = of_folder(folder, table(tmp_path / "t.csv", rows), grade="ISUP")
    assert [one.name for one in found.data.classes] == ["ISUP 0", "ISUP 2", "ISUP 10"]
    assert found.data.ordering == "grades"
    assert [bag.label for bag in found.data.bags] == [2, 0, 1]


def test_what_cannot_be_used_is_left_out_with_the_reason(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "slides", ["a", "b", "both", "Empty"])
    (folder / "copy.png").write_bytes((folder / "a.png").read_bytes())
    (folder / "broken.png").write_bytes(b"nothing")
    rows = [
        *({"slide": name, "label": "X"} for name in ("a", "both", "Empty", "copy", "broken")),
        *({"slide": name, "label": "Y"} for name in ("b", "both", "gone")),
    ]
    found = of_folder(folder, table(tmp_path / "t.csv", rows))
    assert labels_of(found) == {"a": "X", "b": "Y"}
    said = reasons(found)
    assert said.pop("both") == "It has several of the classes: X, Y."
    assert said.pop("Empty") == "No tissue was found in it."
    assert said.pop("copy") == "It is the same slide as “a”."
    assert said.pop("gone") == "There is no slide of this name in the folder."
    assert "broken.png" in said.pop("broken")
    assert not said


def test_a_slide_whose_colours_cannot_be_made_alike_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(slide: Slide, *said: Any, **more: Any) -> Described:
        if slide.path.stem == "Tumor-1":
            raise StainError("This slide is brown.")
        return described(slide, *said, **more)

    monkeypatch.setattr(bag_data, "described", refused)
    found = of_folder(*cohort(tmp_path, 4))
    assert reasons(found) == {"Tumor-1": "This slide is brown."}
    assert len(found.data.bags) == 3


def test_a_patient_in_two_splits_is_refused(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "slides", "ab")
    rows = [
        {"slide": "a", "label": "X", "patient": 3, "split": "train"},
        {"slide": "b", "label": "Y", "patient": 3, "split": "test"},
    ]
    with pytest.raises(InputError, match="“patient 3” is in two splits: train and test"):
        of_folder(folder, table(tmp_path / "t.csv", rows))


def test_wrong_tables_and_folders_are_told_in_a_sentence(tmp_path: Path) -> None:
    folder, labels = cohort(tmp_path, 2)
    with pytest.raises(InputError, match="There is no folder “nowhere”"):
        of_folder(tmp_path / "nowhere", labels)
    with pytest.raises(InputError, match=r"“no\.csv” cannot be read"):
        of_folder(folder, tmp_path / "no.csv")
    with pytest.raises(InputError, match="no column of slides"):
        of_folder(folder, table(tmp_path / "t.csv", [{"slide": "a", "kind": "X"}]))
    rows = [{"slide": "Normal-0", "label": "high", "split": "maybe"}]
    with pytest.raises(InputError, match="“maybe” is no split"):
        of_folder(folder, table(tmp_path / "t.csv", rows))
    rows = [{"slide": "Normal-0", "label": "high"}]
    with pytest.raises(InputError, match="“high” is no grade"):
        of_folder(folder, table(tmp_path / "t.csv", rows), grade="ISUP")
    with pytest.raises(InputError, match="No slide has a label") as refused:
        of_folder(folder, table(tmp_path / "t.csv", [{"slide": "gone", "label": "X"}]))
    assert "There is no slide of this name" in refused.value.hint
    with pytest.raises(UsageError, match="table of labels"):
        opened_bags(BagSource(images=str(folder)))
    with pytest.raises(UsageError, match="which slides"):
        opened_bags(BagSource())


def test_a_name_of_two_files_is_refused_and_a_whole_name_is_not(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "slides", ["a"])
    pictures(folder / "more", ["b"])
    (folder / "more" / "b.png").rename(folder / "a.jpg")
    with pytest.raises(InputError, match="“a” may be 2 slides"):
        of_folder(folder, table(tmp_path / "t.csv", [{"slide": "a", "label": "X"}]))
    found = of_folder(folder, table(tmp_path / "t.csv", [{"slide": "a.png", "label": "X"}]))
    assert len(found.data.bags) == 1


def test_pictures_without_a_scale_are_asked_for_it(tmp_path: Path) -> None:
    folder, labels = cohort(tmp_path, 2)
    with pytest.raises(MissingScaleError):
        of_folder(folder, labels, mpp=None)


# -- studies ---------------------------------------------------------------------------------------


def test_a_study_tells_class_patient_and_what_is_not_looked_for(tmp_path: Path) -> None:
    folder = pictures(tmp_path, "abcd")
    records = [
        recorded(folder / "a.png", a_class("Benign"), patient_id="7", site_id="S"),
        recorded(
            folder / "b.png", a_class("Zebra"), SlideLabel(label_kind="grade", name="G", value=1)
        ),
        recorded(folder / "c.png", a_class("Zebra", frames=(0, 3))),
        recorded(folder / "d.png", a_class("Zebra", is_disputed=True)),
    ]
    classes = [
        LabelClass(number=1, name="Zebra", color=(1, 2, 3), meaning="negative"),
        LabelClass(number=2, name="Benign", color=(4, 5, 6)),
    ]
    found = opened_bags(a_study(tmp_path / "s.pathoview", *records, *classes))
    assert [(one.name, one.color) for one in found.data.classes] == [
        ("Zebra", (1, 2, 3)),
        ("Benign", (4, 5, 6)),
    ]
    bags = {
        bag.slide_hash: (bag, site) for bag, site in zip(found.data.bags, found.sites, strict=True)
    }
    (benign, here), (zebra, nowhere) = (bags.pop(one.slide_hash) for one in records[:2])
    assert not bags
    assert (benign.label, benign.group, here) == (1, "patient 7", "S")
    assert (zebra.label, zebra.group, nowhere) == (0, "", "")
    assert list(reasons(found).values()) == ["Its label is disputed."]
    assert all("png" not in bag.name for bag in found.data.bags)
    assert found.study_id


def test_grades_of_a_study_are_read_by_their_name(tmp_path: Path) -> None:
    folder = pictures(tmp_path, "ab")
    records = [
        recorded(folder / f"{name}.png", SlideLabel(label_kind="grade", name="ISUP", value=value))
        for name, value in (("a", 3), ("b", 1))
    ]
    source = a_study(tmp_path / "s.pathoview", *records)
    found = opened_bags(BagSource(study=source.study, grade="ISUP"))
    assert [one.name for one in found.data.classes] == ["ISUP 1", "ISUP 3"]
    with pytest.raises(InputError, match="No slide has a label") as refused:
        opened_bags(source)
    assert "slides label" in refused.value.hint


def test_named_slides_of_a_study_only_and_why_one_is_not_used(tmp_path: Path) -> None:
    folder = pictures(tmp_path, "abc")
    records = [recorded(folder / f"{name}.png", a_class("X")) for name in "ab"]
    source = a_study(tmp_path / "s.pathoview", *records, recorded(folder / "c.png"))
    named = BagSource(study=source.study, slides=(str(folder / "b.png"), "c"))
    found = opened_bags(named)
    assert [bag.slide_hash for bag in found.data.bags] == [records[1].slide_hash]
    assert list(reasons(found).values()) == ["It has no label."]


def test_a_slide_that_is_not_where_it_was_is_left_out(tmp_path: Path) -> None:
    folder = pictures(tmp_path, "ab")
    records = [recorded(folder / f"{name}.png", a_class("X")) for name in "ab"]
    (folder / "a.png").unlink()
    (folder / "a.png").write_bytes((folder / "b.png").read_bytes())
    found = opened_bags(a_study(tmp_path / "s.pathoview", *records))
    assert len(found.data.bags) == 1
    assert list(reasons(found).values()) == ["Another slide lies where its file was."]


def test_what_people_said_of_tiles_counts_unless_they_contradict_each_other(tmp_path: Path) -> None:
    folder = pictures(tmp_path, "a")
    record = recorded(folder / "a.png", a_class("Tumor"))

    def verdict(tile: int, answer: str, of: str = "Tumor", author: str = "Ada") -> TileVerdict:
        x, y = tile % 4 * SIDE_L0, tile // 4 * SIDE_L0
        members = {"x_l0": x, "y_l0": y, "side_l0": SIDE_L0, "class_name": of}
        return TileVerdict.model_validate({**members, "answer": answer, "author": author})

    said = SlideVerdicts(
        slide_hash=record.slide_hash,
        verdicts=(
            verdict(0, "agree"),
            verdict(5, "disagree"),
            verdict(2, "unsure"),
            verdict(3, "agree", of="Normal"),
            verdict(4, "agree"),
            verdict(4, "disagree", author="Bo"),
        ),
    )
    (bag,) = opened_bags(a_study(tmp_path / "s.pathoview", record, said)).data.bags
    assert bag.answers is not None
    np.testing.assert_array_equal(bag.answers, [1, -1, -1, -1, -1, 0, -1, -1])


def test_without_answers_nobody_was_asked(tmp_path: Path) -> None:
    folder, labels = cohort(tmp_path, 2)
    assert all(bag.answers is None for bag in of_folder(folder, labels).data.bags)


# -- several labels at once ------------------------------------------------------------------------


def test_bags_may_have_any_number_of_labels(tmp_path: Path) -> None:
    folder = pictures(tmp_path / "slides", ["a", "b", "c"])
    rows = [
        {"clip": "a", "label": "Y;X"},
        {"clip": "b", "label": "Y"},
        {"clip": "c", "label": "-"},
    ]
    labels = table(tmp_path / "t.csv", rows)
    found = of_folder(folder, labels, several=True).data
    assert [one.name for one in found.classes] == ["X", "Y"]
    assert found.ordering == "labels"
    assert [bag.labels for bag in found.bags] == [(1, 1), (0, 1), (0, 0)]
    assert all(bag.is_known and bag.label == -1 for bag in found.bags)
    assert found.n_labels == 3
    assert found.counts() == {"X": 1, "Y": 2}
    other = replace(found.bags[0], labels=(1, 0))
    assert other.fingerprint() != found.bags[0].fingerprint()
    single = of_folder(folder, labels)
    assert labels_of(single) == {"b": "Y"}
    assert reasons(single) == {"a": "It has several of the classes: Y, X."}
