"""Which processor a torch method computes on, and in one sentence why it is not a GPU."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import ModuleType

from pathoview.core.translation import _


@dataclass(frozen=True, slots=True)
class Device:
    """``name`` is torch's: ``cuda:0``, ``mps`` or ``cpu``; ``reason`` is for the person."""

    name: str
    reason: str

    @property
    def is_gpu(self) -> bool:
        return self.name != "cpu"


@cache
def choose_device() -> Device:
    """Return the best device that really computes: CUDA, then Apple's MPS, then the processor."""
    import torch

    if torch.cuda.is_available():
        problem = _problem(torch, "cuda:0")
        if not problem:
            return Device("cuda:0", _("Using {gpu}.").format(gpu=torch.cuda.get_device_name(0)))
        return Device("cpu", _("The GPU is not used: {why}.").format(why=problem))
    if torch.backends.mps.is_available() and not _problem(torch, "mps"):
        return Device("mps", _("Using the GPU of this Mac."))
    return Device("cpu", _why_no_cuda(torch.__version__, torch.version.cuda))


def _problem(torch: ModuleType, name: str) -> str:
    """Compute a little on the device; return what went wrong (an unknown model of GPU, say)."""
    try:
        (torch.ones(8, 8, device=name) @ torch.ones(8, 8, device=name)).sum().item()
    except (RuntimeError, NotImplementedError) as error:
        return str(error).strip().splitlines()[0].rstrip(".")
    return ""


def _why_no_cuda(torch_version: str, cuda_version: str | None) -> str:
    if not _has_nvidia_gpu():
        return _("No GPU that PyTorch can use was found; the processor computes.")
    if cuda_version is None:
        return _(
            "There is an NVIDIA GPU, but PyTorch {version} was installed without CUDA: "
            "run the installer again to use it."
        ).format(version=torch_version)
    return _(
        "There is an NVIDIA GPU, but its driver does not work with CUDA {cuda} of PyTorch "
        "{version}: update the driver to use it."
    ).format(cuda=cuda_version, version=torch_version)


def _has_nvidia_gpu() -> bool:
    return Path("/proc/driver/nvidia/version").exists() or shutil.which("nvidia-smi") is not None
