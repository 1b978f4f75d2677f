from __future__ import annotations

from pathlib import Path

import pytest
from clips import frame, write_frames
from makers import make_plain, make_svs

from pathoview.core.errors import SlideError
from pathoview.slides.finding import find_moved, has_only_pictures, look_at, slide_files
from pathoview.slides.series import identity


def test_folders_are_searched_deep_down_and_previews_beside_slides_left_out(tmp_path: Path) -> None:
    for name in (
        "b/two.ndpi",
        "b/two.png",
        "one.svs",
        "one.jpg",
        ".hidden/x.svs",
        "c/p.png",
        "t.txt",
    ):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.touch()
    found = [path.relative_to(tmp_path).as_posix() for path in slide_files([tmp_path])]
    assert found == ["one.svs", "b/two.ndpi", "c/p.png"]


def test_a_file_that_is_named_is_taken_whatever_it_is(tmp_path: Path) -> None:
    assert list(slide_files([tmp_path / "t.txt"])) == [tmp_path / "t.txt"]


def test_a_clip_that_was_moved_is_found_by_its_pictures(tmp_path: Path) -> None:
    clip = write_frames(tmp_path / "before" / "exam", [frame(1), frame(2)])
    key = identity(clip)
    moved = clip.rename(tmp_path / "elsewhere")
    assert key not in [found[0] for found in find_moved([tmp_path], ["0" * 32]) if found]
    assert [found for found in find_moved([tmp_path], [key]) if found] == [(key, moved)]


def test_a_folder_with_one_slide_in_it_has_not_only_pictures(tmp_path: Path) -> None:
    write_frames(tmp_path / "exam", [frame(1)])
    (tmp_path / "film.mp4").touch()
    assert has_only_pictures(tmp_path)
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "one.svs").touch()
    assert not has_only_pictures(tmp_path)


def test_looking_at_a_slide_gives_size_scale_and_hash(tmp_path: Path) -> None:
    found = look_at(make_svs(tmp_path / "a.svs"))
    assert (found.size_l0, found.mpp) == ((1024, 768), (0.5, 0.5))
    assert found.pseudonym == f"slide-{found.content_hash[:8]}"
    with pytest.raises(SlideError):
        look_at(tmp_path / "nowhere.svs")
    assert look_at(make_plain(tmp_path / "p.png")).mpp is None
