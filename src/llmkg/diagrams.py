"""Pictures of a lineage: text tree, Mermaid, DOT, GraphML, SVG and JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from html import escape

from llmkg.namespaces import BASE
from llmkg.render import width
from llmkg.tree import Edge, Graph, Tree, grow

__all__ = ["FORMATS", "draw", "text_tree"]

#: relation → words and colour (Okabe-Ito, safe for the colour-blind)
_RELATIONS = {
    "adapterOf": ("adapter of", "#CC79A7"),
    "continuedPretrainingFrom": ("continued pretraining from", "#D55E00"),
    "derivedFrom": ("derived from", "#666666"),
    "distilledFrom": ("distilled from", "#56B4E9"),
    "fineTunedFrom": ("fine-tuned from", "#0072B2"),
    "mergedFrom": ("merged from", "#E69F00"),
    "quantizedFrom": ("quantized from", "#009E73"),
}
FORMATS = ("tree", "mermaid", "dot", "graphml", "json", "svg")
_FANCY = ("├─ ", "└─ ", "│  ", "   ")
_PLAIN = ("|- ", "`- ", "|  ", "   ")


def draw(graph: Graph, form: str, ascii_only: bool = False) -> str:
    """Give the lineage ``graph`` in the format ``form`` (one of ``FORMATS``), ending with a line end."""
    if form == "tree":
        return text_tree(grow(graph), ascii_only)
    return {"mermaid": _mermaid, "dot": _dot, "graphml": _graphml, "json": _json, "svg": _svg}[form](graph)


def text_tree(tree: Tree, ascii_only: bool = False) -> str:
    """Give a tree for the terminal: branches grouped by relation, the evidence as ``[source number:line]``.

    A step that is inferred names the rules by which it is: ``[1:60 by gguf-files]``.
    """
    numbers = {name: index for index, name in enumerate(sorted(_source_names(tree)), 1)}
    lines = [_name(tree)]
    lines += _branches(tree, "", _PLAIN if ascii_only else _FANCY, numbers)
    if numbers:
        lines += ["", "Sources, with line: " + "  ".join(f"[{n}] {name}" for name, n in numbers.items())]
        lines += ["by …: inferred by this rule"] if _has_rule(tree) else []
    text = "\n".join(lines) + "\n"
    return text.encode("ascii", "replace").decode() if ascii_only else text


def _source_names(tree: Tree) -> set[str]:
    own = {place.rpartition(":")[0] for place in tree.edge.sources} if tree.edge else set()
    return own.union(*(_source_names(branch) for branch in tree.branches))


def _has_rule(tree: Tree) -> bool:
    return bool(tree.edge and tree.edge.rule) or any(map(_has_rule, tree.branches))


def _branches(tree: Tree, indent: str, marks: tuple[str, str, str, str], numbers: dict[str, int]) -> Iterator[str]:
    relations = list(dict.fromkeys(branch.edge.relation for branch in tree.branches if branch.edge))
    for number, relation in enumerate(relations):
        last_group = number == len(relations) - 1
        group = [branch for branch in tree.branches if branch.edge and branch.edge.relation == relation]
        words = {"adapter of": "adapters"}.get(_RELATIONS[relation][0], _RELATIONS[relation][0].removesuffix(" from"))
        yield f"{indent}{marks[1] if last_group else marks[0]}{words}"
        inner = indent + (marks[3] if last_group else marks[2])
        for index, branch in enumerate(group):
            last = index == len(group) - 1
            yield f"{inner}{marks[1] if last else marks[0]}{_name(branch)}{_evidence(branch, tree, numbers)}"
            yield from _branches(branch, inner + (marks[3] if last else marks[2]), marks, numbers)


def _name(tree: Tree) -> str:
    sizes = ", ".join(model.size or model.label.removeprefix(tree.model.label).strip() for model in tree.folded)
    return tree.model.label + (f" ({sizes})" if sizes else "") + (" (see above)" if tree.repeated else "")


def _evidence(branch: Tree, parent: Tree, numbers: dict[str, int]) -> str:
    edge = branch.edge
    if edge is None:
        return ""
    other = edge.parent if branch.model.path == edge.child else edge.child
    through = "" if other == parent.model.path else f" {_short(other, parent)}"
    doubt = f" {edge.qualifier}" if edge.qualifier else ""
    places = ", ".join(f"{numbers[place.rpartition(':')[0]]}:{place.rpartition(':')[2]}" for place in edge.sources)
    rule = f" by {edge.rule.replace('; ', ', ')}" if edge.rule else ""
    return f"{through}{doubt} [{places or edge.evidence}{rule}]"


def _short(path: str, parent: Tree) -> str:
    """Give the size of the member of the parent family that the edge names: ``from 7B``."""
    name = path.rpartition("/")[2]
    size = name.removeprefix(parent.model.path.rpartition("/")[2]).strip("-")
    return f"(from {size.upper() or name})"


def _nodes(graph: Graph) -> list[tuple[str, str]]:
    paths = {graph.root} | {path for edge in graph.edges for path in (edge.parent, edge.child)}
    return [(path, graph.models[path].label if path in graph.models else path) for path in sorted(paths)]


def _label(edge: Edge) -> str:
    return _RELATIONS[edge.relation][0] + (f", {edge.qualifier}" if edge.qualifier else "")


def _mermaid(graph: Graph) -> str:
    ids = {path: f"n{index}" for index, (path, _) in enumerate(_nodes(graph))}
    lines = ["flowchart LR"]
    lines += [f'  {ids[path]}["{label.replace(chr(34), "#quot;")}"]' for path, label in _nodes(graph)]
    for edge in graph.edges:
        arrow = "-->" if edge.evidence == "stated" else "-.->"
        lines.append(f'  {ids[edge.parent]} {arrow}|"{_label(edge)}"| {ids[edge.child]}')
    return "\n".join(lines) + "\n"


def _dot(graph: Graph) -> str:
    def quoted(text: str) -> str:
        return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'

    lines = ["digraph lineage {", "  rankdir=LR;", '  node [shape=box, fontname="sans-serif"];']
    lines += [f"  {quoted(path)} [label={quoted(label)}];" for path, label in _nodes(graph)]
    for edge in graph.edges:
        style = "solid" if edge.evidence == "stated" else "dashed"
        colour = _RELATIONS[edge.relation][1]
        attributes = f'label={quoted(_label(edge))}, style={style}, color="{colour}"'
        lines.append(f"  {quoted(edge.parent)} -> {quoted(edge.child)} [{attributes}];")
    return "\n".join([*lines, "}"]) + "\n"


def _graphml(graph: Graph) -> str:
    keys = [("node", "label", "string"), ("node", "iri", "string"), ("node", "size", "string")]
    keys += [("edge", name, "string") for name in ("relation", "evidence", "rule", "qualifier", "sources")]
    keys += [("edge", "distance", "int")]
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', '<graphml xmlns="http://graphml.graphdrawing.org/xmlns">']
    lines += [f'  <key id="{name}" for="{on}" attr.name="{name}" attr.type="{kind}"/>' for on, name, kind in keys]
    lines.append('  <graph id="lineage" edgedefault="directed">')
    for path, label in _nodes(graph):
        size = graph.models[path].size if path in graph.models else ""
        data = _data({"label": label, "iri": BASE + path, "size": size})
        lines.append(f'    <node id="{escape(path)}">{data}</node>')
    for edge in graph.edges:
        values = {"relation": edge.relation, "evidence": edge.evidence, "rule": edge.rule, "qualifier": edge.qualifier}
        values |= {"sources": " ".join(edge.sources), "distance": str(edge.distance)}
        lines.append(f'    <edge source="{escape(edge.parent)}" target="{escape(edge.child)}">{_data(values)}</edge>')
    return "\n".join([*lines, "  </graph>", "</graphml>"]) + "\n"


def _data(values: dict[str, str]) -> str:
    return "".join(f'<data key="{key}">{escape(value)}</data>' for key, value in values.items() if value)


def _json(graph: Graph) -> str:
    nodes = [{"id": path, "iri": BASE + path, "label": label} for path, label in _nodes(graph)]
    edges = [
        {
            "parent": edge.parent,
            "child": edge.child,
            "relation": edge.relation,
            "evidence": edge.evidence,
            "rule": edge.rule or None,
            "qualifier": edge.qualifier or None,
            "sources": list(edge.sources),
            "distance": edge.distance,
        }
        for edge in graph.edges
    ]
    direction = "up" if graph.up else "down"
    tree = {"root": graph.root, "direction": direction, "nodes": nodes, "edges": edges}
    return json.dumps(tree, ensure_ascii=False, indent=2) + "\n"


_ROW, _COLUMN, _BOX, _MARGIN, _TOP = 26, 320, 260, 16, 60
_LETTERS = 40


def _svg(graph: Graph) -> str:
    """Draw the tree from left to right: one row a leaf, colour for the relation, a broken line for inherited steps."""
    tree = grow(graph)
    boxes: list[tuple[Tree, int, float]] = []
    links: list[tuple[float, int, float, int, Edge]] = []
    rows = 0

    def place(node: Tree, depth: int) -> float:
        nonlocal rows
        ends = [(place(branch, depth + 1), branch) for branch in node.branches]
        if ends:
            row = (ends[0][0] + ends[-1][0]) / 2
        else:
            row = float(rows)
            rows += 1
        links.extend((row, depth, end, depth + 1, branch.edge) for end, branch in ends if branch.edge)
        boxes.append((node, depth, row))
        return row

    place(tree, 0)
    depth = max(level for _, level, _ in boxes)
    across, height = _MARGIN * 2 + depth * _COLUMN + _BOX, _TOP + rows * _ROW + _MARGIN
    title = escape(f"Lineage of {tree.model.label}")
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {across} {height}" width="{across}" height="{height}" '
        f'font-family="sans-serif" font-size="12" role="img"><title>{title}</title>'
        f'<rect width="{across}" height="{height}" fill="#ffffff"/>'
    )
    body = [*_legend(graph), *map(_link, links), *(_box(node, level, row) for node, level, row in boxes)]
    return "\n".join([head, *body, "</svg>"]) + "\n"


def _legend(graph: Graph) -> Iterator[str]:
    x = float(_MARGIN)
    for relation in sorted({edge.relation for edge in graph.edges}):
        words, colour = _RELATIONS[relation]
        yield f'<line x1="{x:g}" y1="20" x2="{x + 22:g}" y2="20" stroke="{colour}" stroke-width="3"/>'
        yield f'<text x="{x + 28:g}" y="24">{words}</text>'
        x += 44 + 6.6 * len(words)
    meaning = "solid: stated by a source; broken: inferred by a rule, inherited from the family, or ambiguous"
    yield f'<text x="{_MARGIN}" y="44" fill="#555555">{meaning}</text>'


def _link(link: tuple[float, int, float, int, Edge]) -> str:
    row, level, end, end_level, edge = link
    x1, y1 = _MARGIN + level * _COLUMN + _BOX, _TOP + row * _ROW + 10
    x2, y2 = _MARGIN + end_level * _COLUMN, _TOP + end * _ROW + 10
    middle = (x1 + x2) / 2
    dash = "" if edge.evidence == "stated" and not edge.qualifier else ' stroke-dasharray="4 3"'
    path = f"M{x1:g} {y1:g} C{middle:g} {y1:g} {middle:g} {y2:g} {x2:g} {y2:g}"
    return f'<path d="{path}" fill="none" stroke="{_RELATIONS[edge.relation][1]}" stroke-width="1.6"{dash}/>'


def _box(node: Tree, level: int, row: float) -> str:
    x, y = _MARGIN + level * _COLUMN, _TOP + row * _ROW
    name = _name(node)
    shown = name
    while width(shown) > _LETTERS:
        shown = shown.rstrip("…")[:-1] + "…"
    return (
        f'<g><title>{escape(name)}</title><rect x="{x:g}" y="{y:g}" width="{_BOX}" height="20" rx="4" fill="#f4f6f8" '
        f'stroke="#b8c0c8"/><text x="{x + 8:g}" y="{y + 14:g}">{escape(shown)}</text></g>'
    )
