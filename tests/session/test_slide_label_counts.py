"""What is said of the labels of slides before anything is learned from them."""

from __future__ import annotations

from pathoview.session.slide_label_counts import (
    KnownSlide,
    classes_of,
    count_labels,
    grades_of,
    is_clip,
)
from pathoview.study.labelled_slides import patient_of
from pathoview.study.model import Block, LabelClass, SlideLabel, SlideRecord
from pathoview.study.slide_labels import parse_label

HUES = (1, 2, 3)
LABELS = [
    LabelClass(number=1, name="Tumor", color=HUES),
    LabelClass(number=2, name="Zero", color=HUES, meaning="negative"),
]


def slide(number: int, *labels: str | SlideLabel, patient: str = "", **said: object) -> KnownSlide:
    made = tuple(parse_label(one) if isinstance(one, str) else one for one in labels)
    is_missing = bool(said.pop("is_missing", False))
    members = {"slide_hash": f"{number:02x}", "mpp": (0.5, 0.5), "labels": made, **said}
    return KnownSlide(SlideRecord.model_validate(members), patient, is_missing)


def test_slides_and_patients_are_counted_and_what_is_left_out_has_a_reason() -> None:
    disputed = parse_label("Tumor").model_copy(update={"is_disputed": True})
    slides = [
        slide(1, "Tumor", patient="A"),
        slide(2, "Tumor", patient="A"),
        slide(3, "Tumor"),
        slide(4, "Benign", patient="B"),
        slide(5, "Benign", patient="C"),
        slide(6, "Benign", "Tumor"),
        slide(7, disputed),
        slide(8, "Benign", is_missing=True),
        slide(9, "Benign", mpp=None),
        slide(10),
        slide(11, "Tumor@0-3"),
        slide(12, "Stroma"),
    ]
    found = count_labels(slides, ("Benign", "Tumor"))
    assert found.counts == {"Benign": 2, "Tumor": 3}
    assert found.patients == {"Benign": 2, "Tumor": 2}
    assert found.words == "2 Benign, 3 Tumor, from 4 patients"
    assert found.n_unlabelled == 2
    assert sorted(found.left_out.values()) == [1, 1, 1, 1]
    assert "1 slide is left out: the label is disputed." in found.rest
    assert "2 slides have no label." in found.rest
    assert found.problem == ""
    assert "3 more patients with Tumor would allow 5 folds." in found.advice
    assert any(one.startswith("Of 1 slide nobody says the patient") for one in found.advice)
    assert (found.good_folds, found.most_folds) == (2, 4)


def test_what_keeps_from_learning_is_said() -> None:
    assert "No slide has a label" in count_labels([slide(1)], ()).problem
    one = [slide(1, "Tumor"), slide(2, "Tumor")]
    assert "only “Tumor”" in count_labels(one, ("Tumor",)).problem
    few = [*one, slide(3, "Benign", patient="A"), slide(4, "Benign", patient="A")]
    assert "“Benign” is known of one patient only" in count_labels(few, ("Benign", "Tumor")).problem


def test_classes_and_grades_are_told_in_their_order() -> None:
    slides = [
        slide(1, "Tumor", "grade:ISUP=10"),
        slide(2, "Zero", "grade:ISUP=2"),
        slide(3, "Benign", "grade:Age=1@0-2"),
    ]
    assert classes_of(slides, LABELS) == ["Zero", "Benign", "Tumor"]
    assert grades_of(slides) == ["ISUP"]
    assert classes_of(slides, LABELS, "ISUP") == ["ISUP 2", "ISUP 10"]
    assert count_labels(slides, ("ISUP 2", "ISUP 10"), "ISUP").counts == {"ISUP 2": 1, "ISUP 10": 1}


def test_a_patient_is_an_id_or_a_case() -> None:
    block = Block(case_id="c1", name="A")
    record = SlideRecord(slide_hash="1")
    assert patient_of(record, None) == ""
    assert patient_of(record, block) == "case c1"
    assert patient_of(record.model_copy(update={"patient_id": "P1"}), block) == "patient P1"


def test_where_a_slide_may_have_several_labels_it_counts_for_each() -> None:
    slides = [
        slide(1, "Tumor", "Necrosis", patient="A"),
        slide(2, "Tumor", patient="B"),
        slide(3, "Necrosis", patient="C"),
        slide(4, "Normal", patient="D"),
        slide(5),
    ]
    found = count_labels(slides, ("Necrosis", "Tumor"), has_several=True)
    assert found.counts == {"Necrosis": 2, "Tumor": 2}
    assert found.problem == ""
    assert [names for _one, names in found.labelled] == [
        ("Necrosis", "Tumor"),
        ("Necrosis",),
        ("Tumor",),
        (),
    ]
    assert found.n_patients == 4, "one that has none of them is learned from, too"
    assert (found.n_unlabelled, found.left_out) == (1, {})
    all_have_it = count_labels(slides[:2], ("Tumor",), has_several=True)
    assert "All have the label “Tumor”" in all_have_it.problem
    one_patient = count_labels(slides[1:], ("Tumor",), has_several=True)
    assert "one patient only" in one_patient.problem


def test_clips_need_no_scale_and_are_not_mixed_with_slides() -> None:
    video = slide(1, "Polyp", mpp=None, path="/a/exam.MP4").record
    folder = slide(2, "Polyp", mpp=None, path="/a/exam7").record
    picture = slide(3, "Polyp", mpp=None, path="/a/x.png").record
    assert [is_clip(one) for one in (video, folder, picture)] == [True, True, False]
    clips = [
        KnownSlide(slide(n, label, mpp=None, path=f"/a/{n}").record, f"P{n}", is_clip=True)
        for n, label in enumerate(("Polyp", "Polyp", "Normal", "Normal"))
    ]
    found = count_labels(clips, ("Normal", "Polyp"))
    assert found.problem == ""
    assert found.is_of_clips
    mixed = count_labels([*clips, slide(9, "Polyp")], ("Normal", "Polyp"))
    assert "Clips and slides cannot" in mixed.problem


def test_whole_pictures_need_no_scale_and_are_no_clips() -> None:
    pictures = [
        slide(n, label, mpp=None, patient=f"P{n}", path=f"/a/{n}.png")
        for n, label in enumerate(("Low", "Low", "High", "High"))
    ]
    assert "scale" in str(count_labels(pictures, ("Low", "High")).left_out)
    found = count_labels(pictures, ("Low", "High"), is_of_whole=True)
    assert (found.counts, found.has_scale, found.problem) == ({"Low": 2, "High": 2}, False, "")
    clips = [KnownSlide(one.record, one.patient, is_clip=True) for one in pictures]
    assert "not at clips" in count_labels(clips, ("Low", "High"), is_of_whole=True).problem
