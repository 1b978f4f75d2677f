"""What a training can begin with, as the panel lists it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pathoview.core.translation import _
from pathoview.methods.library import SCRATCH, LibraryModel, bundled_path
from pathoview.methods.spec import MethodSpec


def beginnings(spec: MethodSpec | None, models: Sequence[LibraryModel]) -> Mapping[str, str]:
    """Return what a method can go on from and what each is called; the usual beginning is first.

    Keys are as ``start`` of `tasks.train.TrainRequest`: empty for the usual beginning, `SCRATCH`,
    or a model's path.
    """
    if spec is None:
        return {}
    scratch = _("From scratch")
    first = {"": _("The model that came with it"), SCRATCH: scratch} if spec.bundled else {}
    names = (spec.name, *spec.starts_from)
    known = {
        str(one.path): one.card.title
        for one in models
        if one.card.method in names and one.path != bundled_path(spec.bundled)
    }
    return {**(first or {"": scratch}), **known}
