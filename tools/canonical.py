"""Write data files in their canonical form: ``python tools/canonical.py [--check]``.

Keys stand in schema order, entities in slug order, claims in document order; the test ``tests/data/test_canonical.py`` calls
:func:`canonical` and names this command.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from llmkg.sources.claim_file import BLOCK_KEYS, CLAIM_KEYS
from llmkg.sources.entity_file import ENTITY_KEYS
from llmkg.sources.redirects import REDIRECT_COLUMNS
from llmkg.sources.source_list import SOURCE_KEYS
from llmkg.sources.text import read_text
from llmkg.sources.yaml_tree import Mapping, Node, Scalar, Sequence, parse_yaml

ROOT = Path(__file__).parents[1]
_PLAIN = re.compile(r"[^\W_](?:[^\n:#'\"*&!|>%@`\\]|:(?=[^\s,\]}])|(?<=\S)#)*")
_PLAIN_FLOW = re.compile(r"[^\W_][\w .+/()·・-]*")


def quote(text: str, *, flow: bool = False) -> str:
    """Give ``text`` as a YAML scalar: plain where that is safe, else in single quotes."""
    pattern = _PLAIN_FLOW if flow else _PLAIN
    safe = pattern.fullmatch(text) and text == text.strip() and not text.endswith(":")
    return text if safe else "'" + text.replace("'", "''") + "'"


def _ordered(node: Mapping, order: tuple[str, ...]) -> list[tuple[str, Node]]:
    first = [key for key in node.items if key not in order] if order is CLAIM_KEYS else []
    return [(key, node.items[key]) for key in (*first, *order) if key in node.items]


def _flow(node: Node) -> str:
    if isinstance(node, Scalar):
        return quote(node.text, flow=True)
    if isinstance(node, Sequence):
        return "[" + ", ".join(_flow(item) for item in node.items) + "]"
    return "{" + ", ".join(f"{key}: {_flow(value)}" for key, value in node.items.items()) + "}"


def _hub(node: Node) -> str:
    """Give the identifiers of the Hub from A to Z; one alone without brackets."""
    items = node.items if isinstance(node, Sequence) else (node,)
    texts = sorted((item.text for item in items if isinstance(item, Scalar)), key=lambda text: (text.lower(), text))
    return quote(texts[0]) if len(texts) == 1 else "[" + ", ".join(quote(text, flow=True) for text in texts) + "]"


def _entry(node: Mapping, order: tuple[str, ...], indent: str = "") -> list[str]:
    lines: list[str] = []
    for key, value in _ordered(node, order):
        if key == "claims" and isinstance(value, Sequence):
            lines.append(f"{indent}  claims:")
            for claim in value.items:
                assert isinstance(claim, Mapping)  # noqa: S101 - the data's own reader says it better
                lines += _entry(claim, CLAIM_KEYS, indent + "  ")
        elif key == "hub":
            lines.append(f"{indent}  hub: {_hub(value)}")
        else:
            shown = quote(value.text) if isinstance(value, Scalar) else _flow(value)
            lines.append(f"{indent}  {key}: {shown}")
    lines[0] = f"{indent}- {lines[0].lstrip()}"
    return lines


def data_files() -> list[Path]:
    """Give the data files that have a canonical form; the ledger is not among them, as it only ever grows at its end."""
    return [*sorted((ROOT / "data").rglob("*.yaml")), ROOT / "data" / "redirects.csv"]


def _redirects(path: Path) -> str:
    """Give the redirects from A to Z, in lower and upper case alike."""
    rows = [line for line in read_text(path).split("\n")[1:] if line]
    return "\n".join([",".join(REDIRECT_COLUMNS), *sorted(rows, key=lambda row: (row.lower(), row))]) + "\n"


def canonical(path: Path) -> str:
    """Give the canonical text of a data file."""
    if path.suffix == ".csv":
        return _redirects(path)
    tree = parse_yaml(read_text(path), str(path))
    entries = [entry for entry in getattr(tree, "items", ()) if isinstance(entry, Mapping)]
    order: tuple[str, ...]
    if path.parent.name == "claims":
        order, entries = BLOCK_KEYS, sorted(entries, key=lambda entry: int(entry.text("line")))
    elif path.name == "sources.yaml":
        order = SOURCE_KEYS
    else:
        order, entries = ENTITY_KEYS, sorted(entries, key=lambda entry: entry.text("slug"))
    head = [line for line in read_text(path).split("\n") if line.startswith("# ")]
    return "\n".join([*head, *(line for entry in entries for line in _entry(entry, order))]) + "\n"


def main(arguments: list[str]) -> int:
    """Rewrite every data file, or with ``--check`` only name those that differ; give 1 where one does."""
    wrong = 0
    for path in data_files():
        text = canonical(path)
        if text != path.read_text(encoding="utf-8"):
            wrong = 1
            print(f"{path.relative_to(ROOT)}: not canonical" + ("; run make format" if "--check" in arguments else ""))
            if "--check" not in arguments:
                path.write_text(text, encoding="utf-8")
    return wrong if "--check" in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
