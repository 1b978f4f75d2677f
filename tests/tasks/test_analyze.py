"""The analysis of a slide: the same result however it is run, stopped and resumed."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import shapely
from makers import he_image, make_plain, make_pyramid_tiff

from pathoview.annotations.detections import Detections
from pathoview.core.errors import Cancelled, MissingScaleError, SlideError, UsageError
from pathoview.core.geometry import Rect
from pathoview.core.progress import SilentProgress
from pathoview.jobs.runner import JobRequest, JobRunner, JobState
from pathoview.slides.slide import Slide
from pathoview.slides.tissue import TissueMask, tissue_mask
from pathoview.study.results import RunFile
from pathoview.tasks import analyze, tile_work

PATIENCE_S = 60.0


class Listener(SilentProgress):
    """Remembers events and reports, and does something at each event."""

    def __init__(self, at_event: Callable[[Listener, str], None] | None = None) -> None:
        super().__init__()
        self.events: list[tuple[str, Mapping[str, Any]]] = []
        self.reports: list[tuple[float, Mapping[str, float]]] = []
        self._at_event = at_event

    def report(self, fraction: float, text: str = "", **metrics: float) -> None:
        self.reports.append((fraction, metrics))

    def event(self, kind: str, data: Mapping[str, object]) -> None:
        self.events.append((kind, data))
        if self._at_event:
            self._at_event(self, kind)

    def of_kind(self, kind: str) -> list[Mapping[str, Any]]:
        return [data for known, data in self.events if known == kind]


def cancel_after(n_tiles: int) -> Listener:
    def at_event(listener: Listener, kind: str) -> None:
        if len(listener.of_kind("tile")) == n_tiles:
            listener.control.cancel()

    return Listener(at_event)


def request(slide: Path, **changes: Any) -> dict[str, Any]:
    plain = {
        "slide": str(slide),
        "method": "nuclei_watershed",
        "params": {},
        "region_l0": None,
        "mpp": None,
        "resume": False,
        "tile_px": 256,
        "n_computers": 1,
    }
    return plain | changes


def analyzed(slide: Path, listener: SilentProgress | None = None, **changes: Any) -> Detections:
    result = analyze.run(request(slide, **changes), listener or SilentProgress())
    return objects_of(result)


def objects_of(result: Mapping[str, Any]) -> Detections:
    with RunFile.open(Path(result["run_file"])) as run:
        assert run.record.state == "done"
        found = run.all()
    assert len(found) == result["n_objects"]
    assert len({one.tobytes() for one in found.ids}) == len(found)
    return found


def assert_equal(first: Detections, second: Detections) -> None:
    assert len(first) > 50
    assert np.array_equal(first.ids, second.ids)
    assert np.array_equal(first.points, second.points)
    assert np.array_equal(first.offsets, second.offsets)
    for name, column in first.measurements.items():
        assert np.array_equal(column, second.measurements[name], equal_nan=True), name


@pytest.fixture(scope="module")
def slide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("slides") / "scene.tiff"
    return make_pyramid_tiff(path, he_image(1100, 900, glass_px=60))


@pytest.fixture(scope="module")
def whole(slide: Path, tmp_path_factory: pytest.TempPathFactory) -> Detections:
    """What an undisturbed run of one thread finds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATHOVIEW_HOME", str(tmp_path_factory.mktemp("home")))
        return analyzed(slide)


def test_the_result_tells_what_was_done(slide: Path) -> None:
    listener = Listener()
    result = analyze.run(request(slide), listener)
    assert result["state"] == "done"
    assert result["n_objects"] > 50
    assert 0.1 < result["area_mm2"] < 1100 * 900 * 0.5**2 / 1e6
    assert 0 < result["megapixels"] <= 1100 * 900 / 1e6
    assert result["mp_per_s"] == pytest.approx(result["megapixels"] / result["seconds"], rel=0.2)
    assert listener.reports[-1][0] == 1.0
    assert [fraction for fraction, _ in listener.reports] == sorted(
        fraction for fraction, _ in listener.reports
    )


def test_the_record_holds_what_repeats_the_run(slide: Path) -> None:
    result = analyze.run(request(slide), SilentProgress())
    with RunFile.open(Path(result["run_file"])) as run:
        record = run.record
    assert record.method == "nuclei_watershed"
    assert record.params
    assert record.context
    assert record.mpp == pytest.approx(0.5, rel=0.01)
    assert record.tile_px == 256
    assert record.device == "cpu"
    assert {"pathoview", "python", "numpy", "skimage", "opencv", "openslide"} <= set(
        record.versions
    )
    assert record.finished >= record.started
    assert record.n_objects == result["n_objects"]
    assert str(slide.parent) not in record.model_dump_json()


def test_tiles_are_told_when_they_can_be_read(slide: Path) -> None:
    found: list[int] = []

    def at_event(listener: Listener, kind: str) -> None:
        if kind == "tile":
            tile = listener.of_kind("tile")[-1]
            run_file = listener.of_kind("started")[0]["run_file"]
            with RunFile.open(Path(run_file)) as run:
                found.append(len(run.tile(tile["col"], tile["row"])) - tile["n"])

    listener = Listener(at_event)
    analyze.run(request(slide), listener)
    assert found == [0] * listener.of_kind("started")[0]["n_tiles"]
    assert listener.events[-1][0] == "finalised"


def test_order_and_threads_change_nothing(slide: Path, whole: Detections) -> None:
    listener = Listener()
    listener.control.focus_l0 = Rect(700, 500, 200, 200)
    assert_equal(whole, analyzed(slide, listener, n_computers=3))
    numbers = [(tile["row"], tile["col"]) for tile in listener.of_kind("tile")]
    assert numbers != sorted(numbers)


def test_tiles_in_the_focus_are_done_first(slide: Path) -> None:
    listener = Listener()
    listener.control.focus_l0 = Rect(1000, 800, 10, 10)
    analyze.run(request(slide), listener)
    first = listener.of_kind("tile")[0]
    assert Rect(*first["rect_l0"]).contains(1000, 800)


def test_a_cancelled_run_goes_on_from_its_finished_tiles(slide: Path, whole: Detections) -> None:
    first = cancel_after(4)
    with pytest.raises(Cancelled):
        analyze.run(request(slide), first)
    run_file = first.of_kind("started")[0]["run_file"]
    with RunFile.open(Path(run_file)) as run:
        assert run.record.state == "cancelled"
        assert len(run.finished_tiles()) == 4
    second = Listener()
    resumed = analyze.run(request(slide, resume=True), second)
    assert resumed["run_file"] == run_file
    assert second.of_kind("started")[0]["n_done"] == 4
    assert len(second.of_kind("tile")) == second.of_kind("started")[0]["n_tiles"] - 4
    assert_equal(whole, objects_of(resumed))


def test_a_killed_run_goes_on_from_its_finished_tiles(slide: Path, whole: Detections) -> None:
    runner = JobRunner(lambda call: call())
    job = runner.submit(JobRequest("pathoview.tasks.analyze:run", request(slide), "analysis"))
    tiles: list[str] = []

    def at_event(kind: str, data: Mapping[str, Any]) -> None:
        tiles.append(kind)
        pid = runner.worker_pid()
        if tiles.count("tile") == 3 and pid:
            os.kill(pid, signal.SIGKILL)

    job.event.connect(at_event)
    try:
        assert job.wait(PATIENCE_S)
        assert job.state is JobState.DIED
        again = JobRequest("pathoview.tasks.analyze:run", request(slide, resume=True), "analysis")
        second = runner.submit(again)
        started: list[int] = []
        second.event.connect(
            lambda kind, data: started.append(data["n_done"]) if kind == "started" else None
        )
        assert second.wait(PATIENCE_S)
        assert second.result is not None, second.details
    finally:
        runner.close()
    assert started[0] >= 3
    assert_equal(whole, objects_of(second.result))


def test_without_resume_a_new_run_is_made(slide: Path) -> None:
    first, second = cancel_after(2), Listener()
    with pytest.raises(Cancelled):
        analyze.run(request(slide), first)
    analyze.run(request(slide), second)
    assert second.of_kind("started")[0]["n_done"] == 0
    assert second.of_kind("started")[0]["run_file"] != first.of_kind("started")[0]["run_file"]


def test_tiles_of_another_size_are_not_mixed(slide: Path, whole: Detections) -> None:
    with pytest.raises(Cancelled):
        analyze.run(request(slide, tile_px=128), cancel_after(2))
    assert_equal(whole, analyzed(slide, resume=True))


def test_a_region_has_the_whole_slide_s_objects(slide: Path, whole: Detections) -> None:
    part = analyzed(slide, region_l0=[300, 200, 400, 350])
    region = Rect(300, 200, 400, 350)
    assert all(region.contains(x, y) for x, y in part.centroids_l0())
    inside = whole.take(
        np.array([region.contains(x, y) for x, y in whole.centroids_l0()], np.bool_)
    )
    assert matched_share(inside, part) >= 0.99
    same_ids = {one.tobytes() for one in part.ids} & {one.tobytes() for one in inside.ids}
    assert len(same_ids) >= 0.95 * len(inside)


def test_a_region_is_kept_to_the_pixel_of_level_0(tmp_path: Path) -> None:
    path = make_pyramid_tiff(tmp_path / "fine.tiff", he_image(1200, 900, mpp=0.25), mpp=0.25)
    centers = analyzed(path).centroids_l0()[:, 0].astype(int)
    left = int(centers[(centers % 2 == 0) & (centers > 200)][0]) + 1  # cuts a pixel of the analysis
    found = analyzed(path, region_l0=[left, 0, 600, 900]).centroids_l0()
    assert len(found) > 20
    assert ((found[:, 0] >= left) & (found[:, 0] < left + 600)).all()


def test_only_objects_on_tissue_are_kept(
    slide: Path, whole: Detections, monkeypatch: pytest.MonkeyPatch
) -> None:
    def left_part(slide: Slide) -> TissueMask:
        tissue = tissue_mask(slide)
        columns = np.arange(tissue.mask.shape[1]) * tissue.downsample
        return TissueMask(tissue.mask & (columns < 400), tissue.downsample)

    monkeypatch.setattr(analyze, "tissue_mask", left_part)
    found = analyzed(slide)
    assert 20 < len(found) < len(whole)
    assert found.centroids_l0()[:, 0].max() < 400 + 16


def test_seams_change_nothing(slide: Path) -> None:
    tables = {size: analyzed(slide, tile_px=size) for size in (256, 512, 1024)}
    assert_seams_are_invisible(tables)


def test_seams_change_nothing_on_a_real_slide(shared_data: Path) -> None:
    path = shared_data / "slides" / "CMU-1-Small-Region.svs"
    tables = {size: analyzed(path, tile_px=size, n_computers=2) for size in (256, 512, 1024)}
    assert_seams_are_invisible(tables)


def test_glass_alone_has_no_objects(tmp_path: Path) -> None:
    image = np.full((600, 600, 3), 243, np.uint8)
    path = make_pyramid_tiff(tmp_path / "glass.tiff", image)
    result = analyze.run(request(path), SilentProgress())
    assert (result["n_objects"], result["state"]) == (0, "done")


def test_a_slide_without_scale_is_refused_until_it_is_given(tmp_path: Path) -> None:
    path = make_plain(tmp_path / "picture.png", he_image(400, 300))
    with pytest.raises(MissingScaleError):
        analyze.run(request(path), SilentProgress())
    assert analyze.run(request(path, mpp=0.5), SilentProgress())["n_objects"] > 0


@pytest.mark.parametrize(
    "changes",
    [
        {"method": "nuclei_watershedd"},
        {"params": {"no_such_parameter": 1}},
        {"region_l0": [5000, 5000, 100, 100]},
    ],
)
def test_a_wrong_request_is_refused_before_it_starts(
    slide: Path, changes: dict[str, Any], own_home: Path
) -> None:
    with pytest.raises(UsageError):
        analyze.run(request(slide, **changes), SilentProgress())
    assert not list(own_home.rglob("*.run"))


def broken_reads(
    monkeypatch: pytest.MonkeyPatch, is_broken: Callable[[int, int, int], bool]
) -> None:
    """Have reads of patches fail where ``is_broken(x, y, number of earlier tries)``."""
    read, tries = tile_work.read_patch, dict[tuple[int, int], int]()

    def fail(slide: Any, grid: Any, x: int, y: int, width: int, height: int) -> Any:
        before = tries.get((x, y), 0)
        tries[x, y] = before + 1
        if is_broken(x, y, before):
            raise SlideError("The disk hums.")
        return read(slide, grid, x, y, width, height)

    monkeypatch.setattr(tile_work, "read_patch", fail)


def test_a_tile_that_fails_once_is_read_again(
    slide: Path, whole: Detections, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_reads(monkeypatch, lambda x, y, before: before == 0)
    assert_equal(whole, analyzed(slide))


def test_an_unreadable_tile_fails_the_run_and_keeps_the_others(
    slide: Path, whole: Detections
) -> None:
    listener = Listener()
    with pytest.MonkeyPatch.context() as patch:
        broken_reads(patch, lambda x, y, before: (x, y) == (0, 0))
        with pytest.raises(SlideError, match=r"1 tile .* The disk hums\.") as caught:
            analyze.run(request(slide), listener)
    assert "resume" in caught.value.hint
    started = listener.of_kind("started")[0]
    with RunFile.open(Path(started["run_file"])) as run:
        assert run.record.state == "failed"
        assert len(run.finished_tiles()) == started["n_tiles"] - 1
    assert_equal(whole, analyzed(slide, resume=True))


def test_a_slide_that_cannot_be_read_at_all_is_given_up_soon(
    slide: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    broken_reads(monkeypatch, lambda x, y, before: True)
    listener = Listener()
    with pytest.raises(SlideError, match="8 tiles"):
        analyze.run(request(slide, tile_px=64), listener)
    assert listener.of_kind("tile") == []


def test_a_slide_that_opens_and_then_fails_is_told(shared_data: Path) -> None:
    path = shared_data / "slides" / "openslide-python-fixtures" / "unreadable.svs"
    with pytest.raises(SlideError):
        analyze.run(request(path, mpp=0.5), SilentProgress())


Polygons = npt.NDArray[np.object_]


def polygons(table: Detections) -> Polygons:
    return np.array([shapely.Polygon(table.ring_l0(i)) for i in range(len(table))])


def matched_share(first: Detections, second: Detections) -> float:
    """Share of all objects, of both tables, that have a partner at IoU ≥ 0.9 in the other."""
    a, b = polygons(first), polygons(second)
    left, right = shapely.STRtree(b).query(a, predicate="intersects")
    common = shapely.area(shapely.intersection(a[left], b[right]))
    iou = common / (shapely.area(a[left]) + shapely.area(b[right]) - common)
    n_pairs = np.count_nonzero(iou >= 0.9)
    return 2 * n_pairs / (len(a) + len(b))


def assert_seams_are_invisible(tables: dict[int, Detections]) -> None:
    coarse = tables[1024]
    assert len(coarse) > 100
    for size in (256, 512):
        assert matched_share(tables[size], coarse) >= 0.995
        assert n_ending_at_seams(tables[size], size) <= n_ending_at_seams(coarse, size)


def n_ending_at_seams(table: Detections, size: int) -> int:
    """Count outlines that run for 2 µm or more exactly along an inner border of tiles.

    Only a cut leaves an edge of that length on a seam; at 0.5 µm per px and scale 1, so 4 px.
    """
    count = 0
    for index in range(len(table)):
        ring = table.ring_l0(index)
        step = np.roll(ring, -1, axis=0) - ring
        for axis in (0, 1):
            on_seam = np.isclose(ring[:, axis] % size, 0, atol=0.06) & (ring[:, axis] > 1)
            straight = np.isclose(step[:, axis], 0, atol=0.06) & (np.abs(step[:, 1 - axis]) >= 4)
            count += bool((on_seam & straight).any())
    return count
