"""A clip is open: what a model says of a frame is drawn on that frame, and a tile leads to it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from bag_runs import CLASSES, ENCODER, SIDE_L0, bag_run, write_features
from clips import SPOT, frame, write_frames
from makers import he_image
from stage import Ears, FakeRunner, Loop, end

from pathoview.core.errors import UsageError
from pathoview.core.geometry import Rect
from pathoview.core.progress import SilentProgress
from pathoview.core.pyramid import Plane
from pathoview.jobs.runner import JobState
from pathoview.layers.attention_source import TileValueSource
from pathoview.methods.model import Model, ModelCard, ModelClass, write_model
from pathoview.session.session import Session
from pathoview.session.slide_search import locate
from pathoview.session.tile_place import TilePlace, picture_work
from pathoview.session.tile_review import TileReview
from pathoview.slides.opening import open_slide
from pathoview.study.model import SlideRecord
from pathoview.study.records import PICTURES_KEY
from pathoview.tasks import export_file, similar_tiles

OpenSlide = Callable[[Path], None]
N_FRAMES = 6


@pytest.fixture
def clip(tmp_path: Path) -> Path:
    return write_frames(tmp_path / "clip", [frame(n, has_spot=n == 4) for n in range(N_FRAMES)])


def opened(
    session: Session, loop: Loop, open_slide_of: OpenSlide, path: Path, weights: np.ndarray
) -> TileReview:
    """Open pictures in a row that have a run."""
    with open_slide(path) as slide:
        n = slide.info.size_t
        bag_run(slide, weights, context={"encoder": {}, PICTURES_KEY: n}, mpp=None)
    open_slide_of(path)
    tiles = session.review.tiles
    loop.run_until(lambda: tiles.run is not None and session.studies.book is not None)
    return tiles


def drawn(session: Session) -> np.ndarray:
    """Return the attention that lies on what is looked at, (row, column)."""
    run = session.review.tiles.run
    assert run is not None
    source = run.layers[0].source
    assert isinstance(source, TileValueSource)
    return np.asarray(source.raster.read(0, 0, 0, 99, 99)[0][..., 0])


def test_a_clip_is_opened_without_being_asked_for_a_scale(
    session: Session, clip: Path, open_slide_of: OpenSlide
) -> None:
    ears = Ears(session)
    open_slide_of(clip)
    assert session.slide is not None
    assert session.slide.info.size_t == N_FRAMES
    assert not ears.scales_needed


def test_the_frame_that_is_looked_at_has_its_own_attention(
    session: Session, loop: Loop, clip: Path, open_slide_of: OpenSlide
) -> None:
    weights = np.array([[1, 1, 1, 1, 6, 2]], np.float32)
    review = opened(session, loop, open_slide_of, clip, weights)
    assert drawn(session).tolist() == [[0.5]]
    session.set_plane(Plane(t=4))
    assert drawn(session).tolist() == [[3.0]]
    assert review.find(4.5 * SIDE_L0, 3) == 4


def test_a_tile_leads_to_its_frame_and_is_answered_there(
    session: Session, loop: Loop, clip: Path, open_slide_of: OpenSlide
) -> None:
    weights = np.array([[1, 1, 1, 1, 6, 2]], np.float32)
    review = opened(session, loop, open_slide_of, clip, weights)
    review.go_to(review.place(review.rect_l0(4)))
    assert session.plane.t == 4
    assert review.seen == (Plane(t=4), Rect(0, 0, SIDE_L0, SIDE_L0))
    assert review.can_answer
    session.set_plane(Plane(t=1))
    assert not review.can_answer, "another frame is looked at"
    review.choose_at(5, 5)
    assert review.chosen == 1
    assert review.answer("agree")
    assert "frame 2" in session.history.undo_name


def test_pictures_of_a_folder_have_tiles_of_their_own(
    session: Session, loop: Loop, tmp_path: Path, open_slide_of: OpenSlide
) -> None:
    side = int(SIDE_L0)
    folder = write_frames(tmp_path / "bag", [he_image(2 * side, 2 * side, n) for n in range(3)])
    weights = np.arange(1, 13, dtype=np.float32).reshape(2, 6)
    review = opened(session, loop, open_slide_of, folder, weights)
    review.go_to(review.place(review.rect_l0(9)))
    assert session.plane.t == 1
    np.testing.assert_allclose(drawn(session), weights[:, 2:4] * 12 / weights.sum(), rtol=1e-5)
    review.choose_at(1.5 * SIDE_L0, 5)
    assert review.chosen == 3


def test_a_similar_tile_leads_to_its_frame_of_another_clip(
    session: Session,
    loop: Loop,
    runner: FakeRunner,
    clip: Path,
    tmp_path: Path,
    open_slide_of: OpenSlide,
) -> None:
    other = write_frames(tmp_path / "other", [frame(9 + n, has_spot=n == 3) for n in range(5)])
    assert session.studies.create(tmp_path / "s.pathoview")
    for path, alike in ((other, 3), (clip, 4)):
        open_slide_of(path)
        loop.run_until(lambda: session.studies.book is not None)
        slide = session.slide
        assert slide is not None
        features = np.eye(slide.info.size_t, 8) + (np.arange(slide.info.size_t) == alike)[:, None]
        write_features(slide.content_hash, slide.pseudonym, features, slide.info.size_t)
    similar, review = session.review.similar, session.review.tiles
    review.go_to(TilePlace(slide.content_hash, Rect(4 * SIDE_L0, 0, SIDE_L0, SIDE_L0)))
    assert session.plane.t == 4
    similar.find()
    assert session.studies.study is not None
    assert session.studies.study.writer.flush(5.0)
    job = runner.taken[-1]
    end(job, JobState.DONE, similar_tiles.run(job.request.payload, SilentProgress()))
    assert similar.answer is not None
    best = similar.answer.similar[0].place
    assert best.rect_l0.x == 3 * SIDE_L0
    work = picture_work(session, best, 32)
    assert work is not None
    assert work()[..., 1].min() < 2 * SPOT[1], "the spot of that frame is seen"
    similar.go_to(best)
    loop.run_until(lambda: session.path == other)
    assert review.run is None
    assert session.plane.t == 3
    assert review.seen == (Plane(t=3), Rect(0, 0, SIDE_L0, SIDE_L0))
    assert session.viewport.center_l0 == (SIDE_L0 / 2, SIDE_L0 / 2)


def test_the_grid_says_how_many_columns_a_picture_has(tmp_path: Path) -> None:
    narrow = int(2 * SIDE_L0) - 1  # less than two tiles, but for the last px
    folder = write_frames(tmp_path / "bag", [he_image(narrow, 80, n) for n in range(3)])
    with open_slide(folder) as slide:
        place = TilePlace("", Rect(3 * SIDE_L0, 0, SIDE_L0, SIDE_L0), n_columns=6)
        assert place.seen(slide) == (Plane(t=1), Rect(SIDE_L0, 0, SIDE_L0, SIDE_L0))


@pytest.mark.parametrize("mpp", [(), (0.5,)])
def test_only_a_model_of_frames_needs_no_scale(
    session: Session, clip: Path, tmp_path: Path, open_slide_of: OpenSlide, mpp: tuple[float, ...]
) -> None:
    open_slide_of(clip)
    classes = tuple(ModelClass(name=one.name, color=one.color) for one in CLASSES)
    settings = {"encoder": {"name": ENCODER.name, "mpp": list(mpp)}}
    card = ModelCard(
        title="m", method="attention_mil", kind="bag", mpp=0, classes=classes, settings=settings
    )
    file = tmp_path / "m.safetensors"
    write_model(file, Model(card, {"nothing": np.zeros(1, np.float32)}))
    ears = Ears(session)
    session.analyze("attention_mil", {}, "slide", file)
    assert bool(ears.scales_needed) == bool(mpp)


def test_frames_are_not_written_as_if_they_lay_on_a_slide(clip: Path, tmp_path: Path) -> None:
    with open_slide(clip) as slide:
        context = {"encoder": {}, PICTURES_KEY: N_FRAMES}
        run = bag_run(slide, np.ones((1, N_FRAMES), np.float32), context=context, mpp=None)
    for name, form in (("a.geojson", ""), ("a.png", "attention"), ("a.ome.tif", "tile-values")):
        request = {"run_file": str(run), "output": str(tmp_path / name), "format": form}
        with pytest.raises(UsageError, match="no places on a slide"):
            export_file.run(request, SilentProgress())


def test_a_clip_is_found_again_by_its_frames(clip: Path, tmp_path: Path) -> None:
    with open_slide(clip) as slide:
        record = SlideRecord(slide_hash=slide.content_hash, path=str(clip))
    assert locate(record, tmp_path) == clip
    (tmp_path / "study").mkdir()
    moved = clip.rename(tmp_path / "study" / "clip")
    assert locate(record, tmp_path / "study") == moved
    (moved / "frame 2.png").unlink()
    assert locate(record, tmp_path / "study") is None
