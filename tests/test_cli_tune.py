"""``pathoview tune`` measures, and what it pins is what analyses are computed by."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import orjson
import pytest
from makers import he_image, make_svs
from tiny_network import register, tiny_model
from typer.testing import CliRunner

from pathoview.cli import app
from pathoview.core.progress import SilentProgress
from pathoview.session.settings import load_settings
from pathoview.study.results import find_runs
from pathoview.tasks import tune

pytest.importorskip("torch")


def typed(*words: str) -> str:
    result = CliRunner().invoke(app, list(words))
    assert result.exit_code == 0, result.output
    return result.stdout


@pytest.fixture
def bf16_wins(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(request: Any, progress: SilentProgress) -> dict[str, Any]:
        row = {"seconds": 0.5, "speed_up": 2.0, "max_error": 1e-3, "tolerance": 0.02}
        paths = [
            {"path": "bf16", **row, "problem": ""},
            tune._unmeasured("onnx", "ONNX Runtime is not installed."),
        ]
        return {"model": "M", "reason": "Why.", "paths": paths, "fastest": "bf16"}

    monkeypatch.setattr(tune, "run", run)


@pytest.mark.usefixtures("bf16_wins")
def test_the_fastest_path_is_told_and_pinned() -> None:
    said = typed("tune", "--only-measure")
    assert load_settings().numerics == "float32"
    assert "0.500 s" in said
    assert "2.00 ×" in said
    assert "not installed" in said
    typed("tune")
    assert load_settings().numerics == "bf16"
    assert orjson.loads(typed("tune", "--json"))["fastest"] == "bf16"
    typed("tune", "--reset")
    assert load_settings().numerics == "float32"


@pytest.mark.usefixtures("bf16_wins")
def test_a_pinned_path_is_what_runs_were_computed_by(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    register(monkeypatch)
    model = tiny_model()
    slide = make_svs(tmp_path / "a.svs", he_image(256, 192))
    typed("tune")
    typed("apply", str(model.path), str(slide), "--output", str(tmp_path / "a.geojson"))
    from pathoview.slides.opening import open_slide

    with open_slide(slide) as opened:
        ((_path, record),) = find_runs(opened.content_hash)
    assert record.numerics == "bf16"
