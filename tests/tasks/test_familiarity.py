"""A slide that looks like the training data is familiar, one of another stain is not."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from fakes import ArraySlide
from makers import he_image, make_plain, make_pyramid_tiff
from teaching import teach_study

from pathoview.core.progress import SilentProgress
from pathoview.methods.model import Familiarity, ModelCard, read_card
from pathoview.slides.stains import H_DAB, H_E, separate
from pathoview.study.results import RunFile
from pathoview.tasks import analyze, train
from pathoview.tasks.familiarity import (
    CONTEXT_KEY,
    familiarity_of,
    familiarity_of_folder,
    familiarity_of_pictures,
    likeness_of,
)

Rgb = npt.NDArray[np.uint8]


def field(seed: int) -> Rgb:
    return he_image(384, 384, seed=seed)


def stained(rgb: Rgb, hematoxylin: float = 1, eosin: float = 1, dab: float = 0) -> Rgb:
    """Return a field with other amounts of stain: DAB lies where eosin was."""
    first, second, _residual = np.moveaxis(separate(rgb, H_E), 2, 0)[..., None]
    colors = np.array(H_DAB.rows, np.float32)
    density = hematoxylin * first * colors[0] + dab * second * colors[1]
    density = density + eosin * second * np.array(H_E.rows[1], np.float32)
    return np.asarray(np.clip(256 * np.exp(-density) - 1, 0, 255), np.uint8)


def browned(rgb: Rgb) -> Rgb:
    return stained(rgb, 0.5, 0, 2.5)


@pytest.fixture(scope="module")
def known() -> Familiarity:
    made = familiarity_of_pictures((field(seed), 0.5) for seed in range(6))
    assert made is not None
    return made


def card(known: Familiarity | None) -> ModelCard:
    return ModelCard(title="m", method="m", kind="instance", mpp=0.5, familiarity=known)


def test_the_same_stain_is_familiar(known: Familiarity) -> None:
    found = likeness_of(ArraySlide(field(20), 0.5), card(known))
    assert found is not None
    assert not found.is_unlike
    assert found.sentence == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda rgb: stained(rgb, 0.35), "hematoxylin is paler|less blue|colours are paler"),
        (lambda rgb: stained(rgb, 2.2), "hematoxylin is stronger|bluer"),
        (browned, "more yellow or brown|brown varies more"),
    ],
)
def test_another_stain_is_told_of_in_words(
    known: Familiarity, change: Callable[[Rgb], Rgb], words: str
) -> None:
    found = likeness_of(ArraySlide(change(field(20)), 0.5), card(known))
    assert found is not None
    assert found.is_unlike
    assert any(word in found.sentence for word in words.split("|")), found.sentence
    assert f"{found.distance:.1f}" in found.details


def test_one_slide_does_not_make_all_others_strange() -> None:
    alone = familiarity_of_pictures([(field(1), 0.5)])
    many = familiarity_of_pictures((field(seed), 0.5) for seed in range(6))
    slide = ArraySlide(stained(field(9), 0.75), 0.5)
    seen = [likeness_of(slide, card(one)) for one in (alone, many)]
    assert seen[0] is not None
    assert seen[1] is not None
    assert seen[0].distance < seen[1].distance


def test_too_little_says_nothing() -> None:
    assert familiarity_of([np.zeros((0, 10))]) is None
    assert familiarity_of([np.ones((1, 10))]) is None
    assert likeness_of(ArraySlide(field(1), 0.5), card(None)) is None


def test_numbers_of_another_version_are_not_compared(known: Familiarity) -> None:
    other = known.model_copy(update={"names": ("something else", *known.names[1:])})
    assert likeness_of(ArraySlide(field(1), 0.5), card(other)) is None


def test_a_folder_of_pictures_is_familiar(tmp_path: Path) -> None:
    for seed in range(4):
        make_plain(tmp_path / f"{seed}.png", field(seed))
    made = familiarity_of_folder(tmp_path, 0.5)
    found = likeness_of(ArraySlide(field(20), 0.5), card(made))
    assert found is not None
    assert not found.is_unlike


class Listening(SilentProgress):
    def __init__(self) -> None:
        super().__init__()
        self.warnings: list[Mapping[str, Any]] = []

    def event(self, kind: str, data: Mapping[str, Any]) -> None:
        if kind == "unlike":
            self.warnings.append(data)


def applied(model: Path, slide: Path) -> tuple[dict[str, Any], list[Mapping[str, Any]]]:
    progress = Listening()
    result = analyze.run({"slide": str(slide), "model": str(model)}, progress)
    with RunFile.open(Path(result["run_file"])) as run:
        return run.record.context[CONTEXT_KEY], progress.warnings


def test_a_model_knows_its_slides_and_warns_of_others(tmp_path: Path) -> None:
    study, slide = teach_study(tmp_path, "scribbles")
    model = tmp_path / "m.safetensors"
    order = {"method": "pixel_forest", "params": {"n_trees": 5}, "study": str(study)}
    train.run({**order, "output": str(model)}, SilentProgress())
    assert read_card(model).familiarity is not None
    context, warnings = applied(model, slide)
    assert (context["is_unlike"], warnings) == (False, [])
    strange = make_pyramid_tiff(
        tmp_path / "strange.tif", browned(field(3)), mpp=0.5, compression="zlib"
    )
    context, warnings = applied(model, strange)
    assert context["is_unlike"]
    assert context["distance"] > context["threshold"]
    assert [one["text"] for one in warnings] == [context["sentence"]]
