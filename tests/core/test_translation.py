from __future__ import annotations

from pathlib import Path

from pathoview.core.translation import _, ngettext, set_language


def test_a_missing_catalogue_leaves_english(tmp_path: Path) -> None:
    set_language("zh_CN", tmp_path)
    assert _("Open") == "Open"
    assert ngettext("{n} nucleus", "{n} nuclei", 2) == "{n} nuclei"
