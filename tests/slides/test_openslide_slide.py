"""What OpenSlide reads, seen through our interface."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import openslide
import pytest
import tifffile
from makers import make_svs

from pathoview.core.byte_cache import ByteCache
from pathoview.core.errors import SlideError
from pathoview.core.pyramid import Plane
from pathoview.slides.opening import open_slide
from pathoview.slides.openslide_slide import OpenSlideSlide
from pathoview.slides.refusal import Refused


def test_facts_of_an_aperio_slide(tmp_path: Path) -> None:
    with OpenSlideSlide(make_svs(tmp_path / "a.svs")) as slide:
        info = slide.info
    assert (info.reader, info.vendor, info.dtype, info.is_rgb) == (
        "openslide",
        "aperio",
        "uint8",
        True,
    )
    assert (info.width, info.height, info.native_tile_px) == (1024, 768, 240)
    assert [lv.downsample for lv in info.levels] == [1.0, 2.0]
    assert (info.mpp, info.objective_power) == ((0.5, 0.5), 20.0)
    assert info.properties["aperio.AppMag"] == "20"


def test_missing_and_impossible_scales_are_problems(tmp_path: Path) -> None:
    with OpenSlideSlide(make_svs(tmp_path / "a.svs", mpp=None)) as slide:
        assert slide.info.mpp is None
        assert slide.info.mpp_problem == "The file states no µm per pixel."
    with OpenSlideSlide(make_svs(tmp_path / "b.svs", mpp=896.0)) as slide:
        assert slide.info.mpp is None
        assert "896 × 896 µm per pixel, which cannot be true" in slide.info.mpp_problem


def test_beyond_the_edge_is_white(tmp_path: Path) -> None:
    with OpenSlideSlide(make_svs(tmp_path / "a.svs")) as slide:
        pixels = slide.read(0, 1000, -8, 50, 20)
        assert (pixels[:8] == 255).all()
        assert (pixels[:, 24:] == 255).all()
        assert np.array_equal(pixels[8:, :24], slide.read(0, 1000, 0, 24, 12))


def test_one_channel_and_no_other_planes(tmp_path: Path) -> None:
    with OpenSlideSlide(make_svs(tmp_path / "a.svs")) as slide:
        rgb = slide.read(0, 0, 0, 10, 10)
        assert np.array_equal(slide.read(0, 0, 0, 10, 10, Plane(c=2)), rgb[..., 2:])
        with pytest.raises(SlideError, match="one plane only"):
            slide.read(0, 0, 0, 1, 1, Plane(t=1))


def test_other_files_are_refused(tmp_path: Path) -> None:
    (tmp_path / "a.svs").write_text("no slide")
    with pytest.raises(Refused, match="not a format that OpenSlide knows"):
        OpenSlideSlide(tmp_path / "a.svs")


def test_tiles_of_impossible_size_are_refused_before_openslide_aborts(tmp_path: Path) -> None:
    file = make_svs(tmp_path / "a.svs")
    with tifffile.TiffFile(file) as tiff:
        tag = tiff.pages[0].tags["TileWidth"]
    data = bytearray(file.read_bytes())
    data[tag.offset + 2 : tag.offset + 4] = b"\x04\0"  # a 32-bit number
    data[tag.valueoffset : tag.valueoffset + 4] = (1 << 30).to_bytes(4, "little")
    file.write_bytes(data)
    with pytest.raises(Refused, match="tiles of impossible size"):
        OpenSlideSlide(file)
    with pytest.raises(SlideError):
        open_slide(file)


def test_after_a_failed_read_the_rest_is_still_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    slide = OpenSlideSlide(make_svs(tmp_path / "a.svs"))
    true_read = openslide.OpenSlide.read_region
    broken = slide._handle

    def fail_for_good(handle: openslide.OpenSlide, *args: object) -> object:
        if handle is broken:
            raise openslide.OpenSlideError("bad tile")
        return true_read(handle, *args)

    monkeypatch.setattr(openslide.OpenSlide, "read_region", fail_for_good)
    with pytest.raises(SlideError, match="A part of the slide cannot be read"):
        slide.read(0, 0, 0, 10, 10)
    assert slide.read(0, 0, 0, 10, 10).shape == (10, 10, 3)


def test_its_own_cache_counts_to_a_shared_memory_until_it_is_closed(tmp_path: Path) -> None:
    memory = ByteCache(64 << 20)
    with OpenSlideSlide(make_svs(tmp_path / "a.svs")) as slide:
        slide.use_memory(memory)
        assert memory.n_bytes == 2 << 20
        assert slide.read(0, 0, 0, 100, 100).shape == (100, 100, 3)
    assert memory.n_bytes == 0


def test_threads_read_while_the_slide_is_closed(tmp_path: Path) -> None:
    slide = OpenSlideSlide(make_svs(tmp_path / "a.svs"))

    def read(x: int) -> bool:
        try:
            return slide.read(0, x, 0, 200, 200).shape == (200, 200, 3)
        except SlideError:
            return True

    with ThreadPoolExecutor(4) as pool:
        done = pool.map(read, range(200))
        slide.close()
        assert all(done)
