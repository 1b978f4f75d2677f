"""One path over a slide, read by PathoView and by readers that install from PyPI.

`pytest tests/benchmarks/bench_tile_path.py -s` on a machine that does nothing else.

A view of 1,920 × 1,080 px is led over a slide of 40,000 × 40,000 px, zoomed and panned at every
size. Each reader is asked for the tiles that come into view, in the same order, as RGB. All caches
are off, each reading happens in a new process with as many cores as threads, the readers take
turns, and the medians count.
``PATHOVIEW_BIG_SLIDE`` names a pyramid made earlier by ``make_big_slide.py``;
``PATHOVIEW_BENCH_JSON`` says where the numbers go, else ``.benchmarks/tile_path.json``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import product
from pathlib import Path
from statistics import median

import numpy as np
from rival_environment import STEADY_HEAP, big_slide, environment, installed, last_line, save_report
from tile_path_runner import Tile

from pathoview.slides.opening import open_slide

HERE = Path(__file__).parent
VIEW_PX = (1920, 1080)
TILE_SIZES = (256, 512)
THREADS = (1, 2)
REPEATS = int(os.environ.get("PATHOVIEW_BENCH_REPEATS", "5"))
DOWNSAMPLES = (32, 16, 8, 4, 2, 1)
PLACES = ((0.31, 0.42), (0.72, 0.28), (0.94, 0.95))
"""Shares of the width and height at which the view is led in and out."""
PAN_PX, PAN_STEPS = (240, 90), 6
N_COMPARED = 60
ROUNDING = 3
"""Pixels of two decoders of the same JPEG data differ by no more than that."""
PINNED = (
    *("numpy==2.4.6", "imagecodecs==2026.3.6", "tifffile==2026.3.3", "zarr==3.1.6"),
    *("pillow==13.0.0", "openslide-bin==4.0.1.2", "large-image==1.35.6", "pylibtiff==0.7.0"),
)
OURS = ("pathoview", "pathoview_source")


@dataclass
class Reader:
    """A reader, and what came of it."""

    name: str
    title: str
    wanted: tuple[str, ...] = ()
    problem: str = ""
    largest_difference: int | None = None
    mean_difference: float | None = None

    @property
    def note(self) -> str:
        if self.largest_difference is None:
            return ""
        differs = f"{self.largest_difference} / {self.mean_difference:.2f}"
        return f"{differs} (!)" if self.largest_difference > ROUNDING else differs


@dataclass
class Series:
    """The readings of one reader with tiles of one size and one number of threads."""

    reader: str
    tile_px: int
    threads: int
    open_s: list[float] = field(default_factory=list)
    read_s: list[float] = field(default_factory=list)
    cpu_s: list[float] = field(default_factory=list)


def readers() -> list[Reader]:
    return [
        Reader("pathoview", "PathoView, reader"),
        Reader("pathoview_source", "PathoView, tile source"),
        Reader("deep_zoom", "OpenSlide DeepZoom", ("openslide-python==1.4.7", "openslide-bin")),
        Reader("tiffslide", "TiffSlide", ("tiffslide==3.0.1",)),
        Reader("fastslide", "fastslide", ("fastslide==0.8.1",)),
        Reader("large_image", "large_image, tiff", ("large-image-source-tiff==1.35.6",)),
    ]


def path_over(width: int, height: int, tile_px: int) -> list[Tile]:
    """Return the tiles that come into view, in order; those still in view are not asked again."""
    shown: set[Tile] = set()
    asked: list[Tile] = []
    for downsample, x_l0, y_l0 in views(width, height):
        tiles = tiles_in_view(width, height, downsample, x_l0, y_l0, tile_px)
        asked += [tile for tile in tiles if tile not in shown]
        shown = set(tiles)
    return asked


def views(width: int, height: int) -> Iterator[tuple[int, float, float]]:
    """Yield the downsample and centre (level-0 px) of every view of the path."""
    for place_x, place_y in PLACES:
        x, y = place_x * width, place_y * height
        for downsample in (*DOWNSAMPLES, *reversed(DOWNSAMPLES[:-1])):
            yield downsample, x, y
            for step in range(PAN_STEPS if downsample <= 8 else 0):
                sign = 1 if step < PAN_STEPS / 2 else -1
                x, y = x - PAN_PX[0] * downsample, y + sign * PAN_PX[1] * downsample
                yield downsample, x, y


def tiles_in_view(
    width: int, height: int, downsample: int, x_l0: float, y_l0: float, tile_px: int
) -> list[Tile]:
    spans = []
    for size, middle, view in zip((width, height), (x_l0, y_l0), VIEW_PX, strict=True):
        size_lv, first = size // downsample, middle / downsample - view / 2
        starts = range(max(0, int(first // tile_px)) * tile_px, size_lv, tile_px)
        spans.append([(s, min(tile_px, size_lv - s)) for s in starts if s < first + view])
    return [(downsample, x, y, w, h) for (y, h), (x, w) in product(spans[1], spans[0])]


class Bench:
    """The readers, and the processes in which they read."""

    def __init__(self, slide: Path, folder: Path) -> None:
        self.slide, self.folder = slide, folder
        self.python = environment("rivals")
        self.readers = readers()
        for reader in self.readers:
            reader.problem = installed(self.python, reader.wanted, PINNED) if reader.wanted else ""
        with open_slide(slide) as opened:
            size = opened.info.width, opened.info.height
        self.paths = {tile_px: path_over(*size, tile_px) for tile_px in TILE_SIZES}

    def working(self, tile_px: int) -> list[Reader]:
        """The tile source has one size of tile only."""
        usable = [reader for reader in self.readers if not reader.problem]
        return [one for one in usable if one.name != "pathoview_source" or tile_px == 512]

    def run(
        self, reader: Reader, tile_px: int, tiles: Sequence[Tile], threads: int, pixels: Path | None
    ) -> str:
        """Read in a new process; return what it says, empty when it failed."""
        job = self.folder / "job.json"
        job.write_text(
            json.dumps(
                {
                    "reader": reader.name,
                    "slide": str(self.slide),
                    "tile_px": tile_px,
                    "tiles": tiles,
                    "threads": threads,
                    "pixels": str(pixels or ""),
                }
            )
        )
        is_ours = reader.name in OURS
        python = sys.executable if is_ours else str(self.python)
        settings = dict(os.environ) | STEADY_HEAP
        settings.pop("PYTHONPATH", None)
        if is_ours:
            settings["PYTHONPATH"] = str(HERE.parents[1])
        command = [python, str(HERE / "tile_path_runner.py"), str(job)]
        done = subprocess.run(command, capture_output=True, text=True, env=settings)
        if done.returncode:
            reader.problem = last_line(done.stderr) or "it failed without a word"
        return last_line(done.stdout)

    def compare(self) -> None:
        """Note how much the pixels of every reader differ from those of OpenSlide."""
        rng = np.random.default_rng(0)
        for tile_px, path in self.paths.items():
            chosen = rng.choice(len(path), min(N_COMPARED, len(path)), replace=False)
            tiles = [path[index] for index in sorted(chosen)]
            truth = self.pixels(Reader("deep_zoom", ""), tile_px, tiles)
            for reader in self.working(tile_px):
                found = self.pixels(reader, tile_px, tiles)
                if not reader.problem:
                    note_difference(reader, truth, found)

    def pixels(self, reader: Reader, tile_px: int, tiles: Sequence[Tile]) -> list[np.ndarray]:
        file = self.folder / "pixels.npz"
        self.run(reader, tile_px, tiles, 1, file)
        if reader.problem:
            return []
        with np.load(file) as stored:
            return [stored[name] for name in stored.files]

    def measure(self) -> list[Series]:
        """Let the readers take turns."""
        kinds = list(product(TILE_SIZES, THREADS))
        table = {
            (reader.name, *kind): Series(reader.name, *kind)
            for kind in kinds
            for reader in self.working(kind[0])
        }
        for repeat, (tile_px, threads) in product(range(REPEATS), kinds):
            print(f"Round {repeat + 1}, tiles of {tile_px} px, {threads} threads.", flush=True)
            turns = self.working(tile_px)
            for reader in turns[repeat % len(turns) :] + turns[: repeat % len(turns)]:
                said = self.run(reader, tile_px, self.paths[tile_px], threads, None)
                if reader.problem:
                    continue
                for name, value in json.loads(said).items():
                    getattr(table[reader.name, tile_px, threads], name).append(value)
        return [series for series in table.values() if series.read_s]


def note_difference(reader: Reader, truth: list[np.ndarray], found: list[np.ndarray]) -> None:
    if any(a.shape != b.shape or b.dtype != np.uint8 for a, b in zip(truth, found, strict=True)):
        reader.problem = "it gives arrays of another shape or kind"
        return
    gaps = [np.abs(a.astype(np.int16) - b) for a, b in zip(truth, found, strict=True)]
    largest = max(int(gap.max()) for gap in gaps)
    mean = float(np.mean([gap.mean() for gap in gaps]))
    reader.largest_difference = max(largest, reader.largest_difference or 0)
    reader.mean_difference = max(mean, reader.mean_difference or 0.0)


def ratios(table: Sequence[Series], clock: str = "read_s") -> dict[tuple[str, int, int], float]:
    """Return how many times as fast PathoView's reader is, by the medians of a clock."""
    medians = {(s.reader, s.tile_px, s.threads): median(getattr(s, clock)) for s in table}
    return {key: value / medians["pathoview", *key[1:]] for key, value in medians.items()}


def print_table(bench: Bench, table: Sequence[Series]) -> None:
    by_wall, by_cpu = ratios(table), ratios(table, "cpu_s")
    titles = {reader.name: reader for reader in bench.readers}
    for (tile_px, path), threads in product(bench.paths.items(), THREADS):
        megapixels = sum(w * h for _downsample, _x, _y, w, h in path) / 1e6
        print(f"\n{len(path)} tiles of {tile_px} px, {megapixels:.0f} MP, {threads} threads")
        heads = ("open s", "read s", "CPU s", "MP/s", "ratio", "of CPU")
        print(f"{'':24}{''.join(f'{head:>8}' for head in heads)}  difference")
        for s in (s for s in table if (s.tile_px, s.threads) == (tile_px, threads)):
            opened, read, cpu = median(s.open_s), median(s.read_s), median(s.cpu_s)
            row = f"{titles[s.reader].title:24}{opened:8.2f}{read:8.2f}{cpu:8.2f}"
            key = s.reader, tile_px, threads
            row += f"{megapixels / read:8.1f}{by_wall[key]:8.2f}{by_cpu[key]:8.2f}"
            print(f"{row}  {titles[s.reader].note}")
    print(
        "\nMedians. Opening holds the import of the reader. Ratio: how many times as fast the"
        "\nreader of PathoView is; of CPU: the same by processor time, which other work on the"
        "\nmachine hardly touches. Difference: largest and mean difference of pixels from those of"
        "\nOpenSlide; (!) more than decoders' rounding. TiffSlide, fastslide and PathoView answer"
        "\nfrom the level of the file; one that it lacked would be the means of the next finer one."
        "\nDeepZoom and large_image scale by themselves. PathoView's tile source gives RGBA in the"
        "\ncolours of the screen, which is more than asked."
    )
    for reader in bench.readers:
        if reader.problem:
            print(f"{reader.title}: not measured. {reader.problem}")


def test_ahead_of_every_reader(tmp_path: Path) -> None:
    slide = big_slide()
    bench = Bench(slide, tmp_path)
    bench.compare()
    with slide.open("rb") as file:  # so that all find the file in memory
        while file.read(16 << 20):
            pass
    table = bench.measure()
    print_table(bench, table)
    shown = ratios(table)
    save_report(
        "tile_path",
        {
            "readers": [asdict(reader) for reader in bench.readers],
            "series": [asdict(series) for series in table],
            "ratios": [[*key, ratio] for key, ratio in shown.items()],
            "ratios_of_cpu": [[*key, ratio] for key, ratio in ratios(table, "cpu_s").items()],
        },
    )
    behind = {key: ratio for key, ratio in shown.items() if key[0] not in OURS and ratio <= 1}
    assert not behind
    assert not any(reader.problem for reader in bench.readers if reader.name in OURS)
