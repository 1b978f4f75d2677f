"""The hash of a slide's content."""

from __future__ import annotations

import shutil
from pathlib import Path

from makers import he_image, make_plain, make_svs

from pathoview.slides.identity import content_hash

LARGE = 40 << 20


def test_moving_and_renaming_keep_the_hash(tmp_path: Path) -> None:
    file = make_svs(tmp_path / "a.svs")
    before = content_hash(file)
    assert content_hash(Path(shutil.copy(file, tmp_path / "b.tif"))) == before
    assert len(before) == 32
    assert int(before, 16) >= 0


def test_other_pixels_give_another_hash(tmp_path: Path) -> None:
    one = make_plain(tmp_path / "a.png", he_image(64, 64, seed=1))
    other = make_plain(tmp_path / "b.png", he_image(64, 64, seed=2))
    assert content_hash(one) != content_hash(other)


def test_large_files_are_sampled_over_their_whole_length(tmp_path: Path) -> None:
    file = tmp_path / "large.bin"
    data = bytearray(LARGE)
    hashes = set()
    for start in (0, LARGE // 2, LARGE - 1):
        data[start : start + (1 << 20)] = b"x" * min(1 << 20, LARGE - start)
        file.write_bytes(data)
        hashes.add(content_hash(file))
    file.write_bytes(data + b"\0")
    hashes.add(content_hash(file))
    assert len(hashes) == 4


def test_mrxs_counts_with_the_index_of_its_folder(tmp_path: Path) -> None:
    file = tmp_path / "a.mrxs"
    file.write_bytes(b"the same small picture")
    alone = content_hash(file)
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "Slidedat.ini").write_text("SLIDE_ID = 1")
    assert content_hash(file) != alone
