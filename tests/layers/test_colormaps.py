from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from pathoview.layers.colormaps import COLORMAPS, Colormap, colors_of


def lightness(colors: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    return np.asarray(cv2.cvtColor(np.float32(colors[None] / 255), cv2.COLOR_RGB2Lab)[0, :, 0])


@pytest.mark.parametrize("name", COLORMAPS)
def test_every_name_has_256_colours_that_nobody_can_change(name: Colormap) -> None:
    colors = colors_of(name)
    assert colors.shape == (256, 3)
    assert len(np.unique(colors, axis=0)) > 200
    with pytest.raises(ValueError, match="read-only"):
        colors[0] = 0


@pytest.mark.parametrize("name", [name for name in COLORMAPS if name != "blue-red"])
def test_colours_rise_from_dark_to_light_in_even_steps(name: Colormap) -> None:
    eighths = np.diff(lightness(colors_of(name))[::32])
    assert eighths.min() > 0.5 * eighths.mean()


def test_differences_are_pale_in_the_middle_and_equally_dark_at_both_ends() -> None:
    colors = colors_of("blue-red")
    light = lightness(colors)
    assert abs(light[0] - light[-1]) < 3
    assert light.argmax() in (127, 128)
    assert colors[0, 2] > colors[0, 0] + 60
    assert colors[-1, 0] > colors[-1, 2] + 60
