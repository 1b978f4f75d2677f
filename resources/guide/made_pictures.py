"""The pictures that want something generated: the timeline of a clip, and pseudo-healthy tissue.

`make_screenshots.py` takes them, with all others.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import generated_clip
from generated_tissue import MPP, tissue
from PIL import Image
from PySide6.QtCore import QPoint, Qt
from PySide6.QtTest import QTest

from pathoview.core.errors import RunError
from pathoview.core.paths import data_folder
from pathoview.jobs.runner import JobRequest
from pathoview.session import orders
from pathoview.session.commands import run_command
from pathoview.slides.opening import open_slide

if TYPE_CHECKING:
    from make_screenshots import Photographer

CHOSEN_FRAME = 60
LEARNED_FROM = 8
"""Pictures of tissue."""
LEARNED_PX, SLIDE_PX = (900, 700), (1600, 1300)
N_NESTS = 5
"""The curtain divides the one in the middle."""
MIDDLE_L0, SCALE = (800.0, 620.0), 0.7
TEACHING = {"n_steps": 150, "batch": 4}
PATIENCE_S = 1800.0


class MadePictures:
    """What they show is generated as well."""

    def __init__(self, at_work: Photographer) -> None:
        self.at_work = at_work
        self.session, self.window = at_work.session, at_work.window
        self._folder = data_folder() / "generated"

    def take_all(self) -> None:
        self.look_at_timeline()
        self.show_as_if_healthy(self._teach())

    def look_at_timeline(self) -> None:
        """Choose the frame that shows most of the polyp, on the timeline."""
        clip = generated_clip.write_clip(self._folder / "exam 7")
        with open_slide(clip) as slide:
            generated_clip.write_run(slide)
        self.session.open(clip)
        lanes = self.window.timeline.lanes
        self.at_work.wait(lambda: self.window.timeline.course is not None and lanes.isVisible())
        self.at_work.rest()
        place = QPoint(int(lanes.x_of(CHOSEN_FRAME)), int(lanes.lane(0).center().y()))
        QTest.mouseClick(lanes, Qt.MouseButton.LeftButton, pos=place)
        self.window.docks.bring_front("tiles")
        self.session.viewport.fit()
        self.at_work.rest(2.0)
        self.at_work.take("timeline.jpg")
        self.session.close_slide()
        self.at_work.rest()

    def _teach(self) -> Path:
        """Return a model of the default engine, taught with generated tissue."""
        images, labels = self._folder / "images", self._folder / "labels"
        for folder in (images, labels):
            folder.mkdir(parents=True)
        for number in range(LEARNED_FROM):
            rgb, mask = tissue(*LEARNED_PX, seed=100 + number, n_nests=2)
            Image.fromarray(rgb).save(images / f"{number}.png")
            cv2.imwrite(str(labels / f"{number}.png"), mask)
        output = self._folder / "healthy.safetensors"
        order = {
            "method": "pseudo_healthy",
            "params": TEACHING,
            "images": str(images),
            "labels": str(labels),
            "mpp": MPP,
            "output": str(output),
        }
        job = self.at_work.runner.submit(JobRequest(orders.TRAIN, order, "Training", "learn"))
        self.at_work.wait(lambda: job.is_over, PATIENCE_S)
        if not output.exists():
            raise RunError(f"the training failed: {job.error}")
        return output

    def show_as_if_healthy(self, model: Path) -> None:
        """Apply a model, and draw the curtain between the slide and what was made of it."""
        session = self.session
        slide = self._folder / "tissue.png"
        rgb, _mask = tissue(*SLIDE_PX, seed=7, n_nests=N_NESTS)
        Image.fromarray(rgb).save(slide, dpi=(25_400 / MPP, 25_400 / MPP))
        session.open(slide)
        self.at_work.wait(lambda: session.path == slide)
        job = session.analyze("pseudo_healthy", model=model)
        assert job is not None
        self.at_work.wait(lambda: job.is_over)
        self.at_work.wait(lambda: bool(session.results and session.results.synthesis))
        self.window.docks.bring_front("layers")
        self.window.docks.bring_front("results")
        session.viewport.look_at(*MIDDLE_L0, SCALE)
        run_command(session, "compare.healthy")
        self.at_work.rest(2.0)
        self.at_work.take("pseudo-healthy.jpg")
        run_command(session, "compare.healthy")
