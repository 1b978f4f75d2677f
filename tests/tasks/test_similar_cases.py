"""Cases of a study or a folder are ranked by how like a slide they are, never its own patient's."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
from bag_methods import known_bags
from bag_runs import write_features
from case_methods import describe, flat, known_cases, request
from labelled_slides import recorded, table
from makers import make_plain
from studies import opened
from teaching import picture_data

from pathoview.core.errors import Cancelled, InputError, UsageError
from pathoview.core.progress import Control, SilentProgress
from pathoview.core.registry import load_entry
from pathoview.methods.fitting import FitContext
from pathoview.methods.hand_features import N_HAND_FEATURES
from pathoview.methods.model import DataUsed, Model, ModelCard, ModelClass, write_model
from pathoview.methods.registry import METHODS
from pathoview.slides.identity import content_hash
from pathoview.study.feature_file import FeatureFile, find_features
from pathoview.study.model import Block, Case, SlideLabel, SlideRecord
from pathoview.tasks import similar_cases

QUIET = SilentProgress()
WHOLE = {"of_whole": True, "n_hand": N_HAND_FEATURES}
REDS = {"query": 100, "near": 104, "far": 200, "middle": 112, "family": 101}
CLASSES = {"near": "Malignant", "far": "Normal", "middle": "Malignant", "family": "Malignant"}


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    return known_cases(monkeypatch, tmp_path)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Pictures of different reds, all of them described."""
    place = tmp_path / "pictures"
    place.mkdir()
    for number, (name, red) in enumerate(REDS.items()):
        describe(make_plain(place / f"{name}.png", flat(red, number)))
    return place


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    """The query has no label, and is of the patient of one of the others."""
    rows = [
        {"slide": name, "label": CLASSES.get(name, ""), "patient": patient}
        for name, patient in zip(REDS, ("P1", "P2", "P3", "P4", "P1"), strict=True)
    ]
    return table(tmp_path / "labels.csv", rows)


@pytest.fixture
def study(tmp_path: Path, folder: Path) -> Path:
    """The pictures as slides of a study; the family are two slides of one case."""
    path = tmp_path / "s.pathoview"
    case = Case(name="C-1")
    blocks = [Block(case_id=case.id, name=name) for name in "AB"]
    places = {"query": blocks[0].id, "family": blocks[1].id}
    with opened(path) as opened_study:
        opened_study.put(case, *blocks)
        for name in REDS:
            said = [SlideLabel(label_kind="class", name=CLASSES[name])] if name in CLASSES else []
            block = places.get(name, "")
            opened_study.put(recorded(folder / f"{name}.png", *said, block_id=block))
    return path


Search = Callable[..., dict[str, Any]]


@pytest.fixture
def search(model: Path, folder: Path) -> Search:
    """Search for cases like the query."""
    return lambda **changes: similar_cases.run(
        request(folder / "query.png", model, **changes), QUIET
    )


def found(result: dict[str, Any]) -> list[tuple[str, str]]:
    """Return names and states of what was found."""
    return [(one["name"], one["state"]) for one in result["similar"]]


def test_cases_of_a_study_come_by_how_alike_they_are_less_the_case_itself(
    search: Search, study: Path
) -> None:
    result = search(study=str(study), names=True)
    assert found(result) == [
        ("near.png", "Malignant"),
        ("middle.png", "Malignant"),
        ("far.png", "Normal"),
    ]
    # Leaves are 16 wide: those of the ten trees part two reds that have a bound between them.
    assert [one["similarity"] for one in result["similar"]] == pytest.approx([0.8, 0.3, 0])
    assert result["is_patient_known"]
    counts = {name: result[f"n_{name}"] for name in ("compared", "itself", "same_patient")}
    assert counts == {"compared": 3, "itself": 1, "same_patient": 1}
    assert result["states"] == [
        {"name": "Malignant", "n": 2, "color": [200, 0, 0]},
        {"name": "Normal", "n": 1, "color": [150, 200, 150]},
    ]
    assert result["precision"] == {
        "at_1": {"value": 0.75, "low": 0.6, "high": 0.9},
        "at_5": {"value": 0.7},
        "chance": {"value": 0.4},
    }
    assert (result["model"], result["left_out"]) == ("Colour or not", [])
    words = result["words"]
    assert words["count"] == "Of 3: 2 Malignant, 1 Normal"
    assert words["notes"] == ["3 cases compared.", "1 of the same patient or case is left out."]
    assert "75% (95 %: 60%–90%) of the first cases and 70% of the first five" in words["precision"]
    assert "by chance 40%" in words["precision"]


def test_names_of_files_are_told_only_when_asked_for(search: Search, study: Path) -> None:
    result = search(study=str(study))
    assert "near" not in str(result)
    best = result["similar"][0]
    assert best["pseudonym"] == f"slide-{best['slide_hash'][:8]}"


def test_pictures_of_a_folder_are_told_of_by_its_table(
    search: Search, folder: Path, labels: Path
) -> None:
    with labels.open("a") as file:
        file.write("elsewhere,Normal,P9\n")
    result = search(images=str(folder), labels=str(labels), names=True, n=2)
    assert result["words"]["notes"][-1] == "1 row of the table names no picture of the folder."
    assert found(result) == [("near.png", "Malignant"), ("middle.png", "Malignant")]
    assert (result["n_same_patient"], result["n_itself"], result["n_compared"]) == (1, 1, 3)


def test_without_a_table_nobody_knows_patients_unless_they_are_named(
    search: Search, folder: Path, labels: Path, tmp_path: Path, model: Path
) -> None:
    result = search(images=str(folder), names=True)
    assert not result["is_patient_known"]
    assert "Nobody says of which patient" in result["words"]["notes"][-1]
    assert result["words"]["count"] == "Of 4: 4 without a label"
    assert found(result)[0] == ("family.png", "")
    assert result["states"] == [{"name": "", "n": 4, "color": None}]
    stranger = make_plain(tmp_path / "stranger.png", flat(100, 77))
    named = request(stranger, model, images=str(folder), labels=str(labels), names=True)
    result = similar_cases.run(named | {"patient": "P2"}, QUIET)
    assert result["n_same_patient"] == 1
    assert "near.png" not in dict(found(result))
    assert "query.png" in dict(found(result))


def test_what_was_not_described_is_counted_or_described(
    search: Search, folder: Path, model: Path
) -> None:
    make_plain(folder / "new.png", flat(102, 50))
    (folder / "broken.png").write_bytes(b"no picture")
    result = search(images=str(folder), names=True)
    assert result["n_without"] == 2
    assert "new.png" not in dict(found(result))
    result = search(images=str(folder), names=True, describe=True)
    assert result["n_without"] == 0
    assert "new.png" in dict(found(result))
    (left_out,) = result["left_out"]
    assert left_out["slide"] == "broken.png"
    assert "that can be opened" in left_out["reason"]
    assert result["words"]["notes"][-1].startswith("broken.png is left out. ")
    (left_out,) = search(images=str(folder), describe=True)["left_out"]
    assert left_out["slide"].startswith("slide-")
    assert "broken" not in left_out["reason"]


def test_what_was_described_is_found_although_its_file_has_gone(
    search: Search, study: Path, folder: Path
) -> None:
    (folder / "near.png").unlink()
    result = search(study=str(study), names=True, describe=True)
    assert found(result)[0] == ("near.png", "Malignant")
    assert result["left_out"] == []


def test_a_copy_is_listed_once_and_damaged_features_are_told_of(
    search: Search, folder: Path
) -> None:
    shutil.copy(folder / "far.png", folder / "far-again.png")
    ((path, _record),) = find_features(content_hash(folder / "near.png"))
    with FeatureFile.open(path, writable=True) as file:
        file.update_record(n_features=2)
    result = search(images=str(folder), names=True)
    assert result["n_copies"] == 1
    assert sorted(dict(found(result))) == ["family.png", "far-again.png", "middle.png"]
    assert "damaged" in result["left_out"][0]["reason"]


def test_vectors_are_another_measure_that_the_model_says_no_precision_of(
    search: Search, study: Path
) -> None:
    result = search(study=str(study), metric="vector", names=True)
    assert [name for name, _state in found(result)] == ["near.png", "middle.png", "far.png"]
    likeness = [one["similarity"] for one in result["similar"]]
    assert likeness == sorted(likeness, reverse=True)
    assert 0.9 < likeness[0] < 1
    assert result["precision"] is None


def test_a_model_without_precision_says_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Path, study: Path
) -> None:
    bare = known_cases(monkeypatch, tmp_path, auroc=0.9)
    result = similar_cases.run(request(folder / "query.png", bare, study=str(study)), QUIET)
    assert result["precision"] is None


@pytest.mark.parametrize(("split", "is_told"), [("train", True), ("val", True), ("test", False)])
def test_that_a_model_learned_from_the_slide_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Path, split: str, is_told: bool
) -> None:
    query = folder / "query.png"
    used = DataUsed(name="x", slide_hash=content_hash(query), split=split)
    model = known_cases(monkeypatch, tmp_path, data=(used,))
    result = similar_cases.run(request(query, model, images=str(folder)), QUIET)
    assert result["is_learned_from"] == is_told
    assert ("The model learned from this slide" in str(result["words"]["notes"])) == is_told


def test_what_cannot_be_done_is_said_with_the_way_on(
    search: Search, study: Path, folder: Path, tmp_path: Path, labels: Path
) -> None:
    with pytest.raises(UsageError, match="among which cases"):
        search()
    with pytest.raises(UsageError, match="among which cases"):
        search(study=str(study), images=str(folder))
    with pytest.raises(UsageError, match="belongs to a folder"):
        search(study=str(study), labels=str(labels))
    with pytest.raises(InputError, match="no folder “nowhere”"):
        search(images=str(tmp_path / "nowhere"))
    lonely = tmp_path / "lonely"
    lonely.mkdir()
    make_plain(lonely / "new.png", flat(90))
    with pytest.raises(InputError, match="no case to compare") as raised:
        search(images=str(lonely))
    assert "have them described" in raised.value.hint


def test_the_first_of_a_long_list_are_counted_apart(search: Search, folder: Path) -> None:
    for number, red in enumerate((60, 70)):
        describe(make_plain(folder / f"dark-{number}.png", flat(red, 90 + number)))
    rows = [{"slide": name, "label": label} for name, label in CLASSES.items()]
    labels = table(folder.with_name("few.csv"), rows)
    words = search(images=str(folder), labels=str(labels))["words"]
    assert words["first"] == "Of the first 5: 3 Malignant, 2 without a label"
    assert words["count"] == "Of 6: 3 Malignant, 1 Normal, 2 without a label"
    assert search(images=str(folder), n=5)["words"]["first"] == ""


def test_a_model_of_another_method_does_not_search(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    other, _features = known_bags(monkeypatch, tmp_path)
    asked = request(folder / "query.png", other, images=str(folder))
    with pytest.raises(UsageError, match="“Bright tiles” does not search") as raised:
        similar_cases.run(asked, QUIET)
    assert "patch_sum" in raised.value.hint


def test_a_search_can_be_stopped(search: Search, folder: Path, model: Path) -> None:
    control = Control()
    control.cancel()
    with pytest.raises(Cancelled):
        similar_cases.run(
            request(folder / "query.png", model, images=str(folder)), SilentProgress(control)
        )


def test_a_forest_that_was_taught_finds_cases_of_the_same_class(tmp_path: Path) -> None:
    data = picture_data(24, n_held_back=8, share=1.0)
    *known, new = data.bags  # it is of the second class
    spec, study = METHODS.get("patch_sum"), tmp_path / "s.pathoview"
    params = spec.fit_params.parse(  # type: ignore[union-attr]
        {"n_steps": 30, "batch": 8, "width": 8, "n_folds": 2, "n_trees": 50}
    )
    method = load_entry(spec.entry)
    fitted = method(spec.params()).fit(replace(data, bags=known), params, FitContext(QUIET))
    model = tmp_path / "m.safetensors"
    card = ModelCard(
        title="Pictures",
        method=spec.name,
        kind="bag",
        mpp=0,
        classes=tuple(ModelClass(name=one.name) for one in data.classes),
        settings={**fitted.settings, "encoder": asdict(data.encoder)},
    )
    write_model(model, Model(card, fitted.tensors))
    query = make_plain(tmp_path / "query.png", flat(100))
    write_features(content_hash(query), "query", new.numbers(), 7, data.encoder, **WHOLE)
    with opened(study) as opened_study:
        for number, bag in enumerate(known):
            key = f"{number:032x}"
            write_features(key, bag.name, bag.numbers(), 7, data.encoder, **WHOLE)
            name = data.classes[bag.label].name
            label = SlideLabel(label_kind="class", name=name)
            opened_study.put(SlideRecord(slide_hash=key, pseudonym=bag.name, labels=(label,)))
    asked = request(query, model, study=str(study))
    result = similar_cases.run(asked, QUIET)
    assert {one["state"] for one in result["similar"][:5]} == {data.classes[1].name}
    for found_by in (result, similar_cases.run(asked | {"metric": "vector"}, QUIET)):
        likeness = [one["similarity"] for one in found_by["similar"]]
        assert 0 <= likeness[-1] < likeness[0] <= 1
