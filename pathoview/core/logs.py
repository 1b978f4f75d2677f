"""A rotating log file in the user's log folder, without names of patients or paths of slides."""

from __future__ import annotations

import contextlib
import logging
from logging.handlers import RotatingFileHandler
from pathlib import Path

from pathoview.core import paths
from pathoview.core.privacy import scrub

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class _ScrubbedFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        return scrub(super().format(record))


def log_file() -> Path:
    return paths.log_folder() / "pathoview.log"


def start_logging() -> None:
    """Log our own messages to the rotating file; a folder that refuses is no reason to stop."""
    logger = logging.getLogger("pathoview")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    stop_logging()
    with contextlib.suppress(OSError):
        handler = RotatingFileHandler(log_file(), maxBytes=1_000_000, backupCount=3, delay=True)
        handler.setFormatter(_ScrubbedFormatter(_FORMAT))
        logger.addHandler(handler)


def stop_logging() -> None:
    """Close the log file (before its folder goes, in tests)."""
    logger = logging.getLogger("pathoview")
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
