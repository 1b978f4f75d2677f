from __future__ import annotations

import numpy as np
import pytest
from drawing_scenes import at_l0, disk_patch, flat_patch

from pathoview.session.drawing.livewire import LiveWire


def test_the_path_clings_to_the_edge() -> None:
    patch = disk_patch(60)
    wire = LiveWire(patch)
    wire.set_anchor(*at_l0(patch, 161, 90.5))
    path = patch.to_patch(wire.path_to(*at_l0(patch, 40, 90.5)))
    radii = np.hypot(*(path - (100.5, 90.5)).T)
    assert len(path) > 120  # half way around, not across
    assert np.abs(radii - 60.5).max() < 1.5


def test_both_ends_are_where_the_pointer_was() -> None:
    patch = flat_patch()
    wire = LiveWire(patch)
    wire.set_anchor(1010.3, 510.7)
    for place in [(1050.1, 530.9), (1010.3, 510.7), (1010.4, 510.6), (5000.0, -20.0)]:
        path = wire.path_to(*place)
        assert path[0].tolist() == [1010.3, 510.7]
        assert path[-1].tolist() == list(place)


def test_steps_between_go_from_pixel_to_pixel() -> None:
    wire = LiveWire(flat_patch())
    wire.set_anchor(1001, 501)
    path = wire.path_to(1101, 571)
    assert np.abs(np.diff(path, axis=0)).max() == 2.0  # one pixel of the patch
    assert np.all(path % 2 == (1, 1))  # the middle of each


def test_an_anchor_beside_the_patch_starts_at_its_rim() -> None:
    wire = LiveWire(flat_patch())
    wire.set_anchor(0, 0)
    path = wire.path_to(1021, 521)
    assert path[0].tolist() == [0, 0]
    assert path[1].min() >= 500


def test_a_new_anchor_replaces_the_first() -> None:
    wire = LiveWire(flat_patch())
    wire.set_anchor(1001, 501)
    wire.set_anchor(1091, 571)
    assert wire.path_to(1001, 501)[0].tolist() == [1091, 571]


def test_without_an_anchor_there_is_no_path() -> None:
    with pytest.raises(ValueError, match="anchor"):
        LiveWire(flat_patch()).path_to(0, 0)


@pytest.mark.parametrize("size", [(1, 1), (2, 1), (1, 7)])
def test_tiny_patches_do(size: tuple[int, int]) -> None:
    wire = LiveWire(flat_patch(*size))
    wire.set_anchor(1001, 501)
    assert wire.path_to(1001.5, 501.5)[-1].tolist() == [1001.5, 501.5]
