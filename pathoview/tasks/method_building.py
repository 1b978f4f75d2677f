"""Methods ready to predict: their class, their parameters and, where it takes one, a model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from pathoview.core.errors import UsageError
from pathoview.core.params import BaseParams
from pathoview.core.registry import load_entry
from pathoview.core.translation import _
from pathoview.methods.fitting import fitted_of
from pathoview.methods.library import bundled_path, find_model
from pathoview.methods.model import Model, ModelCard, read_card, read_model
from pathoview.methods.registry import DEFAULT_METHOD, METHODS
from pathoview.methods.spec import Compute, MethodSpec
from pathoview.study.records import run_key
from pathoview.tasks.provenance import device_name


@dataclass(frozen=True, slots=True)
class BuiltMethod:
    """A method that can predict."""

    spec: MethodSpec
    params: BaseParams
    method: Any
    """An `InstanceMethod`, `PixelMethod` or `ObjectMethod`, as `spec.kind` says."""
    card: ModelCard | None = None
    """Of the model it predicts with; None: it takes none."""
    path: Path | None = None
    """Where the model's file lies, if somebody named it."""
    numerics: str = ""
    """The numeric path of a torch method; empty: it uses none."""

    @property
    def mpp(self) -> float:
        """µm per px it wants to see."""
        return self.card.mpp if self.card else self.spec.mpp

    @property
    def halo_um(self) -> float:
        """How much is read around a patch, µm: what the model says, else the method."""
        settings = self.card.settings if self.card else {}
        return float(settings.get("halo_um", self.spec.halo_um))

    @property
    def model_id(self) -> str:
        return self.card.id if self.card else ""

    def run_key(
        self, slide_hash: str, region_l0: tuple[int, int, int, int] | None, mpp: float
    ) -> str:
        """Return a key that is equal for runs that would give the same; see `records.run_key`."""
        said = self.params.model_dump(mode="json")
        spec = self.spec
        return run_key(slide_hash, spec.name, spec.version, said, region_l0, mpp, self.model_id)


def build_method(
    method: str | None,
    params: Mapping[str, Any] | BaseParams,
    model: str | None = None,
    numerics: str = "float32",
) -> BuiltMethod:
    """Return a method by name, or that of a model (a path, or a name of the library).

    Raises `UsageError` for an unknown method, model or parameter, and when a model is missing;
    `InputError` when the model cannot be read.
    """
    spec, path = named_method(method, model)
    found = None if path is None else read_model(path)
    checked = params if isinstance(params, BaseParams) else spec.params.parse(params)
    ready = built(spec, checked, found or _bundled(spec), Compute(device_name(spec), numerics))
    return replace(ready, path=path)


def named_method(method: str | None, model: str | None = None) -> tuple[MethodSpec, Path | None]:
    """Return the method and the model's file (None: none was named); raise as `build_method`."""
    if not model:
        return METHODS.get(method or DEFAULT_METHOD), None
    path = find_model(model)
    card = read_card(path)
    spec = METHODS.get(card.method)
    if method and METHODS.get(method) is not spec:
        raise UsageError(
            _("The model “{title}” is not one of the method “{method}”.").format(
                title=card.title, method=method
            ),
            _("Its method is {name}.").format(name=spec.name),
        )
    return spec, path


def built(
    spec: MethodSpec, params: BaseParams, model: Model | None, compute: Compute
) -> BuiltMethod:
    """Return a method with a model that is in memory (None: it takes none)."""
    entry = load_entry(spec.entry)
    if model is None:
        return BuiltMethod(spec, params, entry(params))
    said = (params, fitted_of(model))
    method = entry(*said, compute) if spec.uses_torch else entry(*said)
    numerics = compute.numerics if spec.uses_torch else ""
    return BuiltMethod(spec, params, method, model.card, numerics=numerics)


def _bundled(spec: MethodSpec) -> Model | None:
    if spec.is_imported:
        raise UsageError(
            _("“{title}” needs a model.").format(title=spec.title),
            _("Import one: pathoview models import FILE.onnx, then name it."),
        )
    if spec.needs_model:
        raise UsageError(
            _("“{title}” has to be trained first.").format(title=spec.title),
            _("Teach it, then name the model: pathoview apply MODEL SLIDE."),
        )
    return read_model(bundled_path(spec.bundled)) if spec.bundled else None
