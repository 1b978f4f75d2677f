"""The view as an image on the clipboard."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtGui import QGuiApplication, QImage

from pathoview.core.errors import UsageError
from pathoview.core.translation import _
from pathoview.layers.source import Rgba
from pathoview.session.notices import from_error
from pathoview.session.pictures import take_picture
from pathoview.session.session import Session
from pathoview.ui.text import size_text


def copy_view(session: Session, say: Callable[[str], None]) -> None:
    """Put what is seen now on the clipboard, made as pictures were exported last.

    ``say`` shows a short word on the canvas.
    """

    def on_done(picture: Rgba | None, error: BaseException | None) -> None:
        if picture is None:
            if error is not None:
                session.notice.emit(from_error(error))
            return
        height, width = picture.shape[:2]
        image = QImage(picture.data, width, height, 4 * width, QImage.Format.Format_RGBA8888)
        QGuiApplication.clipboard().setImage(image.convertToFormat(QImage.Format.Format_RGB888))
        say(_("Copied, {size}").format(size=size_text(width, height)))

    try:
        take_picture(session, session.settings.picture, on_done)
    except UsageError as error:
        session.notice.emit(from_error(error))
