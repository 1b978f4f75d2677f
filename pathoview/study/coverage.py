"""What a person has looked at of a slide, and how closely; one file a slide, by its content."""

from __future__ import annotations

import logging
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from pathoview.core.errors import StorageError
from pathoview.core.files import replacing, storage_error
from pathoview.core.paths import data_folder
from pathoview.core.translation import _

log = logging.getLogger(__name__)

Codes = npt.NDArray[np.uint8]
"""(rows, columns) of cells of the slide; 0: not seen, else the strongest magnification times 4."""
STEPS_PER_POWER = 4


def code_of(magnification: float) -> int:
    """Return what stands for a magnification in a cell."""
    return min(255, max(1, round(STEPS_PER_POWER * magnification)))


def keep_coverage(slide_hash: str, codes: Codes) -> None:
    """Write what was seen of a slide; raise `StorageError` when that fails."""
    path = _path(slide_hash)
    try:
        path.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise storage_error(path, error) from error
    _is_done, data = cv2.imencode(".png", codes)
    with replacing(path) as file:
        file.write(data.tobytes())


def kept_coverage(slide_hash: str, shape: tuple[int, int]) -> Codes:
    """Return what was seen of a slide, nothing if there is no file.

    A file that cannot be understood is put aside, never overwritten. Raises `StorageError` when
    there is one that cannot be read now.
    """
    path = _path(slide_hash)
    try:
        data = np.fromfile(path, np.uint8)
    except FileNotFoundError:
        return np.zeros(shape, np.uint8)
    except OSError as error:
        raise StorageError(
            _("What was seen of this slide could not be read: {why}.").format(
                why=error.strerror or type(error).__name__
            ),
            _("Open the slide again to go on."),
        ) from error
    codes = cv2.imdecode(data, cv2.IMREAD_UNCHANGED) if len(data) else None
    if codes is not None and codes.shape == shape and codes.dtype == np.uint8:
        return np.asarray(codes, np.uint8)
    log.warning("what was seen of a slide cannot be understood and is put aside")
    try:
        path.replace(path.with_name(path.name + ".broken"))
    except OSError as error:
        raise storage_error(path, error) from error
    return np.zeros(shape, np.uint8)


def _path(slide_hash: str) -> Path:
    return data_folder() / "coverage" / f"{slide_hash}.png"
