"""The state of a training on disk, so that one that was killed goes on where it was.

One safetensors file: tensors by name, and in its header a JSON record. It is written whole or not
at all; what cannot be read, or belongs to another training, counts as none.
"""

from __future__ import annotations

import glob
import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import safetensors
import safetensors.numpy

from pathoview.core.files import replacing, storage_error
from pathoview.methods.model import Tensors, weights_hash

_VERSION = "1"

_logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class State:
    """What a training needs to go on to the same result."""

    key: str
    """Equal for the same plan, data, network and seed; a state of another key is not gone on
    from."""
    record: Mapping[str, Any]
    """JSON-able: where it is, and what was measured."""
    arrays: Tensors


def state_file(path: Path, stage: str) -> Path:
    """Return where a stage of a training keeps its state."""
    return path.with_name(f"{path.name}.{stage}") if stage else path


def write_state(path: Path, state: State) -> None:
    """Write a state whole or not at all; raise `StorageError`."""
    header = {
        "version": _VERSION,
        "key": state.key,
        "record": json.dumps(state.record),
        "hash": weights_hash(state.arrays),
    }
    data = safetensors.numpy.save(dict(state.arrays), metadata=header)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise storage_error(path, error) from error
    with replacing(path) as file:
        file.write(data)


def read_state(path: Path, key: str) -> State | None:
    """Return the state of a training; None (and a line in the log) when there is none of it."""
    if not path.exists():
        return None
    try:
        with safetensors.safe_open(path, framework="np") as file:
            header = file.metadata() or {}
        if header.get("version") != _VERSION or header.get("key") != key:
            _logger.info("%s is the state of another training and is not used", path.name)
            return None
        arrays = safetensors.numpy.load_file(path)
        if weights_hash(arrays) != header["hash"]:
            raise ValueError("its tensors are not those that were written")
        return State(key, json.loads(header["record"]), arrays)
    except (OSError, KeyError, ValueError, safetensors.SafetensorError) as error:
        _logger.warning("the training's state %s is damaged and is not used: %s", path.name, error)
        return None


def forget_states(path: Path) -> None:
    """Remove the states of all stages of a training, once its model is safe."""
    name = glob.escape(path.name)
    of_stages, half_written = f"{name}.*", f".{name}*.part"
    for file in (path, *path.parent.glob(of_stages), *path.parent.glob(half_written)):
        file.unlink(missing_ok=True)
