"""The same things done in napari and in PathoView: `pytest tests/benchmarks/bench_napari.py -s`.

A slide of 40,000 × 40,000 px is opened, panned, covered with polygons of 16 vertices and panned
again; then 1 and 1,000 polygons are removed. Both programs run in processes of their own with a
canvas of 1,920 × 1,080 px, below Xvfb where there is ``xvfb-run``; OpenGL is software there. A step
that takes more than five minutes is given up, with all that come after it.

``PATHOVIEW_BENCH_POLYGONS`` names the numbers of polygons (``10000,100000``),
``PATHOVIEW_BIG_SLIDE`` a pyramid made earlier by ``make_big_slide.py``, ``PATHOVIEW_BENCH_JSON``
the place of the numbers, else ``.benchmarks/napari.json``. The first run installs napari below
``.benchmarks/`` and compiles parts of it, so the smaller number comes first.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path
from queue import Empty, Queue

import pytest
from rival_environment import big_slide, environment, installed, last_line, save_report

from pathoview.slides.opening import open_slide

HERE = Path(__file__).parent
LIMIT_S = 300
WANTED = ("napari[pyside6,optional]==0.9.2",)
PINNED = (
    *("PySide6==6.11.3", "numpy==2.4.6", "dask==2026.8.0", "zarr==3.1.6", "vispy==0.17.0"),
    *("numba==0.68.1", "bermuda==0.1.8", "tifffile==2026.3.3", "imagecodecs==2026.3.6"),
)
READING = ("dask[array]", "tifffile", "imagecodecs")
SIZES = [int(n) for n in os.environ.get("PATHOVIEW_BENCH_POLYGONS", "10000,100000").split(",")]
ROWS = (
    ("start", "whole_s", "start, until the window is there"),
    ("open", "first_s", "open, until the first picture"),
    ("open", "whole_s", "open, until the picture is whole"),
    ("pan, slide alone", "first_s", "pan, slide alone: painted, median"),
    ("pan, slide alone", "first_p95_s", "pan, slide alone: painted, p95"),
    ("pan, slide alone", "whole_s", "pan, slide alone: whole, median"),
    ("pan, slide alone", "whole_p95_s", "pan, slide alone: whole, p95"),
    ("add polygons", "whole_s", "add the polygons"),
    ("pan, with polygons", "first_s", "pan, with polygons: painted, median"),
    ("pan, with polygons", "first_p95_s", "pan, with polygons: painted, p95"),
    ("pan, with polygons", "whole_s", "pan, with polygons: whole, median"),
    ("pan, with polygons", "whole_p95_s", "pan, with polygons: whole, p95"),
    ("remove 1", "whole_s", "remove 1 polygon"),
    ("remove 1,000", "whole_s", "remove 1,000 polygons"),
)
Taken = dict[str, dict[str, float]]
"""Numbers a step; ``given_up_s`` alone where it took too long."""


def taken_by(program: str, python: Path, slide: Path, n_polygons: int, folder: Path) -> Taken:
    """Let a program take all steps; return what each took."""
    with open_slide(slide) as opened:
        side = min(opened.info.width, opened.info.height)
    job = [str(HERE / "viewer_runner.py"), program, str(slide), str(n_polygons), str(side)]
    screen = ["xvfb-run", "-a", "-s", "-screen 0 2600x1500x24"] if _has_own_screen() else []
    settings = dict(os.environ) | {
        "LIBGL_ALWAYS_SOFTWARE": "1",
        "PATHOVIEW_HOME": str(folder),
        "XDG_CONFIG_HOME": str(folder),
    }
    for name in ("QT_QPA_PLATFORM", "PYTHONPATH"):
        settings.pop(name, None)
    if program == "pathoview":
        settings["PYTHONPATH"] = str(HERE.parents[1])
    log = folder / "errors.txt"
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [*screen, str(python), *job],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=settings,
            start_new_session=True,
        ) as process,
    ):
        taken = _listen(process, f"{program}, {n_polygons:,} polygons")
    if process.returncode and not any("given_up_s" in one for one in taken.values()):
        pytest.fail(f"{program} failed: {last_line(log.read_text())}")
    return taken


def _has_own_screen() -> bool:
    return shutil.which("xvfb-run") is not None


def _listen(process: subprocess.Popen[str], title: str) -> Taken:
    """Note what the program says of its steps; end it when one takes too long."""
    lines: Queue[str | None] = Queue()

    def pump() -> None:
        assert process.stdout is not None
        for line in process.stdout:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=pump, daemon=True).start()
    taken: Taken = {}
    step = "start"
    while True:
        try:
            line = lines.get(timeout=LIMIT_S)
        except Empty:
            print(f"{title}: {step} took more than {LIMIT_S} s.", flush=True)
            taken[step] = {"given_up_s": LIMIT_S}
            os.killpg(process.pid, signal.SIGKILL)
            return taken
        if line is None:
            return taken
        numbers = json.loads(line)
        step = numbers.pop("step")
        if numbers:
            taken[step] = numbers
            words = ", ".join(f"{name} {value:.3f}" for name, value in numbers.items())
            print(f"{title}: {step}: {words}", flush=True)


def print_table(n_polygons: int, napari: Taken, ours: Taken) -> None:
    print(f"\n{f'{n_polygons:,} polygons; seconds':<42}{'napari':>10}{'PathoView':>11}{'ratio':>8}")
    for step, name, title in ROWS:
        theirs, mine = napari.get(step, {}), ours.get(step, {})
        ratio = f"{theirs[name] / mine[name]:8.1f}" if name in theirs and name in mine else ""
        print(f"{title:<42}{_shown(theirs, name):>10}{_shown(mine, name):>11}{ratio}")
    peaks = (one.get("memory", {}).get("peak_mib") for one in (napari, ours))
    theirs_mib, our_mib = ("—" if peak is None else f"{peak:.0f}" for peak in peaks)
    print(f"{'largest memory, MiB':<42}{theirs_mib:>10}{our_mib:>11}")


def _shown(numbers: dict[str, float], name: str) -> str:
    if "given_up_s" in numbers:
        return f"> {numbers['given_up_s']:.0f}"
    return f"{numbers[name]:.3f}" if name in numbers else "—"


@pytest.mark.skipif(sys.platform == "win32", reason="needs process groups")
def test_napari_and_pathoview_side_by_side(tmp_path: Path) -> None:
    slide, python = big_slide(), environment("napari")
    if problem := installed(python, WANTED, PINNED) or installed(python, READING, PINNED):
        pytest.fail(f"napari cannot be installed: {problem}")
    report = []
    for n_polygons in SIZES:
        ours, napari = (
            taken_by(name, interpreter, slide, n_polygons, tmp_path)
            for name, interpreter in (("pathoview", Path(sys.executable)), ("napari", python))
        )
        report.append({"n_polygons": n_polygons, "napari": napari, "pathoview": ours})
        print_table(n_polygons, napari, ours)
    print(
        "\nPainted: until the first picture that shows the step. Whole: until the last. PathoView"
        "\nreads while it paints; napari reads first. OpenGL is software for napari; PathoView uses"
        "\nnone."
    )
    save_report("napari", {"wanted": WANTED, "pinned": PINNED, "sizes": report})
