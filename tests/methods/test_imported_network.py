"""A network of an ONNX file becomes a model, says what is wrong with it, and maps tissue."""

from __future__ import annotations

import json
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("onnxruntime")

from fakes import ArraySlide
from makers import he_scene
from onnx_files import NUCLEI_AND_TISSUE, write_network

from pathoview.core.errors import PathoViewError, RunError, UsageError
from pathoview.methods import library
from pathoview.methods.model import Model, read_model
from pathoview.methods.network_card import NetworkCard, said_in
from pathoview.methods.network_import import network_model
from pathoview.methods.registry import METHODS
from pathoview.methods.spec import Compute, PixelMethod
from pathoview.methods.supervised import imported_network
from pathoview.methods.supervised.imported_network_params import (
    ImportedNetworkParams,
)
from pathoview.tasks.method_building import build_method, built

MPP = 0.5
SCENE = he_scene(200, 200, seed=3)


def model(folder: Path, said: dict[str, Any] | None = None, **how: Any) -> Model:
    return network_model(
        write_network(folder / "net.onnx", {**NUCLEI_AND_TISSUE, **(said or {})}, **how)
    )


def method_of(what: Model) -> PixelMethod:
    spec = METHODS.get("imported_network")
    method: PixelMethod = built(spec, ImportedNetworkParams(), what, Compute()).method
    return method


def predicted(what: Model, patch: Any = SCENE.rgb, mpp: float = MPP) -> np.ndarray[Any, Any]:
    method = method_of(what)
    context = method.prepare(ArraySlide(SCENE.rgb, MPP), MPP)
    return np.asarray(method.predict(patch, mpp, context))


def problem(folder: Path, said: dict[str, Any] | None = None, **how: Any) -> PathoViewError:
    with pytest.raises(PathoViewError) as caught:
        model(folder, said, **how)
    assert caught.value.hint
    return caught.value


# -- what it maps ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "how",
    [
        {},
        {"stride": 2, "kernel": 2},
        {"size": (64, 64)},
        {"size": (64, 96), "stride": 4, "kernel": 4},
        {"size": (512, 512)},
    ],
    ids=str,
)
def test_probabilities_of_every_pixel_add_up_to_1(tmp_path: Path, how: dict[str, Any]) -> None:
    what = model(tmp_path, **how)
    found = predicted(what)
    assert found.shape == (200, 200, 2)
    assert found.dtype == np.float32
    assert np.allclose(found.sum(axis=2), 1, atol=1e-6)
    is_nucleus = found[..., 0] > found[..., 1]
    assert (is_nucleus == (SCENE.labels > 0)).mean() > 0.93
    assert np.array_equal(found, predicted(what))
    for shape in ((1, 1), (3, 130), (65, 64)):
        patch = np.full((*shape, 3), 128, np.uint8)
        assert predicted(what, patch).shape == (*shape, 2)


def test_windows_of_a_fixed_size_give_what_one_picture_gives(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    whole = predicted(model(tmp_path / "a"))
    cut = predicted(model(tmp_path, size=(64, 64)))
    assert np.abs(whole - cut)[2:-2, 2:-2].max() < 0.02


def test_large_pictures_are_cut_where_any_size_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    what = model(tmp_path)
    whole = predicted(what)
    monkeypatch.setattr(imported_network, "_WINDOW_PX", 100)
    sizes = []
    maps = imported_network.OnnxNetwork.maps

    def noted(self: Any, images: Any) -> Any:
        sizes.append(images.shape[2:])
        return maps(self, images)

    monkeypatch.setattr(imported_network.OnnxNetwork, "maps", noted)
    assert np.abs(whole - predicted(what)).max() < 0.02
    assert len(sizes) > 4
    assert set(sizes) == {(96, 96)}


def test_patches_that_overlap_agree_beyond_the_halo(tmp_path: Path) -> None:
    what = model(tmp_path)
    whole, part = predicted(what), predicted(what, SCENE.rgb[37:165, 21:149])
    halo = round(8 / MPP)
    core = slice(halo, -halo)
    assert np.allclose(part[core, core], whole[37:165, 21:149][core, core], atol=1e-6)


def test_another_resolution_maps_the_same_tissue(tmp_path: Path) -> None:
    fine = he_scene(400, 400, seed=4, mpp=0.25)
    found = predicted(model(tmp_path), fine.rgb, 0.25)
    assert found.shape == (400, 400, 2)
    assert np.allclose(found.sum(axis=2), 1, atol=1e-6)
    assert ((found[..., 0] > 0.5) == (fine.labels > 0)).mean() > 0.93


def test_several_threads_get_what_one_gets(tmp_path: Path) -> None:
    method = method_of(model(tmp_path))
    alone = method.predict(SCENE.rgb, MPP, {})
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _n: method.predict(SCENE.rgb, MPP, {}), range(8)))
    assert all(np.array_equal(one, alone) for one in found)


def test_where_each_class_is_told_on_its_own_the_rest_is_background(tmp_path: Path) -> None:
    alone = model(tmp_path, {"activation": "sigmoid", "classes": "Nucleus=#3c3cc8"}, n_maps=1)
    assert [one.name for one in alone.card.classes] == ["Background", "Nucleus"]
    assert alone.card.classes[1].color == (60, 60, 200)
    found = predicted(alone)
    assert ((found[..., 1] > 0.5) == (SCENE.labels > 0)).mean() > 0.93
    several = model(tmp_path, {"activation": "sigmoid"})
    assert [one.name for one in several.card.classes] == ["Background", "Nucleus", "Tissue"]
    assert np.allclose(predicted(several).sum(axis=2), 1, atol=1e-6)


def test_pixels_are_scaled_as_the_card_says(tmp_path: Path) -> None:
    as_before = predicted(model(tmp_path))
    bytes_said = {"range": "0-255", "mean": "173.4", "std": "127.5, 127.5, 127.5"}
    assert np.allclose(predicted(model(tmp_path, bytes_said)), as_before, atol=1e-5)
    assert not np.allclose(predicted(model(tmp_path, {"mean": "0.9"})), as_before, atol=1e-2)


# -- what is wrong ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "words"),
    [
        ({"classes": ["a", "b", "c"]}, "says 3 classes, the network gives 2 maps"),
        ({"classes": []}, "classes"),
        ({"classes": "a, a"}, "same name"),
        ({"classes": "a=red, b"}, "no colour"),
        ({"classes": [{"name": "a,b"}, "c"]}, "name of a class"),
        ({"mpp": 0}, "mpp"),
        ({"mpp": "much"}, "mpp"),
        ({"range": "not said", "activation": "not said"}, "range, activation"),
        ({"activation": "none"}, "probabilities"),
        ({"mean": [1, 2]}, "mean"),
        ({"std": 0}, "above 0"),
        ({"colour": 3}, "colour"),
    ],
    ids=str,
)
def test_what_the_card_lacks_or_says_wrongly_is_told(
    tmp_path: Path, said: dict[str, Any], words: str
) -> None:
    assert words in problem(tmp_path, said).full_text


@pytest.mark.parametrize(
    ("how", "words"),
    [
        ({"shape": (1, None, None, 3)}, "channels before the sides"),
        ({"shape": (1, 4, None, None)}, "no picture"),
        ({"shape": (8, 3, None, None)}, "8 pictures"),
        ({"size": (64, None)}, "one side"),
        ({"outputs": ("maps", "more")}, "2 outputs"),
        ({"size": (50, 50), "stride": 3, "kernel": 3}, "50 × 50 px gives maps of 17 × 17"),
    ],
    ids=str,
)
def test_what_the_network_takes_or_gives_wrongly_is_told(
    tmp_path: Path, how: dict[str, Any], words: str
) -> None:
    assert words in problem(tmp_path, **how).full_text


def test_one_map_has_no_softmax(tmp_path: Path) -> None:
    assert "always 1" in str(problem(tmp_path, {"classes": "Nucleus"}, n_maps=1))


def test_what_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "net.onnx"
    with pytest.raises(PathoViewError, match=r"net\.onnx"):
        network_model(path)
    path.write_bytes(b"no network")
    with pytest.raises(PathoViewError, match="cannot read the network") as caught:
        network_model(path)
    assert "one .onnx file" in caught.value.hint
    for text in ("{", "[1]"):
        path.with_suffix(".json").write_text(text)
        with pytest.raises(PathoViewError, match=r"net\.json"):
            network_model(path)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(RunError) as lacking:
        model(tmp_path)
    assert "onnxruntime" in lacking.value.hint


# -- in the library --------------------------------------------------------------------------------


def test_a_network_comes_into_the_library_once_and_goes_out_as_it_was(tmp_path: Path) -> None:
    path = write_network(tmp_path / "net.onnx", NUCLEI_AND_TISSUE)
    taken = library.import_model(path)
    card = taken.card
    assert (card.title, card.method, card.kind) == ("Dark and bright", "imported_network", "pixel")
    assert (card.mpp, card.licence, card.origin) == (0.5, "CC BY 4.0", "imported")
    assert [one.name for one in card.classes] == ["Nucleus", "Tissue"]
    with pytest.raises(PathoViewError, match="already"):
        library.import_model(path)
    library.rename_model(taken.path, "Renamed")
    out = library.export_model(taken.path, tmp_path / "out.onnx")
    assert out.read_bytes() == path.read_bytes()
    said = json.loads(out.with_suffix(".json").read_text("utf-8"))
    assert said["title"] == "Renamed"
    assert said["classes"][0] == {"name": "Nucleus", "color": [60, 60, 200]}
    again = network_model(out)
    assert np.array_equal(predicted(again), predicted(read_model(taken.path)))


def test_what_is_said_beside_the_file_can_be_said_otherwise(tmp_path: Path) -> None:
    path = write_network(tmp_path / "net.onnx")
    said = ["mpp=1", "classes=Nucleus, Tissue", "range=0-1", "activation=softmax"]
    taken = library.import_model(path, said_in(said))
    assert (taken.card.title, taken.card.mpp) == ("net", 1.0)
    path.with_suffix(".json").write_text(json.dumps(NUCLEI_AND_TISSUE), "utf-8")
    assert library.import_model(path, {"mpp": 2.0}).card.mpp == 2.0


def test_only_what_was_an_onnx_file_is_written_as_one(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no ONNX file"):
        library.export_model(library.bundled_path("nuclei_unet"), tmp_path / "out.onnx")
    with pytest.raises(UsageError, match="no model yet"):
        library.find_model(str(tmp_path / "net.onnx"))


def test_the_method_needs_a_model_and_reads_what_its_card_says_around_tiles(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="needs a model"):
        build_method("imported_network", {})
    path = write_network(tmp_path / "net.onnx", {**NUCLEI_AND_TISSUE, "halo_um": 20})
    ready = build_method(None, {}, str(library.import_model(path).path))
    assert (ready.halo_um, ready.mpp, ready.spec.needs_model) == (20, 0.5, True)


def test_the_card_in_the_guide_is_understood() -> None:
    page = (library.resources_folder() / "guide" / "models.md").read_text("utf-8")
    said = json.loads(page.split("```json")[1].split("```")[0])
    card = NetworkCard.parse(said)
    card.check_complete()
    assert set(said) == set(NetworkCard.model_fields)
    for name in NetworkCard.model_fields:
        assert f"`{name}`" in page, name
