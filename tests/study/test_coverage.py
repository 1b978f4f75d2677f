from __future__ import annotations

import numpy as np
import pytest

from pathoview.core.errors import StorageError
from pathoview.core.paths import data_folder
from pathoview.study.coverage import code_of, keep_coverage, kept_coverage

CODES = np.arange(48, dtype=np.uint8).reshape(6, 8)


def test_what_was_seen_comes_back_by_the_content_of_the_slide() -> None:
    keep_coverage("aa", CODES)
    np.testing.assert_array_equal(kept_coverage("aa", (6, 8)), CODES)
    assert not kept_coverage("bb", (6, 8)).any()


def test_stronger_magnifications_have_larger_codes() -> None:
    codes = [code_of(power) for power in (0.01, 1.25, 2.5, 5, 10, 20, 40, 500)]
    assert codes == sorted(codes)
    assert codes[0] == 1
    assert code_of(9.999) == code_of(10)
    assert code_of(9.5) < code_of(10)


@pytest.mark.parametrize("broken", [b"", b"no picture"])
def test_a_file_that_cannot_be_understood_is_put_aside(broken: bytes) -> None:
    keep_coverage("aa", CODES)
    path = data_folder() / "coverage" / "aa.png"
    path.write_bytes(broken)
    assert not kept_coverage("aa", (6, 8)).any()
    assert path.with_name("aa.png.broken").read_bytes() == broken
    keep_coverage("aa", CODES)
    assert not kept_coverage("aa", (7, 8)).any()
    assert not path.exists()


def test_what_cannot_be_read_or_written_is_told() -> None:
    (data_folder() / "coverage" / "aa.png").mkdir(parents=True)
    with pytest.raises(StorageError):
        kept_coverage("aa", (6, 8))
    with pytest.raises(StorageError):
        keep_coverage("aa", CODES)
