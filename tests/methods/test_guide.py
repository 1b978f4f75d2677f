"""The guide's page says what the declarations say."""

from __future__ import annotations

import pytest

from pathoview.core.params import form_rows
from pathoview.core.paths import resources_folder
from pathoview.methods.registry import METHODS
from pathoview.methods.spec import MethodSpec


@pytest.mark.parametrize("spec", METHODS, ids=lambda spec: spec.name)
def test_every_parameter_is_in_the_guide_with_its_default(spec: MethodSpec) -> None:
    page = (resources_folder() / "guide" / "methods.md").read_text("utf-8")
    assert f"## {spec.name}" in page
    for row in form_rows(spec.params):
        assert f"| `{row.name}` | {row.default} {row.unit}".rstrip() + " |" in page, row.name
        assert row.help in page, row.name
