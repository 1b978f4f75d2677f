from __future__ import annotations

import pytest

from pathoview.core.errors import StorageError
from pathoview.core.paths import data_folder
from pathoview.study.bookmarks import Bookmark, keep_bookmarks, kept_bookmarks

ONE = Bookmark(name="Mitosis", x_l0=10.5, y_l0=20, scale=0.5)
TWO = Bookmark(name="Grenze ß", x_l0=1, y_l0=2, scale=2, rotation=30, is_flipped=True)


def test_bookmarks_come_back_in_their_order_by_the_content_of_the_slide() -> None:
    keep_bookmarks("aa", (TWO, ONE))
    keep_bookmarks("bb", (ONE,))
    assert kept_bookmarks("aa") == (TWO, ONE)
    assert kept_bookmarks("bb") == (ONE,)
    assert kept_bookmarks("cc") == ()
    keep_bookmarks("aa", ())
    assert kept_bookmarks("aa") == ()


@pytest.mark.parametrize(
    "text", ["", "[", "[]", '{"version": 9}', '{"bookmarks": [{"name": "a"}]}', "\0"]
)
def test_a_file_that_cannot_be_understood_is_put_aside(
    text: str, caplog: pytest.LogCaptureFixture
) -> None:
    keep_bookmarks("aa", (ONE,))
    path = data_folder() / "bookmarks" / "aa.json"
    path.write_text(text)
    assert kept_bookmarks("aa") == ()
    assert path.with_name("aa.json.broken").read_text() == text
    assert caplog.records
    keep_bookmarks("aa", (TWO,))
    assert kept_bookmarks("aa") == (TWO,)
    assert path.with_name("aa.json.broken").read_text() == text


def test_what_cannot_be_read_or_written_is_told() -> None:
    folder = data_folder() / "bookmarks"
    (folder / "aa.json").mkdir(parents=True)
    with pytest.raises(StorageError):
        kept_bookmarks("aa")
    with pytest.raises(StorageError):
        keep_bookmarks("aa", (ONE,))
