"""What benchmarks beside other programs share: where those are installed, and what is kept.

Other programs live in virtual environments of their own below ``.benchmarks/``, made when first
needed; the project depends on none of them.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import venv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from make_big_slide import make_big_slide

FOLDER = Path(__file__).parents[2] / ".benchmarks"
INSTALLING_S = 1800
STEADY_HEAP = {
    "MALLOC_TRIM_THRESHOLD_": str(256 << 20),
    "MALLOC_TOP_PAD_": str(16 << 20),
    "MALLOC_MMAP_THRESHOLD_": str(32 << 20),
}
"""glibc keeps freed memory: else the luck of the heap's layout decides much of the speed."""


def environment(name: str) -> Path:
    """Return the interpreter of a virtual environment, which is made when it is missing."""
    folder = FOLDER / name
    python = folder / ("Scripts/python.exe" if sys.platform == "win32" else "bin/python")
    if not python.exists():
        print(f"Making {folder}.", flush=True)
        venv.create(folder, with_pip=True)
    return python


def installed(python: Path, wanted: Iterable[str], pinned: Iterable[str] = ()) -> str:
    """Install packages where they are missing; return why that failed, empty when it did not."""
    folder = python.parents[1]
    pins, done = folder / "pins.txt", folder / f"installed-{'+'.join(wanted)}"
    if done.exists():
        return ""
    print(f"Installing {', '.join(wanted)}.", flush=True)
    pins.write_text("\n".join(pinned), encoding="utf-8")
    command = [python, "-m", "pip", "install", "--quiet", "--constraint", pins, *wanted]
    try:
        run = subprocess.run(command, capture_output=True, text=True, timeout=INSTALLING_S)
    except subprocess.TimeoutExpired:
        return "the installation took too long"
    if run.returncode:
        return last_line(run.stderr) or "pip failed without a word"
    done.touch()
    return ""


def last_line(text: str) -> str:
    return next((line.strip() for line in reversed(text.splitlines()) if line.strip()), "")


def big_slide() -> Path:
    """Return the slide that ``PATHOVIEW_BIG_SLIDE`` names, else the generated one."""
    if ready := os.environ.get("PATHOVIEW_BIG_SLIDE"):
        return Path(ready)
    slide = FOLDER / "big-slide.tif"
    if not slide.exists():
        print("Making a slide of 40,000 × 40,000 px.", flush=True)
        FOLDER.mkdir(exist_ok=True)
        make_big_slide(slide.with_suffix(".part.tif"))
        slide.with_suffix(".part.tif").replace(slide)
    return slide


def save_report(name: str, report: Mapping[str, Any]) -> None:
    """Write what was measured as JSON, where ``PATHOVIEW_BENCH_JSON`` says."""
    path = Path(os.environ.get("PATHOVIEW_BENCH_JSON") or FOLDER / f"{name}.json")
    path.parent.mkdir(parents=True, exist_ok=True)
    machine = {
        "machine": platform.platform(),
        "processor": _processor(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
    }
    path.write_text(json.dumps(machine | dict(report), indent=2), encoding="utf-8")
    print(f"\nSaved as {path}.")


def _processor() -> str:
    table = Path("/proc/cpuinfo")
    lines = table.read_text(encoding="utf-8").splitlines() if table.exists() else []
    names = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(names, platform.processor())
