"""Every registered method keeps its promises; registering a method puts it under test."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import numpy.typing as npt
import orjson
import pytest
from fakes import ArraySlide
from makers import he_scene

from pathoview.core.params import form_rows
from pathoview.core.registry import load_entry
from pathoview.evaluation import instances
from pathoview.methods.registry import DEFAULT_METHOD, METHODS, ready_methods
from pathoview.methods.spec import InstanceMethod, Kind, MethodSpec
from pathoview.slides.reading import analysis_grid, read_patch

SIDE = 640
SCENE = he_scene(SIDE, SIDE, seed=3)

every_method = pytest.mark.parametrize("spec", METHODS, ids=lambda spec: spec.name)
every_instance_method = pytest.mark.parametrize(
    "spec",
    [spec for spec in METHODS if spec.kind is Kind.INSTANCE and not spec.needs_model],
    ids=lambda spec: spec.name,
)


def slide_for(spec: MethodSpec) -> ArraySlide:
    return ArraySlide(SCENE.rgb, spec.mpp)


def prepared(spec: MethodSpec) -> tuple[InstanceMethod, dict[str, Any]]:
    method: InstanceMethod = load_entry(spec.entry)(spec.params())
    context = orjson.loads(orjson.dumps(dict(method.prepare(slide_for(spec), spec.mpp))))
    return method, context


def predicted(spec: MethodSpec, patch: npt.NDArray[np.uint8] = SCENE.rgb) -> npt.NDArray[np.int32]:
    method, context = prepared(spec)
    return method.predict(patch, spec.mpp, context).labels


def test_the_default_method_is_registered() -> None:
    assert DEFAULT_METHOD in METHODS
    assert METHODS.get("nuclei-watershed").name == "nuclei_watershed"


def test_what_analyzes_at_once_needs_no_model_of_the_users() -> None:
    assert next(spec.name for spec in ready_methods()) == DEFAULT_METHOD
    assert not any(spec.kind is Kind.BAG for spec in ready_methods())


def test_listing_methods_imports_no_torch_and_no_implementation() -> None:
    code = (
        "import sys; from pathoview.methods.registry import METHODS; list(METHODS); "
        "sys.exit(any(m.split('.')[0] in ('torch', 'skimage', 'scipy') for m in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@every_method
def test_a_declaration_says_all_that_forms_and_the_guide_need(spec: MethodSpec) -> None:
    assert spec.title
    assert spec.summary.endswith(".")
    assert spec.reference
    assert spec.mpp > 0
    assert spec.halo_um == 0 if spec.kind is Kind.BAG else spec.halo_um > 0
    assert spec.patch_px * spec.mpp > 2 * spec.halo_um
    for row in form_rows(spec.params):
        assert row.title, row.name
        assert row.help.endswith("."), row.name
        if row.kind in ("int", "float"):
            assert row.minimum is not None, row.name
            assert row.maximum is not None, row.name
            assert row.minimum <= row.default <= row.maximum
        if row.name.endswith(("_um", "_um2")):
            assert row.unit == ("µm²" if row.name.endswith("2") else "µm")


@every_instance_method
def test_a_patch_gives_labels_of_its_size(spec: MethodSpec) -> None:
    labels = predicted(spec)
    assert labels.shape == (SIDE, SIDE)
    assert labels.dtype == np.int32
    assert labels.min() == 0


@every_instance_method
def test_the_obvious_nuclei_are_found(spec: MethodSpec) -> None:
    assert instances.aji(instances.overlaps(SCENE.labels, predicted(spec))) > 0.6


@every_instance_method
def test_the_same_input_gives_the_same_output(spec: MethodSpec) -> None:
    assert prepared(spec)[1] == prepared(spec)[1]
    assert np.array_equal(predicted(spec), predicted(spec))


@every_instance_method
@pytest.mark.parametrize(("x", "y"), [(0, 0), (37, 101), (211, 64)])
def test_overlapping_patches_give_the_same_objects(spec: MethodSpec, x: int, y: int) -> None:
    side, halo = 400, round(spec.halo_um / spec.mpp)
    whole = predicted(spec)
    part = predicted(spec, np.ascontiguousarray(SCENE.rgb[y : y + side, x : x + side]))
    shared = whole[y : y + side, x : x + side]
    core = (slice(halo, side - halo),) * 2
    alike = [_overlap(part == label, shared) for label in np.unique(part[core])[1:]]
    if spec.uses_torch:
        # A network that halves pictures sees them from another pixel on; rims move a little.
        assert np.mean(np.array(alike) > 0.8) > 0.9
        assert np.median(alike) > 0.9
    else:
        assert min(alike) == 1, "an object is cut differently"


def _overlap(mine: npt.NDArray[np.bool_], others: npt.NDArray[np.int32]) -> float:
    """Return the intersection over union with the object that an object overlaps most."""
    number = np.bincount(others[mine]).argmax()
    other = others == number
    return float((mine & other).sum() / (mine | other).sum()) if number else 0.0


@every_instance_method
@pytest.mark.parametrize("shape", [(1, 1), (3, 200), (64, 64)])
@pytest.mark.parametrize("value", [255, 0, 128])
def test_blank_and_tiny_patches_do_no_harm(
    spec: MethodSpec, shape: tuple[int, int], value: int
) -> None:
    labels = predicted(spec, np.full((*shape, 3), value, np.uint8))
    assert labels.shape == shape


@every_instance_method
def test_a_blank_slide_can_be_prepared(spec: MethodSpec) -> None:
    method: InstanceMethod = load_entry(spec.entry)(spec.params())
    context = method.prepare(ArraySlide(np.full((300, 300, 3), 255, np.uint8), spec.mpp), spec.mpp)
    assert not method.predict(np.full((64, 64, 3), 255, np.uint8), spec.mpp, context).labels.any()


@every_instance_method
@pytest.mark.parametrize("mpp", [0.25, 0.36, 1.0])
def test_other_resolutions_find_the_same_nuclei(spec: MethodSpec, mpp: float) -> None:
    scene = he_scene(round(240 / mpp), round(240 / mpp), seed=4, mpp=mpp)
    slide = ArraySlide(scene.rgb, mpp)
    grid = analysis_grid(slide, spec.mpp)
    method: InstanceMethod = load_entry(spec.entry)(spec.params())
    patch = read_patch(slide, grid, 0, 0, grid.width, grid.height)
    labels = method.predict(patch, grid.mpp, method.prepare(slide, grid.mpp)).labels
    found = instances.centroids(labels) * grid.scale_l0
    known = instances.centroids(scene.labels)
    assert instances.detection_f1(known, found, 3 / mpp) > 0.9
