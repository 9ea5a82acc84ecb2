"""A model card: the YAML at the top of a ``README.md``, as the record that the Hub's API would give.

Texts stay texts: ``language: no`` is Norwegian, and ``version: 3.10`` is no number. Only an empty value and ``null`` are null.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from llmkg.errors import Problem, SourceError
from llmkg.sources.batch import Batch, Limits
from llmkg.sources.record_line import is_hub_id
from llmkg.sources.text import decode
from llmkg.sources.yaml_tree import Mapping, Node, Scalar, Sequence, parse_yaml

__all__ = ["CARD", "card_id", "read_card"]

CARD = "README.md"
_BOM = b"\xef\xbb\xbf"
_FENCE = re.compile(rb"\r?\n---[ \t]*(?:\r?\n|\Z)")
_NULLS = ("", "~", "null", "Null", "NULL")


def card_id(path: Path) -> str:
    """Give the id of the model whose card is ``path``, from the folders that it stands in; empty where they give none.

    >>> card_id(Path("/cards/meta-llama/Llama-2-7b-hf/README.md"))
    'meta-llama/Llama-2-7b-hf'
    >>> card_id(Path("hub/models--meta-llama--Llama-2-7b-hf/snapshots/01c7f73d/README.md"))
    'meta-llama/Llama-2-7b-hf'
    """
    parts = path.absolute().parent.parts
    cached = [part for part in parts if part.startswith("models--")]
    name = "/".join(cached[-1].split("--", 2)[1:]) if cached else "/".join(parts[-2:])
    return name if is_hub_id(name) else ""


def read_card(path: Path, name: str, limits: Limits) -> Iterator[Batch | Problem]:
    """Give the record of the model whose card is ``path``, or what is wrong with the card."""
    model = card_id(path)
    if not model:
        yield Problem(name, "does not stand in folders named like a model", "put it at owner/name/README.md")
        return
    try:
        with path.open("rb") as file:
            data = file.read(limits.line)
        card = _front_matter(data, name)
    except OSError as error:
        yield Problem(name, f"cannot be read: {error.strerror}", "may you read it?")
    except SourceError as error:
        yield from error.problems
    else:
        yield Batch(name, 1, (orjson.dumps({"id": model} | ({"cardData": card} if card else {})),))


def _front_matter(data: bytes, name: str) -> dict[str, Any]:
    """Give what stands between the first two lines ``---``, or nothing where the file does not start with one."""
    if data.startswith((b"\xff\xfe", b"\xfe\xff")) or not data.removeprefix(_BOM).strip():
        decode(data, name)  # raises
    body = data.removeprefix(_BOM)
    if not re.match(rb"---[ \t]*\r?\n", body):
        return {}
    end = _FENCE.search(body)
    if not end:
        raise SourceError([Problem(f"{name}:1:1", "the YAML at the top has no end", "write --- below it")])
    if not body[3 : end.start()].strip():
        return {}
    tree = parse_yaml(decode(body[: end.start()] + b"\n", name), name)
    if not isinstance(tree, Mapping):
        raise SourceError([Problem(str(tree.place), "the YAML at the top has no keys", "write 'key: value' lines")])
    return {key: _value(node) for key, node in tree.items.items()}


def _value(node: Node) -> Any:
    if isinstance(node, Scalar):
        return None if node.text in _NULLS else node.text
    if isinstance(node, Sequence):
        return [_value(item) for item in node.items]
    return {key: _value(item) for key, item in node.items.items()}
