"""The picture of similar cases: fields of the demo slide, and a model that learned from some.

`make_screenshots.py` takes it, with all others.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from PIL import Image
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest

from pathoview.core.errors import RunError
from pathoview.core.paths import data_folder, resources_folder
from pathoview.jobs.runner import JobRequest
from pathoview.session import orders
from pathoview.slides.opening import open_slide
from pathoview.study.slide_labels import parse_label

if TYPE_CHECKING:
    from make_screenshots import Photographer

DEMO = resources_folder() / "demo" / "CMU-1-Small-Region.svs"
FIELDS: Mapping[str, tuple[tuple[int, int], ...]] = {
    "Epidermis": (
        *((1137, 1978), (1154, 2110), (1236, 2275), (1104, 1800), (742, 2605)),
        *((660, 2803), (1220, 1088), (1170, 1320), (1150, 800)),
    ),
    "Dermis": (
        *((989, 1154), (940, 1583), (890, 1780), (1022, 2374), (1451, 2308)),
        *((1484, 2572), (1055, 2869), (956, 2638)),
    ),
}
"""Middles of fields, level-0 px. The last one of epidermis is the case that is new."""
FIELD_PX = (240, 180)
TRAINING = {"n_steps": 60, "n_folds": 3, "n_trees": 200}
PATIENCE_S = 900.0
PANEL_PX = 560


class CasePictures:
    """A study of fields, most of them with a label."""

    def __init__(self, at_work: Photographer) -> None:
        self.at_work = at_work
        self.session, self.window = at_work.session, at_work.window
        self._folder = data_folder() / "cases"
        self._new = self._folder / f"Epidermis-{len(FIELDS['Epidermis'])}.png"

    def take(self) -> None:
        self._cut()
        self._open_study()
        self._apply(self._train())
        page, cases = self.window.tiles.cases, self.session.review.cases
        self.window.docks.bring_front("tiles")
        dock = self.window.docks["tiles"]
        self.window.resizeDocks([dock], [PANEL_PX], Qt.Orientation.Vertical)
        tabs = self.window.tiles.tabs
        tabs.setCurrentIndex(tabs.count() - 1)
        self.at_work.wait(page.search.isEnabled)
        self.at_work.rest()
        QTest.mouseClick(page.search, Qt.MouseButton.LeftButton)
        self.at_work.wait(lambda: cases.answer is not None)
        self.session.viewport.fit()
        self.at_work.rest(2.0)
        self.at_work.take("cases.jpg")

    def _cut(self) -> None:
        self._folder.mkdir(parents=True)
        width, height = FIELD_PX
        with open_slide(DEMO) as slide:
            for name, middles in FIELDS.items():
                for number, (x, y) in enumerate(middles, start=1):
                    field = slide.read(0, x - width // 2, y - height // 2, width, height)
                    Image.fromarray(field).save(self._folder / f"{name}-{number}.png")

    def _open_study(self) -> None:
        """Give all fields but the new one a label."""
        session, n = self.session, sum(map(len, FIELDS.values()))
        session.study_files.create(self._folder / "fields.pathoview")
        session.slides.search.add([self._folder])
        self.at_work.wait(lambda: len(session.slides.rows) == n)
        for row in session.slides.rows:
            if row.name != self._new.name:
                label = parse_label(row.name.partition("-")[0])
                session.slides.editing.label([row.slide_hash], label)
        assert session.studies.study is not None
        session.studies.study.writer.flush(5.0)

    def _train(self) -> Path:
        study = self.session.studies.study
        assert study is not None
        order = {
            "method": "patch_sum",
            "params": TRAINING,
            "study": str(study.path),
            "title": "Epidermis or dermis",
            "bags": {"n_folds": 3},
        }
        job = self.at_work.runner.submit(JobRequest(orders.TRAIN, order, "Training", "learn"))
        self.at_work.wait(lambda: job.is_over, PATIENCE_S)
        if job.result is None:
            raise RunError(f"the training failed: {job.error}")
        return Path(str(job.result["model"]))

    def _apply(self, model: Path) -> None:
        self.session.open(self._new)
        self.at_work.wait(lambda: self.session.path == self._new)
        job = self.session.analyze("patch_sum", model=model)
        assert job is not None
        self.at_work.wait(lambda: job.is_over)
        self.at_work.wait(lambda: self.session.review.tiles.run is not None)
