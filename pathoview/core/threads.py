"""Work is spread over tiles, one thread each; threads inside the libraries would be in the way."""

from __future__ import annotations

import os

_VARIABLES = (
    "OMP_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "MKL_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "OPENCV_FOR_THREADS_NUM",
    "VIPS_CONCURRENCY",
)


def one_thread_each() -> None:
    """Have numpy, OpenCV and libvips compute in the calling thread.

    To be called before they are imported. What the person has set stays; child processes inherit.
    """
    for name in _VARIABLES:
        os.environ.setdefault(name, "1")
