from __future__ import annotations

from pathlib import Path

import pytest
from makers import make_plain, make_svs

from pathoview.core.errors import SlideError
from pathoview.slides.finding import look_at, slide_files


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


def test_looking_at_a_slide_gives_size_scale_and_hash(tmp_path: Path) -> None:
    found = look_at(make_svs(tmp_path / "a.svs"))
    assert (found.size_l0, found.mpp) == ((1024, 768), (0.5, 0.5))
    assert found.pseudonym == f"slide-{found.content_hash[:8]}"
    with pytest.raises(SlideError):
        look_at(tmp_path / "nowhere.svs")
    assert look_at(make_plain(tmp_path / "p.png")).mpp is None
