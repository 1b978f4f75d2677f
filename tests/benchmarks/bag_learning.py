"""What benchmarks of whole slides share: a method or a baseline, learned with its own settings."""

from __future__ import annotations

from typing import Any

from pathoview.core.progress import Progress, SilentProgress
from pathoview.core.registry import load_entry
from pathoview.datasets.bags import BagData
from pathoview.methods.engine import bag_baselines
from pathoview.methods.fitting import FitContext
from pathoview.methods.registry import METHODS
from pathoview.tasks.cross_validation import Ready


def settings_of(name: str) -> dict[str, Any]:
    """Return the settings a method learns with; of a baseline none, it chooses its own."""
    if name in bag_baselines.KINDS:
        return {}
    spec = METHODS.get(name)
    assert spec.fit_params is not None
    return spec.fit_params().model_dump(mode="json")


def learned(
    name: str, data: BagData, seed: int, progress: Progress | None = None, **settings: Any
) -> Ready:
    """Learn from bags; ``settings`` differ from the method's own."""
    context = FitContext(progress or SilentProgress(), seed=seed)
    if name in bag_baselines.KINDS:
        fitted = bag_baselines.fit(name, data, context)
        return Ready(fitted, lambda tiles: bag_baselines.predict(fitted, tiles))
    spec = METHODS.get(name)
    assert spec.fit_params is not None
    entry = load_entry(spec.entry)
    fitted = entry(spec.params()).fit(data, spec.fit_params.parse(settings), context)
    return Ready(fitted, entry(spec.params(), fitted).predict)
