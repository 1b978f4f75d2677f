"""A video as a slide whose planes of time are its frames; needs PyAV (``pathoview[video]``).

Where frames and key frames lie is read once from the packets, without decoding. A frame is found by
its time: from the key frame before it the decoder goes on, or from where it is, if that is nearer.
Where packets do not tell the times of their frames (MPEG, some AVI), all are decoded once and
counted, and a step back begins at the beginning: slow, but the right frame.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import numpy.typing as npt

from pathoview.core.errors import SlideError
from pathoview.core.translation import _
from pathoview.slides.identity import content_hash
from pathoview.slides.refusal import Refused
from pathoview.slides.series import Rgb, SeriesSlide, series_info

VIDEO_SUFFIXES = (
    *(".mp4", ".m4v", ".mov", ".avi", ".mkv", ".webm", ".mpg", ".mpeg", ".wmv", ".mts", ".ogv"),
)
"""How names of videos end."""
_KEPT_ON_THE_WAY = 16
"""Frames before the wanted one that are kept as well: whoever steps back wants them next."""
_DECODED_THROUGH = 32
"""Frames ahead that are reached by going on, even if there is a key frame on the way."""

Times = npt.NDArray[np.int64]


class VideoSlide(SeriesSlide):
    """The frames of a video. There is one decoder: threads wait for each other."""

    def __init__(self, path: Path) -> None:
        """Raise `Refused` when it is no video, `SlideError` when it cannot be read."""
        if not path.name.lower().endswith(VIDEO_SUFFIXES):
            raise Refused(_("no video"))
        self.path = path
        self._av = _pyav(path)
        self._decoder = threading.Lock()
        self._container = self._opened()
        try:
            self._stream = self._container.streams.video[0]
            self._frames: Iterator[Any] = iter(())
            self._key_times: Times | None = None
            """None: packets do not tell times, and frames are counted."""
            self._times = self._index()
            self._next = len(self._times)
            """The frame that the decoder gives next; behind the last one: it has to be set."""
            height, width = self._first().shape[:2]
            problem = _("A video states no µm per pixel.")
            n = len(self._times)
            super().__init__(path, series_info("video", width, height, n, mpp_problem=problem))
            self.content_hash = content_hash(path)
        except BaseException:
            self._container.close()
            raise

    def time_s(self, t: int) -> float:
        return float((self._times[t] - self._times[0]) * float(self._stream.time_base))

    def close(self) -> None:
        super().close()
        with self._decoder:
            self._frames = iter(())
            self._container.close()

    def _frame(self, t: int) -> Rgb:
        with self._decoder:
            if self._is_closed:
                raise SlideError(_("The slide is closed."))
            for number, frame in self._from(t):
                if number == t:
                    return _rgb(frame)
                if number > t:
                    break
                if t - number <= _KEPT_ON_THE_WAY:
                    self._keep(number, _rgb(frame))
        raise SlideError(
            _("Frame {n} of “{name}” cannot be read.").format(n=t + 1, name=self.path.name),
            _("The video may be damaged there: convert it, or cut it out."),
        )

    # -- under the lock of the decoder -------------------------------------------------------------

    def _from(self, t: int) -> Iterator[tuple[int, Any]]:
        """Yield frames with their numbers, from ``t`` or one before it on."""
        if not self._is_near(t) and not self._goes_to_key_frame(t):
            self._begin_again()
        for frame in self._frames:
            number = self._number(frame)
            self._next = number + 1
            yield number, frame
        self._next = len(self._times)

    def _is_near(self, t: int) -> bool:
        """Return whether going on leads to a frame as quickly as anything else."""
        if self._next > t:
            return False
        if self._key_times is None or t - self._next <= _DECODED_THROUGH:
            return True
        return self._key_time(t) <= int(self._times[self._next])

    def _goes_to_key_frame(self, t: int) -> bool:
        """Go to the key frame before a frame; False: the file does not let one."""
        if self._key_times is None:
            return False
        try:
            self._container.seek(self._key_time(t), stream=self._stream)
        except self._av.error.FFmpegError:
            return False
        frames = self._decoded_on()
        first = next(frames, None)
        if first is None or self._number(first) > t:
            return False
        self._frames = chain([first], frames)
        return True

    def _begin_again(self) -> None:
        self._container.close()
        self._container = self._opened()
        self._stream = self._container.streams.video[0]
        self._frames, self._next = self._decoded_on(), 0

    def _key_time(self, t: int) -> int:
        """Return the time of the key frame before a frame, or of the first one."""
        assert self._key_times is not None
        place = np.searchsorted(self._key_times, self._times[t], side="right") - 1
        return int(self._key_times[max(0, place)])

    def _decoded_on(self) -> Iterator[Any]:
        """Yield the frames from where the file is; those of damaged packets are missing."""
        try:
            for packet in self._container.demux(self._stream):
                try:
                    frames = packet.decode()
                except self._av.error.FFmpegError:
                    continue
                yield from frames
        except self._av.error.FFmpegError as error:
            raise _damaged(self.path, error) from error

    def _number(self, frame: Any) -> int:
        """Return the number of the frame whose time is nearest; that of the count without times."""
        time = frame.pts
        if self._key_times is None or time is None:
            return self._next
        place = min(int(np.searchsorted(self._times, time)), len(self._times) - 1)
        is_earlier = place > 0 and time - self._times[place - 1] < self._times[place] - time
        return place - is_earlier

    # -- once --------------------------------------------------------------------------------------

    def _opened(self) -> Any:
        try:
            container = self._av.open(str(self.path))
        except (self._av.error.FFmpegError, OSError) as error:
            raise _damaged(self.path, error) from error
        if not container.streams.video:
            container.close()
            raise SlideError(_("There are no pictures in “{name}”.").format(name=self.path.name))
        container.streams.video[0].thread_type = "AUTO"
        return container

    def _index(self) -> Times:
        """Return the times of all frames, ascending, and keep those of key frames."""
        times: list[int | None] = []
        key_times: list[int] = []
        try:
            for packet in self._container.demux(self._stream):
                if packet.size and not packet.is_discard:
                    times.append(packet.pts)
                    if packet.is_keyframe and packet.pts is not None:
                        key_times.append(packet.pts)
        except self._av.error.FFmpegError as error:
            raise _damaged(self.path, error) from error
        known = [time for time in times if time is not None]
        if not times:
            raise SlideError(_("There are no pictures in “{name}”.").format(name=self.path.name))
        if len(set(known)) == len(times) and key_times:
            self._key_times = np.unique(key_times)
            return np.unique(np.array(known, np.int64))
        return self._counted()

    def _counted(self) -> Times:
        """Return the times of all frames after decoding them once; by the rate where unknown."""
        self._begin_again()
        times = [frame.pts for frame in self._frames]
        if not times:
            raise _damaged(self.path, _("no frame can be decoded"))
        if None not in times and np.all(np.diff(times) > 0):
            return np.array(times, np.int64)
        step = 1 / float(self._stream.average_rate or 25) / float(self._stream.time_base)
        guessed: Times = np.rint(np.arange(len(times)) * step).astype(np.int64)
        return guessed

    def _first(self) -> Rgb:
        """Return a frame near the beginning, which tells the size of all."""
        for _number, frame in self._from(0):
            return _rgb(frame)
        raise _damaged(self.path, _("no frame can be decoded"))


def _pyav(path: Path) -> ModuleType:
    try:
        import av
    except ImportError as error:
        raise SlideError(
            _("“{name}” is a video, and what reads videos is not installed.").format(
                name=path.name
            ),
            _("Install it: pip install “pathoview[video]”; or save its frames in a folder."),
        ) from error
    # What FFmpeg says names files, and told from its threads it waits for Python's lock for ever.
    av.logging.set_level(None)
    module: ModuleType = av
    return module


def _rgb(frame: Any) -> Rgb:
    """Return (height, width, 3), upright."""
    pixels: Rgb = frame.to_ndarray(format="rgb24")
    quarters = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(pixels, quarters)) if quarters else pixels


def _damaged(path: Path, why: Exception | str) -> SlideError:
    why = getattr(why, "strerror", "") or why  # the whole text has the path in it
    return SlideError(
        _("The video “{name}” is damaged, or of a kind that cannot be read.").format(
            name=path.name
        ),
        _("Copy it again, or convert it to MP4 (H.264). ({why})").format(why=why),
    )
