"""The layers of the design, held: a module imports only from the layers below its own, and nothing slow at the top."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "src" / "llmkg"

#: design, section 2; a module stands on the layer named, and may import from lower ones (and, with no cycle, from its own)
LAYERS = (
    {"version", "errors", "namespaces"},
    {
        "resources",
        "config",
        "identifiers",
        "quantities",
        "records",
        "results",
        "sparql_text",
        "transport",
        "ntriples",
        "trust",
    }
    | {"workers"},
    {"sources", "mapping", "queries", "endpoint", "closure"},
    {
        "counts",
        "identity",
        "names",
        "endpoint_names",
        "quads",
        "store",
        "home",
        "remote",
        "tree",
        "hub",
        "hub_facts",
        "repair",
    },
    {
        "inference",
        "suggest",
        "descent",
        "bulk",
        "hub_part",
        "importing",
        "build",
        "export",
        "render",
        "describe",
        "diagrams",
    }
    | {"validate", "shapes", "chunks", "findings", "engines", "reports", "publish"},
    {"graph"},
    {"cli", "__init__", "__main__"},
)
LAYER = {name: number for number, names in enumerate(LAYERS) for name in names}

#: imported inside one function: slow to load, or optional
INSIDE = {"pyshacl", "shacl", "SPARQLWrapper", "rdflib", "http", "pandas", "polars", "pyarrow", "huggingface_hub"}
#: of our own, what brings numpy and scipy, so that a reader of the graph does not wait for them
INSIDE_OWN = {"llmkg.build", "llmkg.importing"}
MODULES = sorted(PACKAGE.rglob("*.py"))


def name_of(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imports(path: Path) -> list[tuple[str, bool]]:
    """Give (module, whether at the top of the file) for every import, those for type checking left out."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(node)
        for guard in ast.walk(tree)
        if isinstance(guard, ast.If) and ast.unparse(guard.test) == "TYPE_CHECKING"
        for node in ast.walk(guard)
    }
    found = []
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found += [(alias.name, node in tree.body) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            package = node.module in ("llmkg", "llmkg.cli", "llmkg.sources")
            modules = [f"{node.module}.{alias.name}" for alias in node.names] if package else [node.module or ""]
            found += [(module, node in tree.body) for module in modules]
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_module_imports_only_from_layers_below(path: Path) -> None:
    own = name_of(path)
    for module, _ in imports(path):
        if module == "llmkg" or not module.startswith("llmkg."):
            continue
        other = module.split(".")[1]
        assert LAYER[other] <= LAYER[own], f"{own} (layer {LAYER[own]}) imports {other} (layer {LAYER[other]})"


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_slow_and_optional_libraries_are_imported_where_they_are_used(path: Path) -> None:
    for module, at_top in imports(path):
        inside = module.split(".")[0] in INSIDE or (module in INSIDE_OWN and name_of(path) in ("graph", "cli"))
        assert at_top != inside, f"{path.name}: {module} is imported {'at the top' if at_top else 'inside a function'}"


def test_modules_form_no_cycle() -> None:
    edges = {
        path.relative_to(PACKAGE).with_suffix("").as_posix(): {
            module.removeprefix("llmkg.").replace(".", "/")
            for module, _ in imports(path)
            if module.startswith("llmkg.")
        }
        for path in MODULES
    }
    edges = {name.removesuffix("/__init__"): targets for name, targets in edges.items()}
    done: set[str] = set()

    def visit(name: str, trail: tuple[str, ...]) -> None:
        assert name not in trail, f"cycle: {' → '.join((*trail, name))}"
        if name not in done:
            for target in edges.get(name, ()):
                visit(target, (*trail, name))
            done.add(name)

    for name in edges:
        visit(name, ())


def test_every_module_stands_on_a_layer() -> None:
    assert {name_of(path) for path in MODULES} <= LAYER.keys()


def test_every_module_lists_its_public_names() -> None:
    for path in MODULES:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        assigned = [node.targets[0] for node in tree.body if isinstance(node, ast.Assign)]
        named = any(isinstance(target, ast.Name) and target.id == "__all__" for target in assigned)
        assert named or path.name in ("__main__.py",) or path.parent.name == "sources", f"{path.name} has no __all__"
