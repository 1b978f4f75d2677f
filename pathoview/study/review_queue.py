"""Places that wait for a person's verdict, and at which one was; one file a slide."""

from __future__ import annotations

import logging
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from pathoview.core.errors import StorageError
from pathoview.core.files import replacing, storage_error
from pathoview.core.paths import data_folder

log = logging.getLogger(__name__)

Reason = Literal["confidence", "disagreement", "map"]
"""Why places are asked about: a run is not sure of an object, two runs do not agree on one, or the
likeliest classes of a map are close."""


class ReviewPlace(BaseModel):
    """One question."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    x_l0: float
    y_l0: float
    run_id: str
    object_id: str
    """Hexadecimal id of the detection; of a map, an id made for the place."""
    value: float
    """How sure the run is of the object, 0–1 (0: it does not say); of a map, the doubt there."""
    class_name: str = ""
    """Of a map: its likeliest class there."""


class ReviewQueue(BaseModel):
    """Questions of one kind, the most doubtful first."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    reason: Reason = "confidence"
    places: tuple[ReviewPlace, ...] = ()
    index: int = 0
    """At which place one was."""


def keep_queue(slide_hash: str, queue: ReviewQueue) -> None:
    """Write the queue of a slide; raise `StorageError` when that fails."""
    path = data_folder() / "review" / f"{slide_hash}.json"
    try:
        path.parent.mkdir(exist_ok=True)
    except OSError as error:
        raise storage_error(path, error) from error
    with replacing(path) as file:
        file.write(queue.model_dump_json().encode())


def kept_queue(slide_hash: str) -> ReviewQueue:
    """Return the queue of a slide; an empty one if there is none that can be understood.

    Raises `StorageError` when there is a file that cannot be read.
    """
    path = data_folder() / "review" / f"{slide_hash}.json"
    try:
        return ReviewQueue.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        pass
    except ValidationError:
        log.warning("what was to be reviewed cannot be understood: it is found anew when asked for")
    except OSError as error:
        raise StorageError(str(error.strerror or type(error).__name__)) from error
    return ReviewQueue()
