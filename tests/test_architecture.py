"""The house keeps its plan: who may import whom, where Qt and torch live, how large things get.

`ALLOWED` is the table of `resources/guide/architecture.md`; changing an arrow changes both.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pathoview.methods.registry import METHODS

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "pathoview"
GUIDE_PAGE = ROOT / "resources" / "guide" / "architecture.md"

ALLOWED: dict[str, set[str]] = {
    "core": set(),
    "slides": {"core"},
    "annotations": {"core"},
    "study": {"core", "annotations"},
    "evaluation": {"core", "annotations"},
    "layers": {"core", "slides", "annotations", "study"},
    "datasets": {"core", "slides", "annotations"},
    "methods": {"core", "slides", "annotations", "datasets", "evaluation"},
    "jobs": {"core"},
    "tasks": {
        *("core", "slides", "annotations", "study", "evaluation"),
        *("layers", "datasets", "methods", "jobs"),
    },
    "session": {
        *("core", "slides", "annotations", "study", "layers", "jobs", "datasets", "methods"),
    },
    "ui": {"core", "annotations", "layers", "jobs", "session"},
}
SPECS_ONLY = {  # what session may use: nothing of it computes, or imports torch
    "pathoview.methods.spec",
    "pathoview.methods.registry",
    "pathoview.methods.model",
    "pathoview.methods.library",
    "pathoview.methods.engine.encoder_list",
}
QT = {"PySide6", "shiboken6", "pyqtgraph", "superqt", "qtpy"}
TORCH = {"torch", "torchvision"}
TORCH_HOMES = ("methods/networks/", "methods/engine/")
UNSAFE = {"pickle", "shelve", "marshal", "dill"}
METHOD_FAMILIES = {"supervised", "weak", "semi", "unsupervised", "transfer"}

LONGEST_MODULE = 400
LONG_FUNCTION = 50
SHARE_OF_LONG_FUNCTIONS = 0.03

SOURCES = sorted(PACKAGE.rglob("*.py"))
TREES = {path: ast.parse(path.read_text("utf-8")) for path in SOURCES}


def inside(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()


def imported_names(nodes: Iterator[ast.AST]) -> Iterator[str]:
    """Dotted names of what is imported; ``from a import b`` gives ``a`` and ``a.b``."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def at_import_time(node: ast.AST) -> Iterator[ast.AST]:
    """Every node that runs when the module is imported: not in functions, not for types only."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            continue
        if isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from at_import_time(child)


def violations(found: dict[Path, set[str]]) -> list[str]:
    return sorted(f"{inside(path)}: {name}" for path, names in found.items() for name in names)


def forbidden_arrows(path: Path, names: set[str]) -> set[str]:
    package = inside(path).split("/")[0]
    if package not in ALLOWED:
        return set()  # the composition root: cli.py, __main__.py
    ours = {name for name in names if name.startswith("pathoview.")}
    allowed = {"__version__", *ALLOWED[package], package}
    wrong = {name for name in ours if name.split(".")[1] not in allowed}
    if package == "session":
        wrong |= {
            name
            for name in ours
            if name.startswith("pathoview.methods.")
            and not any(name == spec or name.startswith(f"{spec}.") for spec in SPECS_ONLY)
        }
    return wrong


def test_packages_import_only_what_the_table_allows() -> None:
    found = {
        path: forbidden_arrows(path, set(imported_names(ast.walk(tree))))
        for path, tree in TREES.items()
    }
    assert violations(found) == []


def test_the_check_sees_a_forbidden_arrow() -> None:
    session = PACKAGE / "session" / "session.py"
    assert forbidden_arrows(session, {"pathoview.tasks.analyze"}) == {"pathoview.tasks.analyze"}
    assert forbidden_arrows(session, {"pathoview.methods.outlines"})
    assert not forbidden_arrows(session, {"pathoview.methods.spec.MethodSpec", "pathoview.core"})
    assert forbidden_arrows(PACKAGE / "core" / "geometry.py", {"pathoview.slides.slide"})


def test_the_table_has_no_circles() -> None:
    remaining = dict(ALLOWED)
    while remaining:
        free = {name for name, uses in remaining.items() if not uses & remaining.keys()}
        assert free, f"a circle among {sorted(remaining)}"
        remaining = {name: uses for name, uses in remaining.items() if name not in free}


def test_every_package_has_a_place_in_the_table_and_in_the_guide() -> None:
    packages = {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    page = GUIDE_PAGE.read_text("utf-8")
    assert packages <= ALLOWED.keys()
    assert [name for name in sorted(packages) if f"`{name}/`" not in page] == []


def test_qt_lives_in_ui_only() -> None:
    found = {
        path: {name for name in imported_names(ast.walk(tree)) if name.split(".")[0] in QT}
        for path, tree in TREES.items()
        if not inside(path).startswith("ui/")
    }
    assert violations(found) == []


def test_torch_is_imported_with_a_module_only_in_networks_and_engine() -> None:
    found = {
        path: {name for name in imported_names(at_import_time(tree)) if name.split(".")[0] in TORCH}
        for path, tree in TREES.items()
        if not inside(path).startswith(TORCH_HOMES)
    }
    assert violations(found) == []


def test_nothing_unpickles() -> None:
    found = {
        path: {name for name in imported_names(ast.walk(tree)) if name.split(".")[0] in UNSAFE}
        for path, tree in TREES.items()
    }
    assert violations(found) == []


def test_methods_import_no_other_method() -> None:
    """A method's own helper shares its name: ``nuclei_watershed_params`` is no other method."""
    found: dict[Path, set[str]] = {}
    for path, tree in TREES.items():
        parts = inside(path).split("/")
        if parts[0] != "methods" or parts[1] not in METHOD_FAMILIES or path.stem == "__init__":
            continue
        found[path] = {
            name
            for name in imported_names(ast.walk(tree))
            if name.startswith(tuple(f"pathoview.methods.{family}." for family in METHOD_FAMILIES))
            and not same_method(name.split(".")[3], path.stem)
        }
    assert violations(found) == []


def same_method(one: str, other: str) -> bool:
    names = (one, other, *(spec.name for spec in METHODS))
    return any(one.startswith(name) and other.startswith(name) for name in names)


@pytest.mark.parametrize(
    "modules",
    [
        "pathoview.session.session",
        "pathoview.tasks.analyze, pathoview.tasks.export_file, pathoview.tasks.import_file",
        "pathoview.methods.registry",
        "pathoview.cli",
    ],
)
def test_headless_modules_load_neither_torch_nor_qt(modules: str) -> None:
    code = f"import sys, {modules}; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout.split()
    assert [name for name in loaded if name.split(".")[0] in QT | TORCH] == []


def test_every_module_opens_with_a_docstring() -> None:
    assert [inside(path) for path, tree in TREES.items() if not ast.get_docstring(tree)] == []


def test_modules_stay_readable_in_one_sitting() -> None:
    lengths = {inside(path): len(path.read_text("utf-8").splitlines()) for path in SOURCES}
    assert {name: lines for name, lines in lengths.items() if lines > LONGEST_MODULE} == {}


def test_long_functions_are_rare() -> None:
    lengths = {
        f"{inside(path)}:{node.name}": code_lines(node)
        for path, tree in TREES.items()
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }
    long = {name: lines for name, lines in lengths.items() if lines > LONG_FUNCTION}
    assert len(long) <= SHARE_OF_LONG_FUNCTIONS * len(lengths), long


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Lines of a function without its docstring."""
    lines = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function) is None:
        return lines
    return lines - ((first.end_lineno or first.lineno) - first.lineno + 1)
