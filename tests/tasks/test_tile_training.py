"""A network of tiles is taught by labels of slides, and describes tiles when its model predicts."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from labelled_slides import table
from tile_slides import tile

from pathoview.core.errors import InputError
from pathoview.core.progress import SilentProgress
from pathoview.evaluation.slides import scores_with_intervals
from pathoview.methods.engine import bag_baselines
from pathoview.methods.engine.encoders import build_encoder
from pathoview.methods.model import read_model
from pathoview.slides.opening import open_slide
from pathoview.study.feature_file import FeatureFile, find_features
from pathoview.study.results import RunFile
from pathoview.tasks import analyze_bag, evaluate, features, train
from pathoview.tasks.bag_data import open_bag_data
from pathoview.tasks.bag_labels import BagSource
from pathoview.tasks.features import FeatureOrder
from pathoview.tasks.method_building import build_method

NAME, SIDE, MPP = "mobilenetv3_small_100", 32, 0.5
ORDER = FeatureOrder(encoder=NAME, source="random", mpp=(MPP,), tile_px=SIDE)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    few_steps = bag_baselines.MAX_PARAMS.model_copy(update={"n_steps": 2})
    monkeypatch.setattr(bag_baselines, "MAX_PARAMS", few_steps)
    few_draws = partial(scores_with_intervals, n_draws=50)
    monkeypatch.setattr("pathoview.tasks.train_bags.scores_with_intervals", few_draws)


def picture(path: Path, label: int, seed: int) -> Path:
    """Write a picture of 4 × 3 tiles within glass; half of those of a positive one are tumour."""
    random = np.random.default_rng(seed)
    rows = [
        np.hstack(
            [
                tile(SIDE, random, is_tumour=bool(label and (row + column) % 2))
                for column in range(4)
            ]
        )
        for row in range(3)
    ]
    whole = np.full((5 * SIDE, 6 * SIDE, 3), 245, np.uint8)
    whole[SIDE:-SIDE, SIDE:-SIDE] = np.vstack(rows)
    cv2.imwrite(str(path), whole[..., ::-1])
    return path


@pytest.fixture
def cohort(tmp_path: Path) -> tuple[Path, Path]:
    folder = tmp_path / "slides"
    folder.mkdir()
    rows = []
    for number in range(8):
        label = number % 2
        path = picture(folder / f"s{number}.png", label, number)
        rows.append({"slide": path.name, "label": ("Benign", "Tumour")[label]})
    return folder, table(tmp_path / "labels.csv", rows)


def order(folder: Path, labels: Path, method: str, **params: Any) -> dict[str, Any]:
    return {
        "method": method,
        "params": {"n_rounds": 2, "batch": 8, "tuned": "norm", **params},
        "images": str(folder),
        "labels": str(labels),
        "mpp": MPP,
        "bags": {"n_folds": 2, "features": ORDER.model_dump(mode="json")},
    }


def test_a_model_is_trained_predicts_by_its_own_network_and_is_measured(
    cohort: tuple[Path, Path], tmp_path: Path
) -> None:
    folder, labels = cohort
    path = tmp_path / "model.safetensors"
    asked = {**order(folder, labels, "topk_mil", k=2, full_every=1), "output": str(path)}
    train.run(asked, SilentProgress())
    card = read_model(path).card
    assert {"auroc", "mean.auroc", "max.auroc"} <= set(card.metrics)
    assert len(card.held_out) == 8

    new = picture(tmp_path / "new.png", 1, 99)
    result = analyze_bag.run({"slide": str(new), "model": str(path), "mpp": MPP}, SilentProgress())
    assert result["n_tiles"] >= 12
    with open_slide(new) as slide:
        (file, record), *_others = find_features(slide.content_hash)
    assert (record.encoder, record.source) == (NAME, str(path))
    assert record.weights == card.settings["encoder"]["weights"]
    with FeatureFile.open(file) as opened:
        described, _grid, _used = features.bag_of(opened)
    built = build_method(None, {}, str(path))
    said = built.method.predict(described)
    np.testing.assert_allclose(
        list(result["probabilities"].values()), said.probabilities, atol=1e-5
    )
    with RunFile.open(Path(result["run_file"])) as run:
        assert run.record.context["encoder"]["source"] == str(path)

    used = analyze_bag.encoder_of(built)
    source = BagSource(images=str(folder), labels=str(labels), mpp=MPP)
    prepared = open_bag_data(source, ORDER, SilentProgress(), with_pixels=True)
    bag = prepared.data.bags[1]
    assert bag.pixels is not None
    own = built.method.describe(bag.pixels, bag.n_tiles, lambda: None)
    again = open_bag_data(source, FeatureOrder.of(used), SilentProgress(), weights=used.weights)
    kept = again.data.bags[1].features
    np.testing.assert_allclose(own, kept, atol=5e-3 * np.abs(own).max())
    assert prepared.pool is not None
    prepared.pool.close()

    told = evaluate.run(
        {"model": str(path), "images": str(folder), "labels": str(labels), "mpp": MPP},
        SilentProgress(),
    )
    assert told["n"] == 8


def test_a_model_file_is_an_encoder_known_by_its_weights(
    cohort: tuple[Path, Path], tmp_path: Path
) -> None:
    folder, labels = cohort
    path = tmp_path / "model.safetensors"
    asked = {
        **order(folder, labels, "draw_and_rank", n_kept=1, n_fresh=2, n_rounds=1),
        "output": str(path),
    }
    train.run(asked, SilentProgress())
    built = build_method(None, {}, str(path))
    used = analyze_bag.encoder_of(built)
    assert used.source == str(path)
    encoder = build_encoder(NAME, path)
    assert encoder.parent is not None
    assert encoder.parent.id == used.weights
    with pytest.raises(InputError, match="another network"):
        build_encoder("resnet18", path)
    other = FeatureOrder.of(used)
    source = BagSource(images=str(folder), labels=str(labels), mpp=MPP)
    with pytest.raises(InputError, match="other weights"):
        open_bag_data(source, other, SilentProgress(), weights="0" * 32)
