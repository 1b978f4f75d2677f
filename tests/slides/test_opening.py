"""Which reader takes a file, and the one sentence each bad file gets."""

from __future__ import annotations

import hashlib
import os
import shutil
from pathlib import Path

import numpy as np
import pytest
import tifffile
from makers import he_image, make_ome_tiff, make_plain, make_pyramid_tiff, make_svs

from pathoview.core.errors import SlideError, UsageError
from pathoview.core.paths import resources_folder
from pathoview.slides.opening import open_slide, with_scale


@pytest.mark.parametrize(
    ("make", "name", "reader"),
    [
        (make_svs, "a.svs", "tiff"),
        (make_pyramid_tiff, "a.tif", "tiff"),
        (make_plain, "a.tif", "image"),
        (make_plain, "a.png", "image"),
        (make_plain, "a.jpg", "image"),
        (make_plain, "a.bmp", "image"),
        (make_plain, "a.webp", "image"),
    ],
)
def test_first_reader_that_accepts_takes_the_file(tmp_path: Path, make, name, reader) -> None:
    with open_slide(str(make(tmp_path / name))) as slide:
        assert slide.info.reader == reader
        assert slide.info.is_rgb
        assert slide.read(0, 0, 0, 32, 16).shape == (16, 32, 3)


def test_content_counts_not_the_name(tmp_path: Path) -> None:
    path = make_svs(tmp_path / "a.svs").rename(tmp_path / "renamed.dat")
    with open_slide(path) as slide:
        assert slide.info.vendor == "aperio"


def _missing(path: Path) -> Path:
    return path / "nothing.svs"


def _empty(path: Path) -> Path:
    (path / "empty.svs").touch()
    return path / "empty.svs"


def _text(path: Path) -> Path:
    (path / "text.svs").write_text("This is a letter, not a slide.\n" * 100)
    return path / "text.svs"


def _folder(path: Path) -> Path:
    (path / "folder.svs").mkdir()
    (path / "folder.svs" / "inside.txt").write_text("nothing")
    return path / "folder.svs"


def _index_cut_off(path: Path) -> Path:
    file = make_svs(path / "cut.svs")
    data = bytearray(file.read_bytes())
    data[4:8] = len(data).to_bytes(4, "little")  # the first page's description: past the end
    file.write_bytes(data)
    return file


def _tail_cut_off(path: Path) -> Path:
    file = make_svs(path / "cut.svs")
    os.truncate(file, file.stat().st_size // 3)
    return file


def _png_cut_off(path: Path) -> Path:
    file = make_plain(path / "cut.png")
    os.truncate(file, file.stat().st_size // 2)
    return file


def _jpeg_cut_off(path: Path) -> Path:
    file = make_plain(path / "cut.jpg")
    os.truncate(file, file.stat().st_size // 2)
    return file


def _no_pixels(path: Path) -> Path:
    file = make_plain(path / "zero.tif", np.zeros((1, 1), np.uint8))
    with tifffile.TiffFile(file) as tiff:
        where = tiff.pages[0].tags["ImageLength"].valueoffset
    data = bytearray(file.read_bytes())
    data[where : where + 2] = b"\0\0"
    file.write_bytes(data)
    return file


def _unknown_codec(path: Path) -> Path:
    file = make_pyramid_tiff(path / "odd.tif", compression="zlib", n_levels=1)
    with tifffile.TiffFile(file) as tiff:
        where = tiff.pages[0].tags["Compression"].valueoffset
    data = bytearray(file.read_bytes())
    data[where : where + 2] = (52479).to_bytes(2, "little")
    file.write_bytes(data)
    return file


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (_missing, "There is no file “nothing.svs”."),
        (_empty, "“empty.svs” is empty (0 bytes)."),
        (_text, "“text.svs” is not a slide or picture that can be opened."),
        (_folder, "“folder.svs” is a folder without a DICOM slide and without pictures in it."),
        (_index_cut_off, "“cut.svs” is cut short: a part of the slide is missing."),
        (_tail_cut_off, "“cut.svs” is cut short: a part of the slide is missing."),
        (_png_cut_off, "The picture “cut.png” is damaged or cut short."),
        (_jpeg_cut_off, "The picture “cut.jpg” is damaged or cut short."),
        (_no_pixels, "The picture in the file has no pixels."),
        (_unknown_codec, "“odd.tif” is not a slide or picture that can be opened."),
    ],
)
def test_bad_file_gets_one_clear_sentence(tmp_path: Path, make, sentence: str) -> None:
    with pytest.raises(SlideError) as caught:
        open_slide(make(tmp_path))
    assert str(caught.value) == sentence
    assert caught.value.exit_code == 3
    assert str(tmp_path) not in caught.value.full_text


def test_no_reader_accepts_and_each_says_why(tmp_path: Path) -> None:
    with pytest.raises(SlideError) as caught:
        open_slide(_text(tmp_path))
    assert "TIFF: not a TIFF file" in caught.value.hint
    assert "OpenSlide: not a format that OpenSlide knows" in caught.value.hint
    assert "image: not a PNG, JPEG, BMP, WebP or TIFF picture" in caught.value.hint


def test_no_permission(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = make_svs(tmp_path / "secret.svs")

    def refuse(*_args: object, **_options: object) -> int:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(SlideError, match="You have no permission to read “secret"):
        open_slide(file)


def test_slide_that_opens_and_then_fails_to_read(tmp_path: Path) -> None:
    file = make_svs(tmp_path / "damaged.svs", n_levels=1)
    with tifffile.TiffFile(file) as tiff:
        offset, length = tiff.pages[0].dataoffsets[0], tiff.pages[0].databytecounts[0]
    data = bytearray(file.read_bytes())
    data[offset : offset + length] = bytes(length)
    file.write_bytes(data)
    with open_slide(file) as slide:
        with pytest.raises(SlideError, match="A part of the slide cannot be read"):
            slide.read(0, 0, 0, 100, 100)
        assert slide.read(0, 300, 300, 100, 100).mean() < 250, "the rest is still readable"


def test_real_slide_that_opens_and_then_fails_to_read(shared_data: Path) -> None:
    with (
        open_slide(shared_data / "slides/openslide-python-fixtures/unreadable.svs") as slide,
        pytest.raises(SlideError, match="A part of the slide cannot be read"),
    ):
        slide.read(0, 0, 0, 16, 16)


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "webp", "tif"])
def test_picture_of_one_pixel_opens(tmp_path: Path, suffix: str) -> None:
    file = make_plain(tmp_path / f"one.{suffix}", np.full((1, 1, 3), 77, np.uint8))
    with open_slide(file) as slide:
        assert (slide.info.width, slide.info.height) == (1, 1)
        pixels = slide.read(0, -1, -1, 3, 3)
        assert pixels[1, 1].tolist() == pytest.approx([77] * 3, abs=2)
        assert (pixels[0] == 255).all()


def test_closed_slide_refuses_to_read(tmp_path: Path) -> None:
    for file in (make_svs(tmp_path / "a.svs"), make_plain(tmp_path / "a.png")):
        slide = open_slide(file)
        slide.close()
        with pytest.raises(SlideError, match="closed"):
            slide.read(0, 0, 0, 1, 1)


def test_folder_of_a_dicom_series_opens_as_its_files_do(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "slides/CMU-1-Small-Region-dicom"
    copy = shutil.copytree(folder, tmp_path / "moved")
    hashes = set()
    for path in (folder, copy, *folder.iterdir()):
        with open_slide(path) as slide:
            assert slide.info.vendor == "dicom"
            assert slide.info.mpp == pytest.approx((0.499, 0.499))
            hashes.add(slide.content_hash)
    assert len(hashes) == 1


def test_a_person_states_the_scale(tmp_path: Path) -> None:
    with open_slide(make_plain(tmp_path / "a.png")) as slide:
        assert slide.info.mpp is None
        assert with_scale(slide, 0.25) is slide
        assert (slide.info.mpp, slide.info.mpp_problem) == ((0.25, 0.25), "")
        assert slide.scale_source == "user"
        assert with_scale(slide, (0.5, 0.4)).mpp == pytest.approx(0.45)


@pytest.mark.parametrize("mpp", [0.0, -1.0, 896.0, float("nan"), (0.5, 1e9)])
def test_impossible_scale_is_refused(tmp_path: Path, mpp) -> None:
    with (
        open_slide(make_plain(tmp_path / "a.png")) as slide,
        pytest.raises(UsageError, match="cannot be true"),
    ):
        with_scale(slide, mpp)


def test_label_and_macro_are_read_only_when_asked_for(tmp_path: Path) -> None:
    with open_slide(make_svs(tmp_path / "a.svs")) as slide:
        assert slide.associated_names() == ("label", "macro", "thumbnail")
        assert slide.read_associated("label").shape == (48, 64, 3)
        with pytest.raises(KeyError):
            slide.read_associated("nothing")


def test_ome_tiff_has_no_openslide_behind_it(tmp_path: Path) -> None:
    with open_slide(make_ome_tiff(tmp_path / "a.ome.tif", he_image(300, 200))) as slide:
        assert (slide.info.reader, slide.info.vendor) == ("tiff", "ome")
        assert slide.associated_names() == ()


def test_demo_slide_is_the_one_its_attribution_names() -> None:
    folder = resources_folder() / "demo"
    file = folder / "CMU-1-Small-Region.svs"
    digest = hashlib.sha256(file.read_bytes()).hexdigest()
    assert digest in (folder / "ATTRIBUTION.md").read_text(encoding="utf-8")
    with open_slide(file) as slide:
        assert slide.mpp == pytest.approx(0.499)
        assert slide.info.objective_power == 20
