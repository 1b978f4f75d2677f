"""Folders of pictures and videos: their frames are the planes of one slide."""

from __future__ import annotations

import builtins
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from clips import frame, pyav, write_frames, write_video
from PIL import Image

from pathoview.core.byte_cache import ByteCache
from pathoview.core.errors import MissingScaleError, SlideError
from pathoview.core.pyramid import Plane
from pathoview.slides import series
from pathoview.slides.opening import open_slide
from pathoview.slides.series import FolderSlide
from pathoview.slides.slide import Slide


def plane(slide: Slide, t: int, level: int = 0) -> np.ndarray:
    size = slide.info.levels[level]
    return slide.read(level, 0, 0, size.width, size.height, Plane(t=t))


def grey(value: int) -> np.ndarray:
    return np.full((48, 64, 3), value, np.uint8)


# -- folders ---------------------------------------------------------------------------------------


def test_a_folder_is_a_slide_whose_planes_are_its_pictures_in_natural_order(tmp_path: Path) -> None:
    frames = [frame(number) for number in range(12)]
    folder = write_frames(tmp_path / "clip", frames)
    (folder / "notes.txt").write_text("nothing")
    (folder / ".hidden.png").write_bytes(b"nothing")
    with open_slide(folder) as slide:
        info = slide.info
        assert (info.reader, info.width, info.height, info.size_t) == ("folder", 64, 48, 12)
        assert slide.is_series
        assert slide.time_s(3) is None
        for t, rgb in enumerate(frames):
            assert np.array_equal(plane(slide, t), rgb)
        assert slide.read(0, 60, 0, 8, 1, Plane(t=2, c=1))[0, -4:].tolist() == [[255]] * 4
        with pytest.raises(MissingScaleError):
            slide.mpp  # noqa: B018
        for wrong in (Plane(t=12), Plane(z=1)):
            with pytest.raises(SlideError, match="no such plane"):
                slide.read(0, 0, 0, 1, 1, wrong)
    with pytest.raises(SlideError, match="closed"):
        plane(slide, 0)


def test_smaller_pictures_are_filled_up_and_every_kind_becomes_rgb(tmp_path: Path) -> None:
    Image.fromarray(grey(10)).save(tmp_path / "1.png")
    Image.fromarray(np.full((20, 30), 90, np.uint8)).save(tmp_path / "2.png")
    turned = Image.Exif()
    turned[0x0112] = 6
    Image.fromarray(np.zeros((30, 40, 3), np.uint8)).save(tmp_path / "3.jpg", exif=turned)
    with FolderSlide(tmp_path) as slide:
        assert (slide.info.width, slide.info.height) == (64, 48)
        second, third = plane(slide, 1), plane(slide, 2)
        with slide.picture(2) as own:
            assert (own.info.width, own.info.height) == (30, 40)
    assert second.shape == (48, 64, 3)
    assert (second[:20, :30] != 255).all()
    assert (second[20:] == 255).all()
    assert (third[:40, :30] == 0).all()
    assert (third[:40, 30:] == 255).all()


def test_the_scale_is_that_of_all_pictures_or_none(tmp_path: Path) -> None:
    for number in (1, 2):
        Image.fromarray(grey(9)).save(tmp_path / f"{number}.png", dpi=(50800, 50800))
    with FolderSlide(tmp_path) as slide:
        assert slide.mpp == pytest.approx(0.5, rel=1e-3)
        with slide.picture(1) as own:
            assert own.mpp == slide.mpp
    Image.fromarray(grey(9)).save(tmp_path / "3.png")
    with (
        FolderSlide(tmp_path) as slide,
        pytest.raises(MissingScaleError, match="same µm per pixel"),
    ):
        slide.mpp  # noqa: B018


def test_the_hash_follows_the_pictures_and_not_their_names(tmp_path: Path) -> None:
    frames = [frame(number) for number in range(3)]
    first = write_frames(tmp_path / "a", frames)
    second = write_frames(tmp_path / "b", frames)
    (second / "frame 3.png").rename(second / "later.png")
    hashes = []
    for folder in (first, second, write_frames(tmp_path / "c", frames[::-1])):
        with open_slide(folder) as slide:
            hashes.append(slide.content_hash)
    assert hashes[0] == hashes[1] != hashes[2]


def test_levels_are_kept_within_a_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write_frames(tmp_path, [np.full((600, 800, 3), n, np.uint8) for n in range(4)])
    decoded: list[int] = []
    real = FolderSlide._frame

    def counted(self: FolderSlide, t: int) -> Any:
        decoded.append(t)
        return real(self, t)

    monkeypatch.setattr(FolderSlide, "_frame", counted)
    memory = ByteCache(8 * 2_000_000)
    with open_slide(folder) as slide:
        slide.use_memory(memory)
        assert len(slide.info.levels) == 2
        with ThreadPoolExecutor(8) as pool:
            tiles = list(pool.map(lambda _n: slide.read(1, 0, 0, 9, 9, Plane(t=3)), range(16)))
        assert all((tile == 3).all() for tile in tiles)
        assert decoded == [3]
        for t in range(3):
            plane(slide, t)
        assert memory.n_bytes <= 2_000_000
        plane(slide, 3)
        assert decoded == [3, 0, 1, 2, 3]


def test_what_is_wrong_with_a_folder_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_frames(tmp_path / "clip", [frame(0), frame(1)])
    whole = (folder / "frame 2.png").read_bytes()
    (folder / "frame 2.png").write_bytes(whole[: len(whole) // 2])
    with open_slide(folder) as slide:
        plane(slide, 0)
        with pytest.raises(SlideError, match=r"frame 2\.png") as told:
            plane(slide, 1)
        assert told.value.hint
    (folder / "frame 2.png").write_bytes(b"nothing")
    with pytest.raises(SlideError, match=r"“frame 2\.png” cannot be read"):
        open_slide(folder)
    (folder / "frame 2.png").unlink()
    monkeypatch.setattr(series, "IN_MEMORY_PX", 100)
    with pytest.raises(SlideError, match="too large to be shown one by one"):
        open_slide(folder)


# -- videos ----------------------------------------------------------------------------------------


def values(slide: Slide, times: list[int]) -> list[int]:
    return [round(float(plane(slide, t).mean())) for t in times]


def test_a_video_is_a_slide_whose_planes_are_its_frames(tmp_path: Path) -> None:
    file = write_video(tmp_path / "clip.mp4", [grey(4 * n) for n in range(60)])
    with open_slide(file) as slide:
        info = slide.info
        assert (info.reader, info.width, info.height, info.size_t) == ("video", 64, 48, 60)
        assert slide.time_s(50) == pytest.approx(2.0)
        order = [0, 1, 2, 59, 58, 57, 30, 31, 11, 12, 13, 45, 3]
        assert values(slide, order) == pytest.approx([4 * t for t in order], abs=1)
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda t: values(slide, [t])[0], range(60)))
        assert found == pytest.approx([4 * t for t in range(60)], abs=1)
    with pytest.raises(SlideError, match="closed"):
        plane(slide, 0)


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.avi", "mpeg4"), ("a.mpg", "mpeg2video"), ("a.mts", "libx264"), ("a.webm", "libvpx-vp9")],
)
def test_frames_are_the_right_ones_where_files_do_not_tell_their_times(
    tmp_path: Path, name: str, codec: str
) -> None:
    frames = [grey(20 + 3 * n) for n in range(60)]
    file = write_video(tmp_path / name, frames, codec=codec)
    with open_slide(file) as slide:
        assert slide.info.size_t == 60
        assert slide.time_s(50) == pytest.approx(2.0, abs=0.01)
        order = [30, 29, 31, 0, 59, 5, 44, *range(60)]
        assert values(slide, order) == pytest.approx([20 + 3 * t for t in order], abs=2)


def test_stepping_back_decodes_a_part_of_a_video_once(tmp_path: Path) -> None:
    file = write_video(tmp_path / "clip.mp4", [grey(4 * n) for n in range(40)], gop=40)
    with open_slide(file) as slide:
        seeks: list[int] = []
        container = slide._container  # type: ignore[attr-defined]

        class Counted:
            def seek(self, time: int, **more: Any) -> None:
                seeks.append(time)
                container.seek(time, **more)

            def __getattr__(self, name: str) -> Any:
                return getattr(container, name)

        slide._container = Counted()  # type: ignore[attr-defined]
        back = list(range(39, 23, -1))
        assert values(slide, back) == pytest.approx([4 * t for t in back], abs=1)
        assert len(seeks) <= 1


def test_a_damaged_video_tells_which_frames_are_missing(tmp_path: Path) -> None:
    pyav()
    noise = np.random.default_rng(0).integers(0, 256, (40, 48, 64, 3), dtype=np.uint8)
    file = write_video(tmp_path / "clip.mp4", noise)
    data = file.read_bytes()
    start, size = len(data) // 2, len(data) // 4
    file.write_bytes(data[:start] + bytes(size) + data[start + size :])
    with open_slide(file) as slide:
        assert slide.info.size_t == 40
        with pytest.raises(SlideError, match=r"Frame \d+ of “clip.mp4” cannot be read") as told:
            values(slide, list(range(40)))
        assert told.value.hint
        assert plane(slide, 0).shape == plane(slide, 39).shape == (48, 64, 3)
    file.write_bytes(data[:start])
    with pytest.raises(SlideError, match="damaged, or of a kind") as told:
        open_slide(file)
    assert str(tmp_path) not in told.value.full_text


def test_what_is_no_video_is_told(tmp_path: Path) -> None:
    pyav()
    (tmp_path / "a.mp4").write_bytes(b"nothing at all")
    with pytest.raises(SlideError, match="damaged, or of a kind"):
        open_slide(tmp_path / "a.mp4")


def test_without_pyav_a_way_on_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a.mp4").write_bytes(b"nothing at all")
    real = builtins.__import__

    def without(name: str, *more: Any, **named: Any) -> Any:
        if name == "av":
            raise ImportError(name)
        return real(name, *more, **named)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(SlideError, match="what reads videos is not installed") as told:
        open_slide(tmp_path / "a.mp4")
    assert "pathoview[video]" in told.value.hint
