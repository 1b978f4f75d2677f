"""Check splits for leaks: a study, a folder of exported tiles, or a folder a split."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict

from pathoview.core.errors import InputError, UsageError
from pathoview.core.files import replacing
from pathoview.core.progress import Progress
from pathoview.core.translation import _
from pathoview.datasets.leak_embedding import NAME, describe
from pathoview.datasets.leaks import audit
from pathoview.study.leak_params import LeakParams
from pathoview.tasks.leak_report import html_of, page_of
from pathoview.tasks.leak_sources import Said, Source, from_folders, from_study, from_tiles


class LeaksRequest(BaseModel):
    """What to check, and where to write what was found. One of the three sources is named."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    study: str = ""
    tiles: str = ""
    """A folder that ``export-tiles`` has written."""
    folders: dict[str, str] = {}
    """A folder of pictures by the name of its split."""
    groups: str = ""
    """A table of what is said of the pictures; see `leak_sources.Said`."""
    params: dict[str, Any] = {}
    """See `LeakParams`."""
    report: str = ""
    """An HTML file; empty: none."""
    page: str = ""
    """A JSON file of what the HTML file shows, for the window; empty: none."""


def run(request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """Check for leaks and write the report; see `LeaksRequest`.

    Raises `UsageError` when there are no two splits, `InputError` for a source that cannot be read,
    `StorageError` when the disk refuses, `Cancelled` when asked to stop.
    """
    order = LeaksRequest.model_validate(request)
    params = LeakParams.parse(order.params)
    source = _source(order, params)
    found = audit(source.items, progress, describe if params.alike else None)
    page = page_of(found, source.items, progress)
    page["embedding"] = NAME if params.alike else ""
    page["warnings"] = list(source.warnings)
    for target, data in (
        (order.report, html_of(page).encode()),
        (order.page, orjson.dumps(page)),
    ):
        if target:
            with replacing(Path(target)) as file:
                file.write(data)
    return {
        "n_items": len(source.items),
        "report": order.report,
        "page": order.page,
        **{key: value for key, value in page.items() if key != "findings"},
        "findings": [_without_pictures(one) for one in page["findings"]],
    }


def _source(order: LeaksRequest, params: LeakParams) -> Source:
    if bool(order.study) + bool(order.tiles) + bool(order.folders) != 1:
        raise UsageError(
            _("Name one thing to check: a study, a folder of tiles, or a folder for each split.")
        )
    said = Said(Path(order.groups) if order.groups else None)
    if order.folders:
        folders = {split: Path(folder) for split, folder in order.folders.items()}
        return from_folders(folders, params, said)
    if order.tiles:
        return from_tiles(Path(order.tiles), params, said)
    if not Path(order.study).is_file():
        raise InputError(_("There is no study “{name}”.").format(name=Path(order.study).name))
    return from_study(Path(order.study), params)


def _without_pictures(finding: Mapping[str, Any]) -> dict[str, Any]:
    pairs = [
        {
            "note": pair["note"],
            "items": [
                {key: value for key, value in side.items() if key != "png"}
                for side in pair["items"]
            ],
        }
        for pair in finding["pairs"]
    ]
    return {**finding, "pairs": pairs}
