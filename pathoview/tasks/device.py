"""What this machine computes on; asked in a worker, because torch takes seconds to import."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pathoview.core.progress import Progress
from pathoview.methods.engine.device import choose_device


def run(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Return the device, why it is that one, and how much memory of each GPU is in use, bytes."""
    del request, progress
    device = choose_device()
    return {"name": device.name, "reason": device.reason, "gpus": _gpus(device.name)}


def _gpus(name: str) -> list[dict[str, Any]]:
    if not name.startswith("cuda"):
        return []
    import torch

    found = []
    for number in range(torch.cuda.device_count()):
        free, total = torch.cuda.mem_get_info(number)
        title = torch.cuda.get_device_name(number)
        found.append({"title": title, "used_bytes": total - free, "total_bytes": total})
    return found
