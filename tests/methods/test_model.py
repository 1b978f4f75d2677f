from __future__ import annotations

import json
import os
from pathlib import Path

import numpy as np
import pytest

from pathoview.core.errors import InputError, StorageError, UsageError
from pathoview.methods import library
from pathoview.methods.model import (
    Model,
    ModelCard,
    ModelClass,
    read_card,
    read_model,
    weights_hash,
    write_model,
)

TENSORS = {
    "a": np.arange(12, dtype=np.float32).reshape(3, 4).T,
    "b": np.array([1, 2], np.int64),
}


def card(title: str = "Nuclei, round 1", **members: object) -> ModelCard:
    said = {"method": "any", "kind": "pixel", "mpp": 0.5, **members}
    return ModelCard.model_validate({"title": title, **said})


def test_a_model_comes_back_as_it_was_written(tmp_path: Path) -> None:
    model = Model(card(classes=(ModelClass(name="Tumor", color=(1, 2, 3)),)), TENSORS)
    write_model(tmp_path / "deep" / "m.safetensors", model)
    back = read_model(tmp_path / "deep" / "m.safetensors")
    assert back.card == model.card
    assert {name: array.tolist() for name, array in back.tensors.items()} == {
        name: array.tolist() for name, array in TENSORS.items()
    }
    beside = json.loads((tmp_path / "deep" / "m.json").read_text("utf-8"))
    assert beside["title"] == "Nuclei, round 1"


def test_a_card_beside_weights_of_another_program_is_taken(tmp_path: Path) -> None:
    import safetensors.numpy

    path = tmp_path / "m.safetensors"
    safetensors.numpy.save_file({"a": np.zeros(2, np.float32)}, path)
    with pytest.raises(InputError, match="card"):
        read_card(path)
    path.with_suffix(".json").write_text(card().model_dump_json(), "utf-8")
    assert read_card(path).title == "Nuclei, round 1"


@pytest.mark.parametrize("data", [b"", b"no model at all", b"\xff" * 64])
def test_what_is_no_model_is_said_so(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "m.safetensors"
    path.write_bytes(data)
    with pytest.raises(InputError, match="not a model"):
        read_model(path)


def test_members_of_a_newer_version_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    write_model(path, Model(card(unheard_of=1), TENSORS))
    assert read_card(path).method == "any"


def test_a_model_that_cannot_be_written_is_told_and_leaves_the_old_one(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    write_model(path, Model(card(), TENSORS))
    (tmp_path / "file").write_text("")
    with pytest.raises(StorageError):
        write_model(tmp_path / "file" / "m.safetensors", Model(card(), TENSORS))
    assert read_card(path).title == "Nuclei, round 1"


def test_equal_weights_have_equal_hashes() -> None:
    same = {name: np.ascontiguousarray(array) for name, array in reversed(TENSORS.items())}
    assert weights_hash(TENSORS) == weights_hash(same)
    assert weights_hash(TENSORS) != weights_hash({**same, "a": same["a"] + 1})


def test_models_are_found_by_name_title_id_and_path(tmp_path: Path) -> None:
    path = library.new_model_path("Nuclei, round 1")
    write_model(path, Model(card(), TENSORS))
    assert path.stem == "Nuclei-round-1"
    assert library.new_model_path("Nuclei, round 1").stem == "Nuclei-round-1-2"
    known = read_card(path)
    for wanted in ("Nuclei-round-1", "Nuclei, round 1", known.id, known.id[:8], str(path)):
        assert library.find_model(wanted) == path
    with pytest.raises(UsageError) as caught:
        library.find_model("Nuclei-round-2")
    assert "Nuclei-round-1" in caught.value.hint
    with pytest.raises(UsageError):
        library.find_model(str(tmp_path / "none.safetensors"))


def test_a_model_is_imported_once_and_removed(tmp_path: Path) -> None:
    write_model(tmp_path / "m.safetensors", Model(card(), TENSORS))
    imported = library.import_model(tmp_path / "m.safetensors")
    assert imported.card.origin == "imported"
    assert imported.path in [one.path for one in library.library()]
    with pytest.raises(InputError, match="already"):
        library.import_model(tmp_path / "m.safetensors")
    removed = library.remove_model(imported.path)
    assert imported.path not in [one.path for one in library.library()]
    assert library.bring_back(removed) == imported.path
    assert [one.card.id for one in library.library()].count(imported.card.id) == 1
    assert imported.path.with_suffix(".json").exists()
    with pytest.raises(StorageError):
        library.remove_model(library.bundled_path("any"))


def test_what_was_removed_long_ago_is_forgotten() -> None:
    kept = []
    for title in ("old", "new", "newest"):
        path = library.new_model_path(title)
        write_model(path, Model(card(title), TENSORS))
        kept.append(library.remove_model(path))
        if title == "old":
            os.utime(kept[0], (0, 0))
    assert [path.exists() for path in kept] == [False, True, True]


def test_a_model_is_called_otherwise_and_copied(tmp_path: Path) -> None:
    path = library.new_model_path("first")
    write_model(path, Model(card("first"), TENSORS))
    assert library.rename_model(path, " second ").card.title == "second"
    assert read_card(path).title == "second"
    assert weights_hash(read_model(path).tensors) == weights_hash(TENSORS)
    with pytest.raises(UsageError):
        library.rename_model(path, " ")
    with pytest.raises(StorageError):
        library.rename_model(library.bundled_path("any"), "mine")
    copy = library.export_model(path, tmp_path / "copy")
    assert copy == tmp_path / "copy.safetensors"
    assert read_model(copy).card == read_card(path)


@pytest.mark.parametrize(
    ("licence", "is_bound"),
    [
        ("CC BY-NC-SA 4.0", True),
        ("Non-commercial use", True),
        ("for research only", True),
        ("CC0-1.0", False),
        ("MIT; labels of the user", False),
        ("Syncopation", False),
    ],
)
def test_a_licence_that_forbids_commerce_is_seen_wherever_it_stands(
    licence: str, is_bound: bool
) -> None:
    for said in (
        {"licence": licence},
        {"data_licence": licence},
        {"parents": [{"name": "p", "licence": licence}]},
        {"data": [{"name": "d", "slide_hash": "0", "licence": licence}]},
    ):
        made = ModelCard.model_validate({**card().model_dump(), "licence": "", **said})
        assert library.is_non_commercial(made) == is_bound


def test_a_broken_model_does_not_hide_the_others() -> None:
    write_model(library.new_model_path("good"), Model(card("good"), TENSORS))
    (library.models_folder() / "bad.safetensors").write_bytes(b"bad")
    assert "good" in [one.card.title for one in library.library()]
