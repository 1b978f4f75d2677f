from __future__ import annotations

import logging
from pathlib import Path

from pathoview.core.logs import log_file, start_logging, stop_logging
from pathoview.core.privacy import hide, scrub


def test_a_hidden_slide_leaves_neither_path_nor_name_nor_stem() -> None:
    hide(Path("/clinic/Erika Mustermann 1960.svs"), "slide-12ab")
    text = scrub("open /clinic/Erika Mustermann 1960.svs; Erika Mustermann 1960 is broken")
    assert text == "open slide-12ab; slide-12ab is broken"


def test_quoted_paths_of_other_files_are_shortened_and_sources_stay() -> None:
    text = scrub("No such file: '/clinic/Other Name.svs'\n  File \"/x/pathoview/cli.py\", line 3")
    assert "Other Name" not in text
    assert "/x/pathoview/cli.py" in text


def test_the_log_file_holds_no_name_even_in_a_traceback() -> None:
    hide(Path("/clinic/Meier_Anna.svs"))
    start_logging()
    try:
        try:
            raise OSError(2, "No such file", "/clinic/Meier_Anna.svs")
        except OSError:
            logging.getLogger("pathoview.test").exception("Meier_Anna.svs failed")
    finally:
        stop_logging()
    text = log_file().read_text()
    assert "failed" in text
    assert "Meier" not in text


def test_a_pseudonym_is_not_hidden_once_more_and_words_are_not_cut() -> None:
    hide(Path("/clinic/slide.svs"), "slide-77aa")
    hide(Path("/clinic/Roe.svs"), "slide-1")
    assert scrub("cannot read /clinic/Roe.svs of slides") == "cannot read slide-1 of slides"
