"""Labels where a training can read them, also when the disk of their study refuses the newest."""

from __future__ import annotations

import contextlib
import time
import uuid
from pathlib import Path

from pathoview.core.paths import cache_folder
from pathoview.study.copying import remove_study
from pathoview.study.database import connect, sentences, transaction
from pathoview.study.elsewhere import save_all_elsewhere
from pathoview.study.model import SlideRecord
from pathoview.study.step import RecordChange
from pathoview.study.step_rows import put_records
from pathoview.study.study import Study
from pathoview.study.study_file import SUFFIX, StudyFile

_FLUSH_S = 10.0
_KEPT_S = 24 * 3600.0


def labels_on_disk(study: Study, shown: SlideRecord) -> Path | None:
    """Wait until all labels are on disk; return a copy of the study if its disk refuses.

    The copy lies in the cache folder and knows ``shown``, which a private study need not. Raises
    `StorageError` when that disk refuses as well.
    """
    if study.writer.flush(_FLUSH_S):
        return None
    folder = cache_folder() / "labels"
    folder.mkdir(exist_ok=True)
    _remove_old(folder)
    target = folder / f"{uuid.uuid4().hex}{SUFFIX}"
    save_all_elsewhere(study, target)
    _make_known(target, shown)
    return target


def _make_known(study: Path, shown: SlideRecord) -> None:
    with StudyFile.open(study) as file:
        if file.record(SlideRecord, shown.key) is not None:
            return
    with (
        sentences(study),
        contextlib.closing(connect(study, writable=True)) as connection,
        transaction(connection),
    ):
        put_records(connection, [RecordChange.of(None, shown)])


def _remove_old(folder: Path) -> None:
    for path in folder.glob(f"*{SUFFIX}"):
        with contextlib.suppress(OSError):
            if time.time() - path.stat().st_mtime > _KEPT_S:
                remove_study(path)
