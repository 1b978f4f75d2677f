from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import get_args

import pytest
from makers import he_image, make_svs
from stage import Ears, Loop

from pathoview.layers.slide_source import SlideSource
from pathoview.session.drawing.wand import Space
from pathoview.session.session import Session
from pathoview.session.settings import DrawingSettings
from pathoview.slides.stains import H_DAB, H_E
from pathoview.study.model import SlideRecord
from pathoview.study.step import RecordChange


@pytest.fixture
def slide_path(tmp_path: Path) -> Path:
    return make_svs(tmp_path / "tissue.svs", he_image(640, 480))


def test_pixels_and_scale_are_those_of_the_open_slide(
    session: Session, open_slide_of: Callable[[Path], None], slide_path: Path
) -> None:
    kit = session.toolbox.kit
    assert kit.pixels is None
    assert kit.mean_mpp is None
    open_slide_of(slide_path)
    assert kit.pixels is not None
    assert kit.pixels.slide is session.slide
    assert kit.mean_mpp == pytest.approx(0.5)


def test_stains_are_those_chosen_for_its_looks_or_known_to_the_study(
    session: Session, open_slide_of: Callable[[Path], None], slide_path: Path
) -> None:
    kit = session.toolbox.kit
    open_slide_of(slide_path)
    assert (kit.stains, kit.stained) == (H_E, "first")
    assert session.slide is not None
    record = SlideRecord(slide_hash=session.slide.content_hash, stain="H-DAB")
    session.studies.records.apply([RecordChange.of(None, record)])
    assert (kit.stains, kit.stained) == (H_DAB, "any")
    source = session.layers[0].source
    assert isinstance(source, SlideSource)
    chosen = replace(H_E, source="Macenko")
    source.style = replace(source.style, stains=chosen)
    assert (kit.stains, kit.stained) == (chosen, "first")


def test_what_it_says_is_a_notice(session: Session, ears: Ears, loop: Loop) -> None:
    session.toolbox.kit.say("Nothing here.", ("Look elsewhere", "view.fit"))
    assert ears.notices[-1].text == "Nothing here."
    assert ears.notices[-1].action == ("Look elsewhere", "view.fit")


def test_the_wand_can_be_set_to_all_that_it_knows() -> None:
    annotation = DrawingSettings.model_fields["wand_space"].annotation
    assert get_args(annotation) == get_args(Space)
