"""TIFF and OME-TIFF read directly: codecs, colours, orientation, planes, threads."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import openslide
import pytest
import tifffile
from makers import he_image, make_ome_tiff, make_pyramid_tiff, make_svs

from pathoview.core.byte_cache import ByteCache
from pathoview.core.errors import SlideError
from pathoview.core.pyramid import Plane
from pathoview.slides.opening import open_slide
from pathoview.slides.slide import Slide
from pathoview.slides.tiff_layout import Stack
from pathoview.slides.tiff_opening import open_tiff, open_tiff_alone
from pathoview.slides.tile_cache import DecodedTiles

IMAGE = he_image(700, 500)


def whole(slide: Slide, level: int = 0, plane: Plane = Plane()) -> np.ndarray:
    lv = slide.info.levels[level]
    return slide.read(level, 0, 0, lv.width, lv.height, plane)


LOSSLESS = ["none", "lzw", "zlib", "zstd", "lzma", "packbits", "webp", "jpeg2000", "png"]


@pytest.mark.parametrize("codec", LOSSLESS)
def test_every_lossless_codec_gives_the_stored_pixels(tmp_path: Path, codec: str) -> None:
    options = {"compressionargs": {"lossless": True}} if codec == "webp" else {}
    file = make_pyramid_tiff(tmp_path / "a.tif", IMAGE, compression=codec, **options)
    with open_tiff(file) as slide:
        assert np.array_equal(whole(slide), IMAGE)
        assert [lv.downsample for lv in slide.info.levels] == [1, 2, 4]


@pytest.mark.parametrize("codec", ["lzw", "zlib", "zstd"])
@pytest.mark.parametrize("dtype", ["uint8", "uint16", "float32"])
@pytest.mark.parametrize("byteorder", ["<", ">"])
def test_predictors_depths_and_byte_orders(
    tmp_path: Path, codec: str, dtype: str, byteorder: str
) -> None:
    stored = IMAGE[..., 1].astype(dtype) * 3
    with tifffile.TiffWriter(tmp_path / "a.tif", byteorder=byteorder) as tiff:
        tiff.write(stored, tile=(128, 128), compression=codec, predictor=True)
    with open_tiff(tmp_path / "a.tif") as slide:
        assert (slide.info.dtype, slide.info.is_rgb) == (dtype, False)
        assert np.array_equal(whole(slide)[..., 0], stored)


@pytest.mark.parametrize("make", [make_svs, make_pyramid_tiff])
def test_jpeg_equals_openslide_exactly(tmp_path: Path, make) -> None:
    file = make(tmp_path / "a.tif", IMAGE)
    with open_tiff(file) as slide, openslide.OpenSlide(file) as truth:
        for level, lv in enumerate(slide.info.levels):
            wanted = np.asarray(truth.read_region((0, 0), level, (lv.width, lv.height)))
            assert np.array_equal(whole(slide, level), wanted[..., :3])


def test_aperio_jpeg_2000_equals_openslide(tmp_path: Path) -> None:
    description = "Aperio Image Library v11\r\n700x500 (256x256) J2K|AppMag = 20|MPP = 0.5"
    with tifffile.TiffWriter(tmp_path / "a.svs") as tiff:
        tiff.write(
            IMAGE,
            tile=(256, 256),
            compression="APERIO_JP2000_RGB",
            description=description,
            metadata=None,
            photometric="rgb",
        )
    with open_tiff(tmp_path / "a.svs") as slide:
        assert slide.info.vendor == "aperio"
        wanted = slide._arbiter.read(0, 0, 0, 700, 500)
        assert np.array_equal(whole(slide), wanted)


def test_rectangles_across_tiles_and_edges(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    padded = np.pad(IMAGE, ((300, 300), (300, 300), (0, 0)), constant_values=255)
    with open_tiff(make_pyramid_tiff(tmp_path / "a.tif", IMAGE, compression="zlib")) as slide:
        for _trial in range(60):
            x, y = int(rng.integers(-300, 750)), int(rng.integers(-300, 550))
            width, height = (int(n) for n in rng.integers(1, 250, 2))
            wanted = padded[300 + y : 300 + y + height, 300 + x : 300 + x + width]
            assert np.array_equal(slide.read(0, x, y, width, height), wanted)


def test_what_a_reader_gets_is_its_own(tmp_path: Path) -> None:
    with open_tiff(make_pyramid_tiff(tmp_path / "a.tif", IMAGE, compression="zlib")) as slide:
        slide.read(0, 0, 0, 256, 256)[:] = 0
        assert np.array_equal(slide.read(0, 0, 0, 256, 256), IMAGE[:256, :256])


@pytest.mark.parametrize("code", range(1, 9))
def test_orientation_is_applied_as_the_tag_says(tmp_path: Path, code: int) -> None:
    """The stored picture is made so that it must look upright once the tag is obeyed."""
    as_stored = {
        1: lambda a: a,
        2: np.fliplr,
        3: lambda a: np.rot90(a, 2),
        4: np.flipud,
        5: lambda a: a.swapaxes(0, 1),
        6: lambda a: np.rot90(a, 1),
        7: lambda a: np.rot90(a, 2).swapaxes(0, 1),
        8: lambda a: np.rot90(a, -1),
    }[code](IMAGE)
    file = make_pyramid_tiff(
        tmp_path / "a.tif",
        np.ascontiguousarray(as_stored),
        compression="zlib",
        n_levels=2,
        extratags=[(274, "H", 1, code, True)],
    )
    with open_tiff(file) as slide:
        assert (slide.info.width, slide.info.height) == (700, 500)
        assert np.array_equal(whole(slide), IMAGE)
        assert np.array_equal(slide.read(0, 301, 99, 57, 31), IMAGE[99:130, 301:358])
        assert np.array_equal(slide.read(0, 690, -5, 20, 10)[5:, :10], IMAGE[:5, 690:])
        assert (slide.info.levels[1].width, slide.info.levels[1].height) == (350, 250)


def test_orientation_turns_the_scale_too(tmp_path: Path) -> None:
    tifffile.imwrite(
        tmp_path / "a.tif",
        IMAGE,
        tile=(128, 128),
        resolution=(20000, 40000),
        resolutionunit="CENTIMETER",
        metadata=None,
        extratags=[(274, "H", 1, 6, True)],
    )
    with open_tiff(tmp_path / "a.tif") as slide:
        assert slide.info.mpp == pytest.approx((0.25, 0.5))


def test_real_orientations_all_look_alike(shared_data: Path) -> None:
    pictures = []
    for code in range(9):
        with open_slide(shared_data / f"slides/large_image/test_orient{code}.tif") as slide:
            pictures.append(whole(slide))
            assert len(slide.info.levels) == 3
    stored = pictures[1][..., 0]
    assert np.array_equal(pictures[0][..., 0], stored), "0 is no orientation: taken as upright"
    assert np.array_equal(pictures[3][..., 0], np.rot90(stored, 2))
    assert np.array_equal(pictures[6][..., 0], np.rot90(stored, -1))
    assert np.array_equal(pictures[8][..., 0], np.rot90(stored, 1))


@pytest.mark.parametrize("kind", ["unassalpha", "assocalpha"])
def test_alpha_is_composed_on_white(tmp_path: Path, kind: str) -> None:
    rgba = np.dstack([IMAGE, np.full(IMAGE.shape[:2], 255, np.uint8)])
    rgba[:100] = 0
    file = tmp_path / "a.tif"
    tifffile.imwrite(file, rgba, tile=(128, 128), photometric="rgb", extrasamples=[kind])
    with open_tiff_alone(file) as slide:
        pixels = whole(slide)
    assert (pixels[:100] == 255).all()
    assert np.array_equal(pixels[100:], IMAGE[100:])


def test_tiled_cmyk_and_white_is_zero(tmp_path: Path) -> None:
    inks = np.zeros((64, 64, 4), np.uint8)
    inks[..., 3] = 100
    tifffile.imwrite(tmp_path / "k.tif", inks, tile=(64, 64), photometric="separated")
    with open_tiff_alone(tmp_path / "k.tif") as slide:
        assert whole(slide)[0, 0].tolist() == [155, 155, 155]
    tifffile.imwrite(tmp_path / "w.tif", inks[..., 3], tile=(64, 64), photometric="miniswhite")
    with open_tiff_alone(tmp_path / "w.tif") as slide:
        assert whole(slide)[0, 0].tolist() == [155]


def test_separate_sample_planes(tmp_path: Path) -> None:
    file = tmp_path / "a.tif"
    planar = np.ascontiguousarray(IMAGE.transpose(2, 0, 1))
    options = {"photometric": "rgb", "planarconfig": "separate", "compression": "zlib"}
    tifffile.imwrite(file, planar, tile=(128, 128), **options)
    with open_tiff_alone(file) as slide:
        assert slide.info.is_rgb
        assert np.array_equal(whole(slide), IMAGE)


def test_tiles_never_written_are_glass(tmp_path: Path) -> None:
    file = make_ome_tiff(tmp_path / "a.ome.tif", IMAGE, n_levels=1)
    with tifffile.TiffFile(file) as tiff:
        where = tiff.pages[0].tags["TileByteCounts"].valueoffset
    data = bytearray(file.read_bytes())
    data[where : where + 2] = b"\0\0"
    file.write_bytes(data)
    with open_tiff(file) as slide:
        assert (slide.read(0, 0, 0, 128, 128) == 255).all()
        assert np.array_equal(slide.read(0, 300, 300, 100, 100), IMAGE[300:400, 300:400])


STACK = np.arange(2 * 3 * 4 * 150 * 200, dtype=np.uint16).reshape(2, 3, 4, 150, 200) * 7
"""t, z, c, y, x"""


@pytest.mark.parametrize("tile_px", [64, None])
@pytest.mark.parametrize("compression", ["zlib", None])
def test_planes_of_an_ome_stack(tmp_path: Path, tile_px: int | None, compression) -> None:
    file = tmp_path / "a.ome.tif"
    names = {"axes": "TZCYX", "Channel": {"Name": ["DAPI", "CK", "CD3", "CD8"]}}
    tile = {"tile": (tile_px, tile_px)} if tile_px else {}
    tifffile.imwrite(file, STACK, ome=True, metadata=names, compression=compression, **tile)
    with open_slide(file) as slide:
        info = slide.info
        assert (info.size_t, info.size_z, info.dtype, info.is_rgb) == (2, 3, "uint16", False)
        assert [channel.name for channel in info.channels] == ["DAPI", "CK", "CD3", "CD8"]
        for t, z in ((0, 0), (1, 2), (1, 0)):
            assert np.array_equal(whole(slide, 0, Plane(z, t)), np.moveaxis(STACK[t, z], 0, -1))
            one = slide.read(0, 50, 60, 70, 80, Plane(z, t, 2))
            assert np.array_equal(one[..., 0], STACK[t, z, 2, 60:140, 50:120])
        assert (slide.read(0, 190, 0, 20, 5)[:, 10:] == 0).all()
        for plane in (Plane(z=3), Plane(t=2)):
            with pytest.raises(SlideError, match="no such plane"):
                slide.read(0, 0, 0, 1, 1, plane)


def test_imagej_stack_and_its_unit(tmp_path: Path) -> None:
    file = tmp_path / "a.tif"
    stored = STACK[0].copy()
    facts = {"axes": "ZCYX", "unit": "um"}
    tifffile.imwrite(file, stored, imagej=True, resolution=(4.0, 4.0), metadata=facts)
    with open_slide(file) as slide:
        assert (slide.info.size_z, len(slide.info.channels)) == (3, 4)
        assert slide.info.mpp == pytest.approx((0.25, 0.25))
        assert np.array_equal(whole(slide, 0, Plane(z=2, c=3))[..., 0], stored[2, 3])


def test_pages_of_a_plain_stack_are_focus_planes(tmp_path: Path) -> None:
    stored = np.ascontiguousarray(np.stack([IMAGE, 255 - IMAGE]))
    with tifffile.TiffWriter(tmp_path / "a.tif") as tiff:
        for page in stored:
            tiff.write(page, photometric="rgb", metadata=None)
    with open_slide(tmp_path / "a.tif") as slide:
        assert (slide.info.size_z, slide.info.is_rgb) == (2, True)
        assert np.array_equal(whole(slide, 0, Plane(z=1)), stored[1])


@pytest.mark.parametrize(
    ("size", "unit", "mpp"),
    [
        (0.25, "µm", 0.25),
        (250, "nm", 0.25),
        (0.00025, "mm", 0.25),
        (896, "µm", None),
        (1, "pixel", None),
    ],
)
def test_ome_units(tmp_path: Path, size: float, unit: str, mpp: float | None) -> None:
    file = make_ome_tiff(tmp_path / "a.ome.tif", IMAGE, mpp=size, unit=unit)
    with open_tiff(file) as slide:
        assert slide.info.mpp == (None if mpp is None else pytest.approx((mpp, mpp)))
        assert bool(slide.info.mpp_problem) == (mpp is None)


def test_ome_levels_and_channel_colors(tmp_path: Path) -> None:
    file = make_ome_tiff(tmp_path / "a.ome.tif", STACK[0, 0, :2], "CYX", n_levels=2)
    green = int.from_bytes(bytes((0, 255, 0, 255)), "big", signed=True)
    second = '<Channel ID="Channel:0:1"'
    xml = tifffile.tiffcomment(file).replace(second, f'{second} Color="{green}"')
    tifffile.tiffcomment(file, xml.encode())
    with open_tiff(file) as slide:
        assert [lv.downsample for lv in slide.info.levels] == [1, 2]
        assert slide.info.channels[1].color == (0, 255, 0)
        assert np.array_equal(whole(slide, 1)[..., 0], STACK[0, 0, 0, ::2, ::2])


def test_pages_that_lead_in_a_circle_end(tmp_path: Path) -> None:
    file = make_ome_tiff(tmp_path / "a.ome.tif", STACK[0, 0], "CYX", n_levels=1)
    with tifffile.TiffFile(file) as tiff:
        first = tiff.pages[0].offset
        n_tags = len(tiff.pages[0].tags)
    data = bytearray(file.read_bytes())
    next_page = first + 2 + 12 * n_tags
    data[next_page : next_page + 4] = first.to_bytes(4, "little")
    file.write_bytes(data)
    with pytest.raises(SlideError):
        open_slide(file)


def test_level_openslide_alone_understands_is_read_by_openslide(tmp_path: Path) -> None:
    file = make_svs(tmp_path / "a.svs", IMAGE)
    with open_tiff(file) as slide:
        slide._stack = Stack((slide._stack.levels[0], ()), slide._stack.ink)
        wanted = slide._arbiter.read(1, 40, 50, 60, 70)
        assert np.array_equal(slide.read(1, 40, 50, 60, 70), wanted)


def test_many_threads_read_the_same_pixels(tmp_path: Path) -> None:
    with open_tiff(make_pyramid_tiff(tmp_path / "a.tif", IMAGE, compression="zlib")) as slide:

        def is_equal(seed: int) -> bool:
            x, y = (int(n) for n in np.random.default_rng(seed).integers(0, 400, 2))
            return np.array_equal(slide.read(0, x, y, 99, 90), IMAGE[y : y + 90, x : x + 99])

        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(is_equal, range(200)))


def test_closing_while_threads_read_harms_nobody(tmp_path: Path) -> None:
    slide = open_tiff(make_svs(tmp_path / "a.svs", IMAGE))
    started = threading.Event()

    def read(x: int) -> str:
        started.set()
        try:
            slide.read(0, x, 0, 300, 300)
        except SlideError as error:
            return str(error)
        return ""

    with ThreadPoolExecutor(4) as pool:
        said = pool.map(read, range(100))
        started.wait()
        slide.close()
        assert set(said) <= {"", "The slide is closed."}


def test_decoded_tiles_move_to_a_shared_memory_and_leave_it_with_the_slide(tmp_path: Path) -> None:
    memory = ByteCache(100 << 20)
    with open_tiff(make_svs(tmp_path / "a.svs", IMAGE)) as slide:
        slide.use_memory(memory)
        before = memory.n_bytes
        slide.read(0, 10, 10, 100, 100)
        assert memory.n_bytes > before
    assert memory.n_bytes == 0


def test_memory_of_decoded_tiles_is_bounded() -> None:
    tiles = DecodedTiles(max_bytes=1000)
    for key in range(30):
        tiles.put(key, np.zeros((10, 10, 1), np.uint8))
    assert [key for key in range(30) if tiles.get(key) is not None] == list(range(20, 30))
    tiles.put("too large", np.zeros(2000, np.uint8))
    assert tiles.get("too large") is None
