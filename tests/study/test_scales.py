from __future__ import annotations

import pytest

from pathoview.core.errors import StorageError
from pathoview.core.paths import data_folder
from pathoview.study.scales import remember_scale, remembered_scale


def test_a_scale_is_remembered_by_the_content_of_the_slide() -> None:
    remember_scale("aa", (0.25, 0.5))
    remember_scale("bb", (1.0, 1.0))
    remember_scale("aa", (0.25, 0.26))
    assert remembered_scale("aa") == (0.25, 0.26)
    assert remembered_scale("bb") == (1.0, 1.0)
    assert remembered_scale("cc") is None


@pytest.mark.parametrize("text", ["", "{", "[1, 2]", "\0\0", '{"aa": 5}', '{"aa": [0, -1]}'])
def test_a_broken_file_is_taken_as_empty_and_replaced(
    text: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = data_folder() / "scales.json"
    path.write_text(text)
    assert remembered_scale("aa") is None
    remember_scale("bb", (0.5, 0.5))
    assert remembered_scale("bb") == (0.5, 0.5)
    assert bool(caplog.records) == (text not in ('{"aa": 5}', '{"aa": [0, -1]}'))


def test_a_file_that_cannot_be_read_is_taken_as_empty() -> None:
    (data_folder() / "scales.json").mkdir()
    assert remembered_scale("aa") is None
    with pytest.raises(StorageError):
        remember_scale("aa", (1.0, 1.0))
