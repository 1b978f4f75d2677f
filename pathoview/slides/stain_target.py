"""The look that slides get when no other is asked for."""

from __future__ import annotations

from pathoview.slides.stain_look import StainLook
from pathoview.slides.stains import H_E, StainMatrix

CMU_1 = StainLook(
    name="CMU-1",
    stains=StainMatrix.of(
        H_E.stains, (0.820463, 0.493112, 0.289277), (0.072980, 0.915369, 0.395946), "CMU-1"
    ),
    amounts=(3.1760, 2.7011),
    lab_mean=(47.4387, 29.0915, -12.3287),
    lab_sd=(19.0910, 12.6758, 9.8794),
)
"""Skin, H&E, Aperio scanner: measured with `target_look` on 50 tiles of tissue of the public-domain
slide CMU-1-Small-Region.svs (OpenSlide test data, CC0)."""
