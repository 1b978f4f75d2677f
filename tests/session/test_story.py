"""Open, analyze, look, export and import with real workers: what a person does in a window."""

from __future__ import annotations

import gzip
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import orjson
import pytest
from makers import he_image, make_svs
from stage import Ears, Loop

from pathoview.core.geometry import Rect
from pathoview.core.pyramid import TileKey
from pathoview.jobs.runner import JobRunner, JobState
from pathoview.layers.compose import compose
from pathoview.session.commands import run_command
from pathoview.session.session import Session
from pathoview.session.settings import ExportSettings, Settings


@pytest.fixture
def real(loop: Loop) -> Iterator[Session]:
    session = Session(loop.post, Settings(cache_bytes=64 * 2**20), JobRunner(loop.post))
    session.viewport.set_size(800, 600)
    yield session
    session.close()


def test_a_slide_is_analyzed_looked_at_exported_and_imported_again(
    real: Session, loop: Loop, tmp_path: Path
) -> None:
    ears = Ears(real)
    path = make_svs(tmp_path / "slide.svs")
    real.open(path)
    loop.run_until(lambda: real.slide)
    job = real.analyze()
    assert job is not None
    loop.run_until(lambda: job.is_over, 120)
    assert job.error == ""
    assert job.result is not None
    n = job.result["n_objects"]
    assert n > 100
    loop.run_until(lambda: real.results and real.results.record.state == "done")
    assert real.results is not None
    loop.run_until(lambda: real.results.statistics.n == n)
    assert real.results.statistics.per_mm2 is not None
    assert ears.notices[-1].action == ("Export…", "file.export")

    x_l0, y_l0 = real.results.source.detections.centroids_l0()[n // 2].tolist()
    chosen = real.select_at(x_l0, y_l0)
    assert chosen is not None
    assert chosen.area_um2 == pytest.approx(chosen.measurements["Area µm²"], rel=0.02)
    plain = compose([real.layers[0]], Rect(0, 0, 1024, 768), 1024, 768)
    drawn = compose(real.layers, Rect(0, 0, 1024, 768), 1024, 768)
    assert (plain != drawn).any(axis=2).mean() > 0.02

    target = tmp_path / "out.geojson.gz"
    real.exchange.export(target, ExportSettings(measurements=False))
    export = real.jobs[-1]
    loop.run_until(lambda: export.is_over, 60)
    assert export.error == ""
    features = orjson.loads(gzip.decompress(target.read_bytes()))["features"]
    assert len(features) == n

    real.remove_results()
    real.exchange.import_file(target)
    loop.run_until(lambda: real.jobs[-1] is not export)
    imported = real.jobs[-1]
    loop.run_until(lambda: imported.is_over, 60)
    assert imported.error == ""
    loop.run_until(lambda: real.results and real.results.statistics.n == n)
    real.undo()
    real.undo()
    assert [run.record.kind for run in real.runs] == ["analysis"]


def test_tiles_that_were_wanted_can_be_drawn_from_the_scheduler(
    real: Session, loop: Loop, tmp_path: Path
) -> None:
    real.open(make_svs(tmp_path / "slide.svs"))
    loop.run_until(lambda: real.slide)
    source = real.layers[0].source
    wanted = list(source.pyramid.tiles_in(real.viewport.visible_l0, 0))
    real.scheduler.request([(source, key) for key in wanted])
    ready: list[TileKey] = []
    real.scheduler.ready.connect(lambda _source, key: ready.append(key))
    loop.run_until(lambda: all(real.scheduler.get(source, key) is not None for key in wanted))
    assert real.scheduler.failure(source, wanted[0]) is None


def test_a_killed_worker_is_told_and_the_run_goes_on_from_its_finished_tiles(
    real: Session, loop: Loop, tmp_path: Path
) -> None:
    ears = Ears(real)
    image = np.tile(he_image(1024, 1024), (3, 3, 1))
    real.open(make_svs(tmp_path / "slide.svs", image))
    loop.run_until(lambda: real.slide)
    job = real.analyze()
    assert job is not None
    tiles: list[str] = []
    job.event.connect(lambda kind, _data: tiles.append(kind))
    loop.run_until(lambda: "tile" in tiles, 60)
    worker = real._desk.runner.worker_pid()
    assert worker is not None
    os.kill(worker, signal.SIGKILL)
    loop.run_until(lambda: job.is_over and ears.notices, 30)
    assert job.state is JobState.DIED
    notice = ears.notices[-1]
    assert notice.level == "error"
    assert notice.action == ("Resume", "analyze.resume")
    loop.run_until(lambda: real.results and real.results.statistics.n)

    run_command(real, notice.action[1], notice.argument)
    resumed = real.jobs[-1]
    loop.run_until(lambda: resumed.is_over, 120)
    assert resumed.state is JobState.DONE
    assert resumed.result is not None
    assert resumed.result["run_file"] == notice.argument
    assert real.results is not None
    loop.run_until(lambda: real.results.statistics.n == resumed.result["n_objects"])
    assert len(real.runs) == 1
