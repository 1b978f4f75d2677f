"""The report of a slide tells its results with what they rest on, and no name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import orjson
import pytest
from bag_runs import CLASSES, SIDE_L0, bag_run
from clips import frame, write_frames
from makers import he_image, make_svs
from run_files import new_run, squares
from studies import opened
from typer.testing import CliRunner

from pathoview.cli import app
from pathoview.core.errors import UsageError
from pathoview.core.progress import SilentProgress
from pathoview.methods.model import HeldOut, Model, ModelCard, ModelClass, write_model
from pathoview.slides.opening import open_slide
from pathoview.study.model import SlideLabel, SlideRecord
from pathoview.study.records import PICTURES_KEY
from pathoview.study.tile_verdicts import SlideVerdicts, TileVerdict
from pathoview.tasks import slide_report

QUIET = SilentProgress()
WEIGHTS = np.ones((3, 4))
WEIGHTS[1, 2] = 9


@pytest.fixture
def slide(tmp_path: Path) -> Path:
    return make_svs(tmp_path / "Jane Doe.svs", he_image(256, 192))


def model(tmp_path: Path, n_held_out: int) -> ModelCard:
    """Write a model of which 3 of 4 slides that it called tumour are."""
    held_out = tuple(
        HeldOut(
            name=f"S-{number}",
            slide_hash=f"{number}",
            fold=0,
            label=int(number % 4 > 0),
            probabilities={"attention_mil": (0.2, 0.8)},
        )
        for number in range(n_held_out)
    )
    card = ModelCard(
        title="Tumor",
        method="attention_mil",
        kind="bag",
        mpp=0.5,
        classes=tuple(ModelClass(name=one.name) for one in CLASSES),
        held_out=held_out,
        labels={"Benign": 10, "Tumor": 14},
        licence="CC0",
    )
    write_model(tmp_path / "m.safetensors", Model(card, {"w": np.zeros(1, np.float32)}))
    return card


def predicted(path: Path, tmp_path: Path, card: ModelCard) -> str:
    with open_slide(path) as slide:
        context = {"threshold": 0.4, "auroc": 0.91, "auroc_interval": [0.83, 0.97]}
        model_path = str(tmp_path / "m.safetensors")
        bag_run(slide, WEIGHTS, context=context, model=card.id, model_path=model_path)
        return slide.content_hash


def page(path: Path, tmp_path: Path, **more: object) -> str:
    target = tmp_path / "report.html"
    slide_report.run({"slide": str(path), "report": str(target), **more}, QUIET)
    return target.read_text("utf-8")


def test_a_prediction_comes_with_what_it_is_worth_and_the_tiles_it_rests_on(
    slide: Path, tmp_path: Path
) -> None:
    predicted(slide, tmp_path, model(tmp_path, 80))
    html = page(slide, tmp_path, n_tiles=3)
    assert "15 were Tumor: 75% (95 % interval 53% – 89%)" in html
    assert "Of the 20 held-out slides" in html
    assert "Tumor from 40.0% on" in html
    assert "0.91 (95 %: 0.83 – 0.97)" in html
    assert html.count("attention ") == 3
    assert f"{2 * SIDE_L0:,.0f}, {SIDE_L0:,.0f} px" in html
    assert "Benign 10, Tumor 14" in html
    assert "Ilse" in html
    assert "research use only" in html
    assert "Jane" not in html


def test_a_model_that_is_gone_or_was_hardly_measured_promises_nothing(
    slide: Path, tmp_path: Path
) -> None:
    predicted(slide, tmp_path, model(tmp_path, 2))
    unknown = "How often the model is right with such a probability is not known here."
    assert unknown in page(slide, tmp_path)
    (tmp_path / "m.safetensors").unlink()
    html = page(slide, tmp_path)
    assert unknown in html
    assert "The model is not on this computer any more." in html


def test_objects_and_areas_are_counted_for_each_class(slide: Path, tmp_path: Path) -> None:
    with open_slide(slide) as one:
        with new_run(one, state="done", title="Nuclei", area_mm2=2.0) as run:
            run.add_tile(0, 0, squares([(5, 5), (40, 5), (80, 5)], class_name="Tumor"))
            run.add_tile(1, 0, squares([(5, 90)]))
        areas = {"class_areas_mm2": (3.0, 1.0), "classes": CLASSES, "grid_px": (128, 96)}
        said = {"gives": "pixel", "method": "pixel_forest", "tile_px": 64, "scale_l0": 2.0}
        with new_run(one, state="done", title="Tissue", **areas, **said):
            pass
    html = page(slide, tmp_path)
    assert '<td>Tumor</td><td class="n">3</td><td class="n">2</td>' in html
    assert '<td>Objects without a class</td><td class="n">1</td>' in html
    assert '<td>Benign</td><td class="n">3.000</td><td class="n">75.0%</td>' in html


def test_what_was_taken_for_pathology_is_told_as_an_area(slide: Path, tmp_path: Path) -> None:
    said = {"gives": "synthesis", "method": "pseudo_healthy", "tile_px": 64, "scale_l0": 2.0}
    with open_slide(slide) as one:
        areas = {
            "pathology_mm2": 0.5,
            "area_mm2": 2.0,
            "classes": CLASSES[1:],
            "grid_px": (128, 96),
        }
        with new_run(one, state="done", title="As if healthy", **areas, **said):
            pass
    html = page(slide, tmp_path)
    assert '<td>Tumor</td><td class="n">0.500</td><td class="n">25.0%</td>' in html
    assert "from a probability of 0.5 on" in html


def test_only_the_newest_result_of_a_method_is_told_of_unless_others_are_named(
    slide: Path, tmp_path: Path
) -> None:
    with open_slide(slide) as one:
        ids = []
        for title in ("Older", "Newer"):
            with new_run(one, state="done", title=title) as run:
                ids.append(run.record.id)
        with new_run(one, state="running", title="Unfinished", method="other"):
            pass
    html = page(slide, tmp_path)
    assert "Newer" in html
    assert "Older" not in html
    assert "Unfinished" not in html
    assert "Older" in page(slide, tmp_path, runs=ids[:1])
    with pytest.raises(UsageError, match="no finished result"):
        page(slide, tmp_path, runs=["nothing"])


def test_what_a_study_says_of_slide_and_tiles_is_told(slide: Path, tmp_path: Path) -> None:
    slide_hash = predicted(slide, tmp_path, model(tmp_path, 0))
    verdict = TileVerdict(
        x_l0=2 * SIDE_L0, y_l0=SIDE_L0, side_l0=SIDE_L0, class_name="Tumor", answer="agree"
    )
    label = SlideLabel(label_kind="grade", name="ISUP", value=3, author="Ada")
    record = SlideRecord(slide_hash=slide_hash, path=str(slide), labels=(label,))
    path = tmp_path / "one.pathoview"
    with opened(path) as study:
        study.put(record, SlideVerdicts(slide_hash=slide_hash, verdicts=(verdict,)))
    html = page(slide, tmp_path, study=str(path))
    assert "ISUP 3 (Ada)" in html
    assert html.count("agreed 1") == 1


def test_a_slide_without_results_has_a_report_and_the_window_gets_a_page(
    slide: Path, tmp_path: Path
) -> None:
    target = tmp_path / "page.json"
    slide_report.run({"slide": str(slide), "page": str(target)}, QUIET)
    told = orjson.loads(target.read_bytes())
    assert "Nothing was analyzed on this slide yet." in told["html"]
    assert told["title"].startswith("slide-")


def test_the_command_line_writes_it(slide: Path, tmp_path: Path) -> None:
    with open_slide(slide) as one, new_run(one, state="done", title="Nuclei"):
        pass
    target = tmp_path / "out.html"
    done = CliRunner().invoke(app, ["report", str(slide), str(target)])
    assert done.exit_code == 0, done.output
    assert "Nuclei" in target.read_text("utf-8")


def test_a_clip_is_reported_by_its_frames(tmp_path: Path) -> None:
    clip = write_frames(tmp_path / "clip", [frame(n, has_spot=n == 2) for n in range(4)])
    with open_slide(clip) as opened_clip:
        context = {"encoder": {}, PICTURES_KEY: 4}
        weights = np.array([[1, 1, 5, 1]])
        bag_run(opened_clip, weights, context=context, mpp=None, scale_l0=64.0)
    output = tmp_path / "r.html"
    slide_report.run({"slide": str(clip), "report": str(output)}, QUIET)
    page = output.read_text("utf-8")
    assert page.index("frame 3") < page.index("frame 1")
    assert "mm²" not in page
