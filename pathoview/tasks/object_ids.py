"""Ids that say what an object is: the same slide, run and place give the same id, always."""

from __future__ import annotations

import hashlib
import uuid
from collections import Counter

import numpy as np
import numpy.typing as npt

_NAMESPACE = uuid.UUID("6f2b1d6e-6b0e-5f0b-9d53-0d6c1f0f7a11")
"""Ours, made once; changing it would change every id."""


def id_namespace(slide_hash: str, run_parameters: str) -> uuid.UUID:
    """Return the namespace of one slide's objects found with the same parameters."""
    return uuid.uuid5(_NAMESPACE, f"{slide_hash}/{run_parameters}")


def object_ids(
    namespace: uuid.UUID, centroids_l0: npt.NDArray[np.float64]
) -> npt.NDArray[np.uint8]:
    """Return (n, 16) bytes: ``uuid5(namespace, "x,y")``, x and y in hundredths of a px.

    Objects with the very same centroid (a ring around another) are numbered in their order.
    """
    start = hashlib.sha1(namespace.bytes, usedforsecurity=False)
    seen: Counter[str] = Counter()
    digests = []
    for x, y in np.rint(centroids_l0 * 100).astype(np.int64).tolist():
        name = f"{x},{y}"
        seen[name] += 1
        digest = start.copy()
        digest.update((name if seen[name] == 1 else f"{name},{seen[name]}").encode())
        digests.append(digest.digest()[:16])
    ids = np.frombuffer(bytearray(b"".join(digests)), np.uint8).reshape(-1, 16)
    ids[:, 6] = ids[:, 6] & 0x0F | 0x50  # version 5
    ids[:, 8] = ids[:, 8] & 0x3F | 0x80  # variant of RFC 4122
    return ids
