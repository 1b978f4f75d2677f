"""What the methods say of themselves, as data."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pathoview.core.params import form_rows
from pathoview.methods.spec import MethodSpec


def method_facts(spec: MethodSpec) -> dict[str, Any]:
    """Return a method's declaration, JSON-able."""
    return {
        "name": spec.name,
        "title": spec.title,
        "summary": spec.summary,
        "kind": spec.kind.value,
        "learns_from": spec.learns_from,
        "mpp": spec.mpp,
        "patch_px": spec.patch_px,
        "halo_um": spec.halo_um,
        "stains": list(spec.stains),
        "reference": spec.reference,
        "version": spec.version,
        "parameters": [asdict(row) for row in form_rows(spec.params)],
    }
