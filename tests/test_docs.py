"""What the documents say is there: links, files and commands."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import typer

from pathoview.cli import app

ROOT = Path(__file__).parents[1]
GUIDE = ROOT / "resources" / "guide"
DOCUMENTS = [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted(GUIDE.glob("*.md"))]
PAGES = (
    *("index", "getting-started", "viewer", "methods", "evaluate", "formats", "geojson"),
    *(
        "annotate",
        "study",
        "measurements",
        "leaks",
        "teach",
        "review",
        "tiles",
        "features",
        "slide-labels",
        "clips",
        "cases",
    ),
    *("models", "performance", "troubleshooting", "architecture"),
)
MACHINE_PATHS = re.compile(r"(?<![\w.])(?:/work|/tmp|/root|/home/\w+|[A-Z]:\\)\b")
UNFINISHED = re.compile(r"\b(?:TODO|TBD|FIXME|XXX|lorem)\b", re.IGNORECASE)

each_document = pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.name)


def linked_files(document: Path) -> set[Path]:
    targets = re.findall(r"\]\(([^)#\s]+)(?:#[^)]*)?\)", document.read_text("utf-8"))
    return {document.parent / target for target in targets if "://" not in target}


@each_document
def test_links_lead_to_files(document: Path) -> None:
    assert [str(path) for path in linked_files(document) if not path.exists()] == []


@each_document
def test_source_files_named_in_a_document_exist(document: Path) -> None:
    named = re.findall(
        r"(?:pathoview|tests|installer|resources)/[\w/-]+\.(?:py|sh|md)",
        document.read_text("utf-8"),
    )
    written = {name for name in named if "NAME" not in name}
    assert [name for name in sorted(written) if not (ROOT / name).is_file()] == []


@each_document
def test_documents_are_free_of_machine_paths_and_unfinished_places(document: Path) -> None:
    text = document.read_text("utf-8")
    assert MACHINE_PATHS.findall(text) == []
    assert UNFINISHED.findall(text) == []


@each_document
def test_commands_in_a_document_exist_with_their_options(document: Path) -> None:
    for line in re.findall(
        r"^ {4}(?:\.venv/bin/)?pathoview (.+)$", document.read_text("utf-8"), re.M
    ):
        named, words = typer.main.get_command(app), line.split()
        while words and (inner := getattr(named, "commands", None)) is not None:
            assert words[0] in inner, line
            named = inner[words.pop(0)]
        known = {name for parameter in named.params for name in parameter.opts}
        assert set(re.findall(r"--[a-z-]+", line)) <= known, line


def test_the_guide_has_every_page_and_its_index_links_them() -> None:
    index = linked_files(GUIDE / "index.md")
    assert [name for name in PAGES if not (GUIDE / f"{name}.md").is_file()] == []
    assert {GUIDE / f"{name}.md" for name in PAGES} - {GUIDE / "index.md"} <= index


def test_the_licence_is_the_one_that_the_project_names() -> None:
    text = (ROOT / "LICENSE").read_text("utf-8")
    assert "Apache License" in text
    assert "Version 2.0, January 2004" in text
    assert 'license = "Apache-2.0"' in (ROOT / "pyproject.toml").read_text("utf-8")


@pytest.mark.parametrize("document", [ROOT / "README.md", GUIDE / "index.md"], ids=lambda p: p.name)
def test_research_use_is_stated(document: Path) -> None:
    text = " ".join(document.read_text("utf-8").split())
    assert "research use only" in text.lower()
    assert "not a medical device" in text


def test_the_demo_slide_ships_with_its_attribution() -> None:
    demo = ROOT / "resources" / "demo"
    assert (demo / "CMU-1-Small-Region.svs").is_file()
    assert "CC0" in " ".join(path.read_text("utf-8") for path in demo.glob("*.md"))
