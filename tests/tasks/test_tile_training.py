"""A network of tiles is taught by labels of slides, and describes tiles when its model predicts."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from labelled_slides import table
from tile_slides import tile
from typer.testing import CliRunner

from pathoview.cli import app
from pathoview.core.errors import InputError, UsageError
from pathoview.core.progress import SilentProgress
from pathoview.evaluation.slides import scores_with_intervals
from pathoview.methods.engine import bag_baselines
from pathoview.methods.engine.encoders import build_encoder
from pathoview.methods.model import Model, read_card, read_model, write_model
from pathoview.slides.opening import open_slide
from pathoview.study.feature_file import find_features
from pathoview.study.results import RunFile
from pathoview.tasks import adapt_model, analyze_bag, evaluate, train
from pathoview.tasks.bag_data import open_bag_data
from pathoview.tasks.bag_labels import BagSource
from pathoview.tasks.features import FeatureOrder, bag_of
from pathoview.tasks.method_building import build_method

NAME, SIDE, MPP = "mobilenetv3_small_100", 32, 0.5
ORDER = FeatureOrder(encoder=NAME, source="random", mpp=(MPP,), tile_px=SIDE)
QUICK: dict[str, dict[str, Any]] = {
    "topk_mil": {"n_rounds": 2, "batch": 8, "k": 2, "full_every": 1},
    "draw_and_rank": {"n_rounds": 1, "batch": 8, "n_kept": 1, "n_fresh": 2, "tuned": "norm"},
}


def picture(path: Path, label: int, seed: int) -> Path:
    """Write a picture of 4 × 3 tiles within glass; half of those of a positive one are tumour."""
    random = np.random.default_rng(seed)
    rows = [
        np.hstack([tile(SIDE, random, is_tumour=bool(label and (row + x) % 2)) for x in range(4)])
        for row in range(3)
    ]
    whole = np.full((5 * SIDE, 6 * SIDE, 3), 245, np.uint8)
    whole[SIDE:-SIDE, SIDE:-SIDE] = np.vstack(rows)
    cv2.imwrite(str(path), whole[..., ::-1])
    return path


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> BagSource:
    """Return a folder of pictures with labels."""
    folder = tmp_path_factory.mktemp("slides")
    rows = []
    for number in range(8):
        path = picture(folder / f"s{number}.png", number % 2, number)
        rows.append({"slide": path.name, "label": ("Benign", "Tumour")[number % 2]})
    labels = table(tmp_path_factory.mktemp("labels") / "labels.csv", rows)
    return BagSource(images=str(folder), labels=str(labels), mpp=MPP)


@pytest.fixture(scope="module", params=list(QUICK))
def model(
    source: BagSource, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> Path:
    """Return a model that was trained as a person would."""
    path = tmp_path_factory.mktemp("model") / "model.safetensors"
    order = {
        **{"method": request.param, "params": QUICK[request.param], "output": str(path)},
        **{"images": source.images, "labels": source.labels, "mpp": MPP},
        "bags": {"n_folds": 2, "features": ORDER.model_dump(mode="json")},
    }
    few_steps = bag_baselines.MAX_PARAMS.model_copy(update={"n_steps": 2})
    few_draws = partial(scores_with_intervals, n_draws=50)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATHOVIEW_HOME", str(tmp_path_factory.mktemp("home")))
        patch.setattr(bag_baselines, "MAX_PARAMS", few_steps)
        patch.setattr("pathoview.tasks.train_bags.scores_with_intervals", few_draws)
        train.run(order, SilentProgress())
    return path


def applied(slide: Path, model: Path) -> dict[str, Any]:
    return analyze_bag.run({"slide": str(slide), "model": str(model), "mpp": MPP}, SilentProgress())


def test_it_is_measured_on_slides_held_out_beside_pooling(model: Path) -> None:
    card = read_card(model)
    assert {"auroc", "mean.auroc", "max.auroc"} <= set(card.metrics)
    assert len(card.held_out) == 8


def test_a_slide_is_described_by_its_own_network(model: Path, tmp_path: Path) -> None:
    new = picture(tmp_path / "new.png", 1, 99)
    result = applied(new, model)
    assert result["n_tiles"] >= 12
    with open_slide(new) as slide:
        ((file, record),) = find_features(slide.content_hash)
    assert (record.encoder, record.source) == (NAME, str(model))
    assert record.weights == read_card(model).settings["encoder"]["weights"]
    said = build_method(None, {}, str(model)).method.predict(bag_of(file)[0])
    told = list(result["probabilities"].values())
    np.testing.assert_allclose(told, said.probabilities, atol=1e-5)
    with RunFile.open(Path(result["run_file"])) as run:
        assert run.record.context["encoder"]["source"] == str(model)


def test_what_it_sees_of_slides_held_out_is_what_its_encoder_gives(
    model: Path, source: BagSource
) -> None:
    built = build_method(None, {}, str(model))
    used = analyze_bag.encoder_of(built)
    prepared = open_bag_data(source, ORDER, SilentProgress(), with_pixels=True)
    own = built.method.describe(prepared.data.bags[1], lambda: None)
    again = open_bag_data(source, FeatureOrder.of(used), SilentProgress(), weights=used.weights)
    kept = again.data.bags[1].features
    np.testing.assert_allclose(own, kept, atol=5e-3 * np.abs(own).max())
    assert prepared.pool is not None
    prepared.pool.close()


def test_of_a_slide_without_tissue_nothing_is_said(model: Path, tmp_path: Path) -> None:
    blank = tmp_path / "blank.png"
    cv2.imwrite(str(blank), np.full((160, 192, 3), 245, np.uint8))
    none = applied(blank, model)
    assert (none["probabilities"], none["n_tiles"]) == (None, 0)
    assert none["why_not"]


def test_it_is_evaluated_on_labelled_slides(model: Path, source: BagSource) -> None:
    said = {"model": str(model), "images": source.images, "labels": source.labels, "mpp": MPP}
    assert evaluate.run(said, SilentProgress())["n"] == 8


def test_a_model_file_is_an_encoder_known_by_its_weights_wherever_it_lies(
    model: Path, source: BagSource, tmp_path: Path
) -> None:
    moved = tmp_path / "moved.safetensors"
    before = read_model(model)
    renamed = before.card.model_copy(update={"title": "another title", "id": "x"})
    write_model(moved, Model(renamed, before.tensors))
    used = analyze_bag.encoder_of(build_method(None, {}, str(moved)))
    assert used.source == str(moved)
    encoder = build_encoder(NAME, moved)
    assert encoder.parent is not None
    assert encoder.parent.id == used.weights == before.card.settings["encoder"]["weights"]
    with pytest.raises(InputError, match="another network"):
        build_encoder("resnet18", moved)
    with pytest.raises(InputError, match="other weights"):
        open_bag_data(source, FeatureOrder.of(used), SilentProgress(), weights="0" * 32)


def test_adapted_to_other_slides_it_says_that_nothing_was_measured(
    model: Path, tmp_path: Path
) -> None:
    new = picture(tmp_path / "new.png", 1, 99)
    at_home = tmp_path / "adapted.safetensors"
    asked = ["models", "adapt", str(model), str(new), "--mpp", str(MPP), "--tiles", "8"]
    done = CliRunner().invoke(app, [*asked, "--output", str(at_home)])
    assert done.exit_code == 0, done.output
    before, after = read_card(model), read_card(at_home)
    assert (after.metrics, after.held_out) == ({}, ())
    assert after.parents[-1].id == before.id
    assert "8 tiles" in after.notes
    assert after.settings["encoder"]["weights"] != before.settings["encoder"]["weights"]
    applied(new, model)
    applied(new, at_home)
    with open_slide(new) as slide:
        of_both = find_features(slide.content_hash)
    assert {record.source for _file, record in of_both} == {str(model), str(at_home)}


def test_only_what_was_taught_end_to_end_can_be_adapted(
    model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = build_method(None, {}, str(model))
    blind = replace(other, spec=replace(other.spec, sees_pixels=False))
    monkeypatch.setattr(adapt_model, "build_method", lambda *_said: blind)
    with pytest.raises(UsageError, match="did not learn"):
        adapt_model.run({"model": str(model), "slides": ["none"]}, SilentProgress())
