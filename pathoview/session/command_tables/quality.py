"""Commands that tell how good a slide is, and show it in the colours of another."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from pathoview.core.translation import _
from pathoview.session.command import Command, has_slide
from pathoview.session.quality_desk import preview_normalisation, show_quality
from pathoview.slides.stain_normalisation import METHOD_NAMES, NormalisingMethod

if TYPE_CHECKING:
    from pathoview.session.session import Session

_PREVIEW = _("Stain normalisation preview")


def _preview(session: Session, method: NormalisingMethod) -> None:
    preview_normalisation(session, method)


COMMANDS: tuple[Command, ...] = (
    Command("quality.show", _("Show quality layers"), "", "View", has_slide, show_quality),
    *(
        Command(
            f"normalise.{method}",
            _("Normalise stains: {method}").format(method=name),
            "",
            "View",
            has_slide,
            partial(_preview, method=method),
            submenu=_PREVIEW,
        )
        for method, name in METHOD_NAMES.items()
    ),
)
