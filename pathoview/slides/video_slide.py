"""A video as a slide whose planes of time are its frames; needs PyAV (``pathoview[video]``).

Where frames and key frames lie is read once from the packets, without decoding. A frame is found by
its time: from the key frame before it the decoder goes on, or from where it is, if that is nearer.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
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
            self._stream.thread_type = "AUTO"
            self._times, self._key_times = self._index()
            self._frames: Iterator[Any] = iter(())
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
        before = np.searchsorted(self._key_times, self._times[t], side="right") - 1
        key_time = int(self._key_times[max(0, before)])
        is_ahead = self._next <= t and (
            t - self._next <= _DECODED_THROUGH or key_time <= self._times[self._next]
        )
        if not is_ahead:
            try:
                self._container.seek(key_time, stream=self._stream)
            except self._av.error.FFmpegError as error:
                raise _damaged(self.path, error) from error
            self._frames = self._decoded_on()
        for frame in self._frames:
            number = self._number(frame)
            self._next = number + 1
            yield number, frame
        self._next = len(self._times)

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
        """Return the number of the frame whose time is nearest."""
        time = frame.pts if frame.pts is not None else frame.dts
        if time is None:
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
        return container

    def _index(self) -> tuple[Times, Times]:
        """Return the times of all frames and of the key frames, ascending."""
        times, key_times = [], []
        try:
            for packet in self._container.demux(self._stream):
                time = packet.pts if packet.pts is not None else packet.dts
                if time is None or not packet.size or packet.is_discard:
                    continue
                times.append(time)
                if packet.is_keyframe:
                    key_times.append(time)
        except self._av.error.FFmpegError as error:
            raise _damaged(self.path, error) from error
        if not times:
            raise SlideError(_("There are no pictures in “{name}”.").format(name=self.path.name))
        return np.unique(np.array(times, np.int64)), np.unique(np.array(key_times or times[:1]))

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
    av.logging.set_level(av.logging.PANIC)  # its messages name files
    return av


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
