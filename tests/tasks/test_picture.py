from __future__ import annotations

import uuid
from pathlib import Path

import cv2
import numpy as np
import pytest
from fakes import ArraySlide
from makers import he_image
from run_files import new_run

from pathoview.annotations.detections import SUBPIXEL, Detections
from pathoview.core.errors import InputError, MissingScaleError, UsageError
from pathoview.core.progress import SilentProgress
from pathoview.tasks.picture import LayerFile, PictureRequest, write_picture

IMAGE = he_image(1000, 800)


@pytest.fixture
def slide() -> ArraySlide:
    return ArraySlide(IMAGE)


def written(slide: ArraySlide, folder: Path, **request: object) -> np.ndarray:
    plain = {"scale_bar": False, "size": (300, 200)}
    wanted = PictureRequest(**{**plain, **request})  # type: ignore[arg-type]
    write_picture(slide, wanted, folder / "a.png", SilentProgress())
    return cv2.imread(str(folder / "a.png"))[..., ::-1]


def add_run(slide: ArraySlide) -> None:
    ring = np.array([(450, 380), (550, 380), (550, 420), (450, 420)]) * SUBPIXEL
    table = Detections(
        ring.astype(np.int32),
        np.array([0, 4]),
        np.frombuffer(uuid.uuid4().bytes, np.uint8).reshape(1, 16),
        np.array([-1], np.int16),
        (),
        {"Area µm²": np.array([7], np.float32)},
    )
    with new_run(slide) as run:
        run.add_tile(0, 0, table)
        run.update_record(state="done", n_objects=1)


def test_a_place_is_drawn_at_full_size(slide: ArraySlide, tmp_path: Path) -> None:
    picture = written(slide, tmp_path, center="500, 400", scale=1.0)
    np.testing.assert_array_equal(picture, IMAGE[300:500, 350:650])
    same = written(slide, tmp_path, center="250 µm, 200 µm", magnification=20)
    np.testing.assert_array_equal(picture, same)
    turned = written(slide, tmp_path, center="500, 400", scale=1.0, rotation=180)
    np.testing.assert_array_equal(turned, picture[::-1, ::-1])
    mirrored = written(slide, tmp_path, center="500, 400", scale=1.0, is_flipped=True)
    np.testing.assert_array_equal(mirrored, picture[:, ::-1])


def test_with_no_place_all_of_the_slide_is_seen(slide: ArraySlide, tmp_path: Path) -> None:
    picture = written(slide, tmp_path)
    assert (picture[:, :24] == 255).all()
    expected = cv2.resize(IMAGE, (250, 200), interpolation=cv2.INTER_AREA)
    assert np.abs(picture[:, 25:275].astype(int) - expected).mean() < 6


def test_results_are_drawn_where_there_are_some_unless_told_not_to(
    slide: ArraySlide, tmp_path: Path
) -> None:
    place = {"center": "500, 400", "scale": 1.0, "size": (400, 300)}
    bare = written(slide, tmp_path, **place)
    with pytest.raises(InputError, match="no finished result"):
        written(slide, tmp_path, results=True, **place)
    add_run(slide)
    drawn = written(slide, tmp_path, **place)
    yellow = (drawn.astype(int) - (255, 214, 10) == 0).all(axis=2)
    rows, columns = np.nonzero(yellow)
    assert (rows.min(), rows.max()) == pytest.approx((130, 170), abs=2)
    assert (columns.min(), columns.max()) == pytest.approx((150, 250), abs=2)
    np.testing.assert_array_equal(bare, written(slide, tmp_path, results=False, **place))
    coloured = written(slide, tmp_path, colour_by="Area µm²", **place)
    assert (coloured != drawn).any()
    with pytest.raises(UsageError, match="no measurement") as refused:
        written(slide, tmp_path, colour_by="Area", **place)
    assert "Area µm²" in refused.value.hint


def test_files_are_drawn_over_the_slide_where_they_are_said_to_lie(
    slide: ArraySlide, tmp_path: Path
) -> None:
    values = np.zeros((40, 50), np.float32)
    values[:, 25:] = 1
    np.save(tmp_path / "heat.npy", values)
    place = {"center": "500, 400", "scale": 1.0, "size": (1000, 800)}
    bare = written(slide, tmp_path, **place).astype(int)
    guessed = written(slide, tmp_path, layers=(LayerFile(tmp_path / "heat.npy"),), **place)
    assert np.abs(guessed - bare)[60:-60].mean(axis=(0, 2)).min() > 10
    file = LayerFile(tmp_path / "heat.npy", "heatmap", 4.0, (300, 200))
    put = written(slide, tmp_path, layers=(file,), **place)
    rows, columns = np.nonzero(np.abs(put - bare)[:-60].max(axis=2) > 12)
    assert (rows.min(), rows.max() + 1) == pytest.approx((200, 360), abs=3)
    assert (columns.min(), columns.max() + 1) == pytest.approx((300, 500), abs=3)
    with pytest.raises(UsageError, match="no kind"):
        written(slide, tmp_path, layers=(LayerFile(tmp_path / "heat.npy", "hat"),))


def test_what_cannot_be_done_is_told(slide: ArraySlide, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="not on the slide"):
        written(slide, tmp_path, center="5000, 10")
    with pytest.raises(MissingScaleError):
        written(ArraySlide(IMAGE, mpp=None), tmp_path, magnification=10)
    with pytest.raises(UsageError, match="neither PNG nor SVG"):
        write_picture(slide, PictureRequest(), tmp_path / "a.jpg", SilentProgress())
    with pytest.raises(UsageError, match="too large"):
        written(slide, tmp_path, size=(100_000, 100_000))
