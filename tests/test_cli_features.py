"""``pathoview features`` and ``encoders``."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from makers import he_image, make_plain, make_svs
from typer.testing import CliRunner, Result

from pathoview.cli import app
from pathoview.core.errors import MissingScaleError, UsageError
from pathoview.methods.engine.encoder_list import ENCODERS
from pathoview.tasks.features import bag_of

pytest.importorskip("torch")


def typed(*words: str) -> Result:
    result = CliRunner().invoke(app, list(words))
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_tiles_are_described_once_by_the_encoder_that_came_with_the_program(
    tmp_path: Path,
) -> None:
    slides = [str(make_svs(tmp_path / f"{n}.svs", he_image(256, 192, n))) for n in range(2)]
    options = ["--tile", "64", "--scale", "0.5", "--scale", "1.0", "--least-tissue", "0"]
    first = typed("features", *slides, *options).stdout.splitlines()
    assert len(first) == 2
    assert first[0].startswith("0.svs: 12 tiles × 944 numbers, ")
    assert "MP/s" in first[0]
    again = typed("features", slides[0], *options, "--json").stdout
    said = orjson.loads(again)
    assert (said["slide"], said["mp_per_s"], said["licence"]) == ("0.svs", None, "Apache-2.0")
    features, grid, used = bag_of(Path(said["path"]))
    assert features.shape == (12, 2 * 472)
    assert used.mpp == (0.5, 1.0)
    assert abs(features).max() > 1
    assert grid.image(features[:, 0]).shape == (3, 4)
    assert "MP/s" in typed("features", slides[0], *options, "--restart").stdout


def test_what_is_wrong_is_said(tmp_path: Path) -> None:
    slide = str(make_plain(tmp_path / "a.png", he_image(100, 80)))
    with pytest.raises(UsageError, match="resnet99"):
        typed("features", slide, "--encoder", "resnet99")
    with pytest.raises(UsageError, match="normalisation"):
        typed("features", slide, "--normalise", "other")
    with pytest.raises(MissingScaleError):
        typed("features", slide)


def test_encoders_are_listed_with_their_licences() -> None:
    said = typed("encoders").stdout
    for spec in ENCODERS:
        assert any(
            line.startswith(f"{spec.name}: ") and spec.licence in line for line in said.splitlines()
        )
    assert "came with the program" in said.splitlines()[0]
    facts = orjson.loads(typed("encoders", "--json").stdout)
    assert [one["name"] for one in facts] == [spec.name for spec in ENCODERS]
