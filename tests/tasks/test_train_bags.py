"""From labels of slides to a model whose card says what it is worth on slides it has not seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from labelled_slides import cohort, described, pictures, table

from pathoview.core.errors import Cancelled, InputError, UsageError
from pathoview.core.paths import data_folder
from pathoview.core.progress import SilentProgress
from pathoview.datasets.bags import Features
from pathoview.evaluation.slides import auroc, scores_with_intervals
from pathoview.methods.engine import bag_baselines
from pathoview.methods.fitting import fitted_of
from pathoview.methods.model import ModelCard, read_card, read_model
from pathoview.methods.weak.attention_mil import AttentionMil
from pathoview.methods.weak.attention_mil_params import AttentionMilParams
from pathoview.tasks import bag_data, train
from pathoview.tasks.method_building import build_method

QUICK = {"n_steps": 6, "batch": 4, "width": 8, "lr": 0.02}
MISSED = "No slide that can be used has the label"


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bag_data, "described", described)
    few_steps = bag_baselines.MAX_PARAMS.model_copy(update={"n_steps": 3})
    monkeypatch.setattr(bag_baselines, "MAX_PARAMS", few_steps)
    few_draws = partial(scores_with_intervals, n_draws=100)
    monkeypatch.setattr("pathoview.tasks.train_bags.scores_with_intervals", few_draws)


class Listening(SilentProgress):
    def __init__(self, cancel_at: str = "", finish_at: str = "") -> None:
        super().__init__()
        self.events: list[tuple[str, Mapping[str, Any]]] = []
        self._cancel_at, self._finish_at = cancel_at, finish_at

    def event(self, kind: str, data: Mapping[str, Any]) -> None:
        self.events.append((kind, data))
        said = f"{kind} {data.get('fold', data.get('n', ''))}".strip()
        if said == self._cancel_at:
            self.control.cancel()
        if said == self._finish_at:
            self.control.finish()

    def n_of(self, kind: str) -> int:
        return sum(one == kind for one, _data in self.events)


def order(folder: Path, labels: Path, **more: Any) -> dict[str, Any]:
    said = {"method": "attention_mil", "params": QUICK, "mpp": 0.5, "bags": {"n_folds": 3}}
    return {**said, "images": str(folder), "labels": str(labels), **more}


def trained(request: Mapping[str, Any], progress: SilentProgress | None = None) -> ModelCard:
    return read_card(Path(train.run(request, progress or SilentProgress())["model"]))


def states() -> list[Path]:
    folder = data_folder() / "training"
    return list(folder.iterdir()) if folder.exists() else []


def test_the_card_says_what_it_is_worth_on_slides_held_out(tmp_path: Path) -> None:
    folder, labels = cohort(tmp_path, 18)
    result = train.run(order(folder, labels, seed=4, licence="CC0"), SilentProgress())
    card = read_card(Path(result["model"]))
    assert [one.name for one in card.classes] == ["Normal", "Tumor"]
    assert card.labels == {"Normal": 9, "Tumor": 9}
    assert (card.kind, card.mpp, card.seed, card.data_licence) == ("bag", 0.5, 4, "CC0")
    assert card.settings["encoder"]["name"] == "fake"
    assert [one.licence for one in card.parents] == ["CC0"]
    assert {one.split for one in card.data} == {"train"}
    assert 1 <= card.settings["n_steps"] <= QUICK["n_steps"]
    assert card.curves[-1]["step"] == card.settings["n_steps"]
    assert len(card.data) == len(card.held_out) == 18
    assert {one.fold for one in card.held_out} == {0, 1, 2}
    assert len({one.group for one in card.held_out}) == 18
    assert not any("P3" in one.group for one in card.held_out)
    second = np.array([one.probabilities["attention_mil"][1] for one in card.held_out])
    truth = np.array([one.label == 1 for one in card.held_out])
    assert card.metrics["auroc"] == pytest.approx(auroc(second, truth))
    mean = np.array([one.probabilities["mean"][1] for one in card.held_out])
    assert card.metrics["mean.auroc"] == pytest.approx(auroc(mean, truth))
    assert card.metrics["over_mean.auroc"] == pytest.approx(
        card.metrics["auroc"] - card.metrics["mean.auroc"]
    )
    right = np.array([one.said["attention_mil"] == one.label for one in card.held_out])
    assert card.metrics["accuracy"] == pytest.approx(right.mean())
    low, high = card.intervals["auroc"]
    assert low <= card.metrics["auroc"] <= high
    assert {"max.auroc", "over_max.auroc", "over_mean.auroc"} <= set(card.intervals)
    assert 0 < card.settings["threshold"] < 1
    assert result["intervals"]["auroc"] == (low, high)
    assert not states()


def test_the_model_predicts_at_its_temperature(tmp_path: Path) -> None:
    folder, labels = cohort(tmp_path, 24)
    result = train.run(order(folder, labels), SilentProgress())
    card = read_card(Path(result["model"]))
    assert card.settings["temperature"] != 1.0
    features: Features = np.zeros((5, 6), np.float32)
    told = build_method(None, {}, result["model"]).method.predict(features).probabilities
    fitted = fitted_of(read_model(Path(result["model"])))
    plain = replace(fitted, settings={**fitted.settings, "temperature": 1.0})
    before = AttentionMil(AttentionMilParams(), plain).predict(features).probabilities
    assert np.abs(told - before).max() > 1e-4


def test_the_same_order_gives_the_same_card(tmp_path: Path) -> None:
    folder, labels = cohort(tmp_path)
    one, other = (trained(order(folder, labels)) for _time in range(2))
    assert one.held_out == other.held_out
    assert one.settings == other.settings
    assert one.metrics == other.metrics


def test_a_killed_training_goes_on_to_the_same_card(tmp_path: Path) -> None:
    folder, labels = cohort(tmp_path)
    whole = trained(order(folder, labels))
    with pytest.raises(Cancelled):
        train.run(order(folder, labels), Listening(cancel_at="fold 2"))
    assert states()
    progress = Listening()
    again = trained(order(folder, labels), progress)
    stages = [
        data["stage"] for kind, data in progress.events if kind == "curve" and "stage" in data
    ]
    assert "Fold 3 of 3" in stages
    assert "Fold 1 of 3" not in stages
    assert again.held_out == whole.held_out
    assert not states()


def test_asked_to_finish_it_ends_with_the_model_it_has_and_says_so(tmp_path: Path) -> None:
    folder, labels = cohort(tmp_path)
    progress = Listening(finish_at="fold 1")
    card = trained(order(folder, labels), progress)
    assert "1 of 3 folds" in card.notes
    assert progress.n_of("fold") == 1
    assert {one.fold for one in card.held_out} == {0}
    held_out = {one.slide_hash for one in card.held_out}
    assert not held_out & {one.slide_hash for one in card.data}
    assert len(card.data) == 12 - len(held_out)


def test_slides_of_a_test_are_measured_by_the_model_and_never_learned_from(tmp_path: Path) -> None:
    names = [f"{('Normal', 'Tumor')[number % 2]}-{number}" for number in range(16)]
    rows = [
        {"slide": name, "label": name.partition("-")[0], "split": "test" if number >= 12 else ""}
        for number, name in enumerate(names)
    ]
    folder = pictures(tmp_path / "slides", names)
    card = trained(order(folder, table(tmp_path / "labels.csv", rows)))
    assert len(card.held_out) == 12
    assert sum(one.split == "test" for one in card.data) == 4
    assert 0 <= card.metrics["test.auroc"] <= 1
    assert "test.auroc" in card.intervals
    assert not {one.slide_hash for one in card.data if one.split == "test"} & {
        one.slide_hash for one in card.held_out
    }


def test_the_same_is_learned_from_shuffled_labels_to_see_what_chance_does(tmp_path: Path) -> None:
    folder, labels = cohort(tmp_path)
    bags = {"n_folds": 3, "n_permutations": 3}
    plain = trained(order(folder, labels))
    assert not any(name.startswith("shuffled") for name in plain.metrics)
    with pytest.raises(Cancelled):
        train.run(order(folder, labels, bags=bags), Listening(cancel_at="shuffled 2"))
    progress = Listening()
    card = trained(order(folder, labels, bags=bags), progress)
    assert [data["n"] for kind, data in progress.events if kind == "shuffled"] == [2]
    assert progress.n_of("fold") == 3
    told = card.metrics
    assert told["shuffled.n"] == 3
    assert told["shuffled.p"] in (0.25, 0.5, 0.75, 1.0)
    assert 0 <= told["shuffled.auroc"] <= 1
    assert card.held_out == plain.held_out
    assert not states()


def test_the_card_says_whether_larger_slides_are_scored_higher(tmp_path: Path) -> None:
    def sized(*said: Any, **more: Any) -> Any:
        tiles, grid, encoder = described(*said, **more)
        n = 3 + int(str(said[0].path.stem).partition("-")[2]) // 2 % 5
        rows = np.arange(len(grid)) < n
        return tiles[:n], grid.of(rows), encoder

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(bag_data, "described", sized)
        card = trained(order(*cohort(tmp_path)))
    for name in ("size.rho", "size.rho_negative"):
        low, high = card.intervals[name]
        assert -1 <= low <= card.metrics[name] <= high <= 1


def test_grades_are_learned_in_their_order(tmp_path: Path) -> None:
    names = [f"{('Normal', 'Tumor', 'Other')[number % 3]}-{number}" for number in range(15)]
    rows = [{"slide": name, "label": number % 3 + 1} for number, name in enumerate(names)]
    folder = pictures(tmp_path / "slides", names)
    labels = table(tmp_path / "labels.csv", rows)
    card = trained(order(folder, labels, bags={"n_folds": 3, "grade": "ISUP"}))
    assert [one.name for one in card.classes] == ["ISUP 1", "ISUP 2", "ISUP 3"]
    assert (card.settings["ordering"], card.settings["grade"]) == ("grades", "ISUP")
    assert "kappa_quadratic" in card.metrics
    assert "threshold" not in card.settings
    assert "mean.kappa_quadratic" in card.metrics


def test_labels_that_do_not_suffice_are_told_in_a_sentence(tmp_path: Path) -> None:
    folder, labels = cohort(tmp_path, 4)
    with pytest.raises(UsageError, match="4 patients cannot be shared out to 5 folds"):
        train.run(order(folder, labels, bags={}), SilentProgress())
    with pytest.raises(InputError, match=f"{MISSED} “Benign”"):
        train.run(order(folder, labels, classes=["Benign", "Tumor"]), SilentProgress())
    with pytest.raises(InputError, match="All slides have the label “Tumor”"):
        train.run(order(folder, labels, classes=["Tumor"]), SilentProgress())


def test_a_model_that_has_seen_the_slides_is_not_gone_on_from(tmp_path: Path) -> None:
    folder, labels = cohort(tmp_path)
    result = train.run(order(folder, labels), SilentProgress())
    with pytest.raises(UsageError, match="has learned from some of these slides"):
        train.run(order(folder, labels, start=result["model"]), SilentProgress())
