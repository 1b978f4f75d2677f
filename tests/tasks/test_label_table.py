"""Tables of labels: one label a slide, several of them by name, or a column of 0 and 1 a class."""

from __future__ import annotations

from pathlib import Path

import pytest
from labelled_slides import table

from pathoview.core.errors import InputError
from pathoview.tasks.label_table import read_labels


def test_several_labels_are_separated_and_a_dash_is_none_of_them(tmp_path: Path) -> None:
    rows = [
        {"clip": "a", "label": "Polyp; Blood;Polyp", "patient": 1, "site": "X", "split": "Val"},
        {"clip": "b", "label": "-", "patient": "", "site": "", "split": ""},
        {"clip": "c", "label": "", "patient": "", "site": "", "split": ""},
    ]
    first, second = read_labels(table(tmp_path / "t.csv", rows), several=True)
    assert (first.name, first.labels) == ("a", ("Polyp", "Blood"))
    assert (first.patient, first.site, first.split) == ("1", "X", "val")
    assert (second.name, second.labels) == ("b", ())
    (only,) = read_labels(tmp_path / "t.csv")
    assert only.labels == ("Polyp", "Blood")
    every = read_labels(tmp_path / "t.csv", with_unlabelled=True)
    assert [(one.name, one.labels) for one in every] == [
        ("a", ("Polyp", "Blood")),
        ("b", ()),
        ("c", ()),
    ]


def test_columns_of_0_and_1_are_classes(tmp_path: Path) -> None:
    rows = [
        {"clip": "a", "Polyp": 1, "Blood": 1, "age": 50},
        {"clip": "b", "Polyp": 0, "Blood": 0, "age": 1},
    ]
    labels = table(tmp_path / "t.csv", rows)
    assert [one.labels for one in read_labels(labels, several=True)] == [("Polyp", "Blood"), ()]
    named = read_labels(labels, several=True, classes=["Blood"])
    assert [one.labels for one in named] == [("Blood",), ()]
    for name in ("age", "Ulcer"):
        with pytest.raises(InputError, match=f"“{name}” is no column of 0 and 1"):
            read_labels(labels, several=True, classes=[name])
    with pytest.raises(InputError, match="no column of slides and one of labels"):
        read_labels(labels)
