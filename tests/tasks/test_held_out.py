"""What is told of a cross-validation is what the card says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest

from pathoview.core.errors import InputError
from pathoview.core.progress import SilentProgress
from pathoview.methods.model import HeldOut, Model, ModelCard, ModelClass, write_model
from pathoview.tasks import held_out

TRUTH = (0, 0, 0, 1, 1, 1)
SCORES = {
    "attention_mil": (0.1, 0.2, 0.6, 0.4, 0.8, 0.9),
    "mean": (0.4, 0.5, 0.6, 0.5, 0.6, 0.7),
    "max": (0.5,) * 6,
}


def card(**changes: Any) -> ModelCard:
    slides = [
        HeldOut(
            name=f"S-{place}",
            slide_hash=f"{place:02x}",
            group=str(place // 2),
            fold=place % 3,
            label=label,
            probabilities={name: (1 - one[place], one[place]) for name, one in SCORES.items()},
            said={"attention_mil": int(SCORES["attention_mil"][place] >= 0.35)},
        )
        for place, label in enumerate(TRUTH)
    ]
    said = {
        "title": "Tumor or not",
        "method": "attention_mil",
        "kind": "bag",
        "mpp": 0.5,
        "classes": (ModelClass(name="Benign"), ModelClass(name="Tumor")),
        "held_out": tuple(slides),
        "metrics": {"auroc": 8 / 9, "sensitivity": 1.0, "mean.auroc": 0.8, "over_mean.auroc": 0.1},
        "intervals": {"auroc": (0.5, 1.0), "over_mean.auroc": (-0.1, 0.3)},
    }
    return ModelCard.model_validate(said | changes)


def test_curves_matrix_and_slides_follow_the_card() -> None:
    page = held_out.page_of(card())
    assert (page["n"], page["n_patients"], page["n_folds"]) == (6, 3, 3)
    assert page["confusion"]["matrix"] == [[2, 1], [0, 3]]
    method, mean, _strongest = page["roc"]
    assert method["auroc"] == pytest.approx(8 / 9)
    assert method["interval"] == (0.5, 1.0)
    assert mean["interval"] is None
    assert method["false_positive_rate"][0] == method["true_positive_rate"][0] == 0
    assert [one["name"] for one in page["pr"]] == [one["name"] for one in page["roc"]]
    wrong = [one for one in page["slides"] if not one["is_right"]]
    assert [(one["name"], one["probability"]) for one in wrong] == [("S-2", 0.6)]
    rows = {row[0]: row[1:] for row in page["scores"]["rows"]}
    assert rows["AUROC"] == ["0.889 (0.500 – 1.000)", "0.800"]
    assert rows["AUROC over: Mean of the tiles"] == ["+0.100 (-0.100 – +0.300)", ""]
    assert "out of fold" in page["meaning"]


def test_what_speaks_against_the_scores_is_said_in_a_sentence() -> None:
    metrics = {
        **{"auroc": 8 / 9, "shuffled.n": 19.0, "shuffled.p": 0.05},
        **{"shuffled.auroc": 0.512, "shuffled.auroc_sd": 0.079, "size.rho_negative": 0.4},
    }
    page = held_out.page_of(card(metrics=metrics))
    told = "the AUROC was 0.512 ± 0.079 in 19 trainings: p = 0.05."
    assert page["meaning"].endswith(told)
    assert page["notes"] == []
    rows = {row[0]: row[1] for row in page["scores"]["rows"]}
    assert rows["Shuffled labels: p"] == "0.050"
    assert rows["Rho, first class only"] == "0.400"
    doubtful = metrics | {"shuffled.p": 0.15, "size.rho_negative": 0.71}
    intervals = {"size.rho_negative": (0.2, 0.9)}
    page = held_out.page_of(card(metrics=doubtful, intervals=intervals))
    chance, size = page["notes"]
    assert "2 of 19 trainings on shuffled labels" in chance
    assert "slides with “Benign”, larger ones get higher scores (rho 0.71)" in size
    assert chance in held_out.html_of(page)
    unsure = {"size.rho_negative": (-0.1, 0.9)}
    page = held_out.page_of(card(metrics={"size.rho_negative": 0.71}, intervals=unsure))
    assert page["notes"] == []
    smaller = {"size.rho_negative": (-0.9, -0.2)}
    page = held_out.page_of(card(metrics={"size.rho_negative": -0.6}, intervals=smaller))
    assert "larger ones get lower scores" in page["notes"][0]


def test_of_more_than_two_classes_each_is_held_against_the_rest() -> None:
    slides = [
        HeldOut(
            name=str(place),
            slide_hash=str(place),
            fold=0,
            label=place % 3,
            probabilities={
                "attention_mil": tuple(0.8 if c == place % 3 else 0.1 for c in range(3))
            },
        )
        for place in range(6)
    ]
    classes = tuple(ModelClass(name=name) for name in "XYZ")
    page = held_out.page_of(card(held_out=tuple(slides), classes=classes, metrics={}))
    assert [(one["name"], one["auroc"]) for one in page["roc"]] == [("X", 1), ("Y", 1), ("Z", 1)]
    assert page["confusion"]["matrix"] == [[2, 0, 0], [0, 2, 0], [0, 0, 2]]


def test_page_and_report_are_written(tmp_path: Path) -> None:
    write_model(tmp_path / "m.safetensors", Model(card(notes="Ended early."), {}))
    order = {
        "model": str(tmp_path / "m.safetensors"),
        "page": str(tmp_path / "page.json"),
        "report": str(tmp_path / "report.html"),
    }
    assert held_out.run(order, SilentProgress()) == {"n": 6}
    assert orjson.loads((tmp_path / "page.json").read_bytes())["notes"] == ["Ended early."]
    report = (tmp_path / "report.html").read_text("utf-8")
    assert "Ended early." in report
    assert "out of fold" in report
    assert "research use only" in report
    assert report.count("<svg") == 4


def test_a_model_that_was_not_cross_validated_is_refused() -> None:
    with pytest.raises(InputError, match="not cross-validated"):
        held_out.page_of(card(held_out=()))
