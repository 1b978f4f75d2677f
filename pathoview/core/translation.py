"""Every sentence a person reads goes through here (stdlib gettext)."""

from __future__ import annotations

import gettext
from pathlib import Path

_catalogue: gettext.NullTranslations = gettext.NullTranslations()


def set_language(language: str, folder: Path) -> None:
    """Take the catalogue ``folder/language/LC_MESSAGES/pathoview.mo``; English when missing."""
    global _catalogue
    _catalogue = gettext.translation("pathoview", folder, languages=[language], fallback=True)


def _(text: str) -> str:
    """Translate a sentence."""
    return _catalogue.gettext(text)


def ngettext(singular: str, plural: str, n: int) -> str:
    """Translate a sentence that depends on a count; ``{n}`` is filled in by the caller."""
    return _catalogue.ngettext(singular, plural, n)
