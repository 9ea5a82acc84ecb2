"""Everything known of one entity: each value with its sources, conflicts side by side, and what nobody states."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pyoxigraph import NamedNode

from llmkg.namespaces import shorten
from llmkg.render import shown
from llmkg.results import Results, Term, plain_text

__all__ = ["Description", "Property", "Statement", "describe"]

#: runs a stored query by name with bound terms, by variable
Ask = Callable[[str, Mapping[str, Term]], Results]


@dataclass(frozen=True, slots=True)
class Statement:
    """One value, who states it (``source:line``), its qualifiers, and whether it is the one shown first of several."""

    value: str
    unit: str
    places: tuple[str, ...]
    qualifiers: tuple[str, ...]
    status: str = ""


@dataclass(frozen=True, slots=True)
class Property:
    """A property with its statements; ``conflict`` where sources disagree."""

    name: str
    statements: tuple[Statement, ...]
    conflict: bool = False


@dataclass(frozen=True, slots=True)
class Description:
    """An entity: path, labels, kind, other names, properties, parts around it, and expected but unstated properties."""

    path: str
    labels: tuple[str, ...]
    kind: str
    aliases: tuple[str, ...]
    properties: tuple[Property, ...]
    related: tuple[tuple[str, tuple[str, ...]], ...]
    not_stated: tuple[str, ...]


def describe(entity: NamedNode, ask: Ask) -> Description:
    """Give the description of ``entity``, asked through the stored queries ``entity``, ``claims``, ``conflicts``,
    ``not-stated``, ``related`` and ``value-labels``.
    """
    names = ask("entity", {"entity": entity})
    claims = ask("claims", {"about": entity})
    conflicts = ask("conflicts", {"about": entity})
    missing = ask("not-stated", {"entity": entity})
    related = ask("related", {"entity": entity})
    first = dict(zip(names.columns, names.rows[0], strict=True)) if names.rows else {}
    labels = tuple(text for text in (plain_text(first.get("label")), plain_text(first.get("labelZh"))) if text)
    aliases = plain_text(first.get("aliases"))
    return Description(
        path=shorten(entity.value),
        labels=tuple(dict.fromkeys(labels)) or (shorten(entity.value),),
        kind=plain_text(first.get("kind")),
        aliases=tuple(aliases.split("; ")) if aliases else (),
        properties=_properties(claims, conflicts, ask("value-labels", {"about": entity})),
        related=_groups(related),
        not_stated=tuple(sorted({shorten(plain_text(row[2])) for row in missing.rows})),
    )


def _properties(claims: Results, conflicts: Results, named: Results) -> tuple[Property, ...]:
    at = {name: index for index, name in enumerate(claims.columns)}
    ranks = _ranks(conflicts)
    names = {row[0]: plain_text(row[1]) for row in named.rows}
    grouped: dict[str, dict[Term | None, list[tuple[Term | None, ...]]]] = {}
    for row in claims.rows:
        name = shorten(plain_text(row[at["property"]]))
        grouped.setdefault(name, {}).setdefault(row[at["value"]], []).append(row)
    found = []
    for name, values in sorted(grouped.items()):
        ordered = sorted(values, key=lambda value: (ranks.get((name, value), 1), shown(value)))
        statements = tuple(_statement(value, values[value], at, names) for value in ordered)
        found.append(Property(name, statements, any((name, value) in ranks for value in values)))
    return tuple(found)


def _ranks(conflicts: Results) -> dict[tuple[str, Term | None], int]:
    at = {name: index for index, name in enumerate(conflicts.columns)}
    ranks: dict[tuple[str, Term | None], int] = {}
    for row in conflicts.rows:
        preferred = plain_text(row[at["shown"]]) == "true"
        ranks[shorten(plain_text(row[at["property"]])), row[at["value"]]] = 0 if preferred else 2
    return ranks


def _statement(
    value: Term | None, rows: list[tuple[Term | None, ...]], at: dict[str, int], names: Mapping[Term | None, str]
) -> Statement:
    places = {(plain_text(row[at["source"]]), int(plain_text(row[at["line"]]))) for row in rows}
    qualifiers = {plain_text(row[at["qualifier"]]) for row in rows} - {""}
    unit = plain_text(rows[0][at["unit"]])
    nothing = plain_text(rows[0][at["status"]])
    status = f"stated to be {nothing}" if nothing else ""
    text = names.get(value) or shown(value)
    return Statement(
        text, unit, tuple(f"{source}:{line}" for source, line in sorted(places)), tuple(sorted(qualifiers)), status
    )


def _groups(related: Results) -> tuple[tuple[str, tuple[str, ...]], ...]:
    groups: dict[str, list[str]] = {}
    for row in related.rows:
        groups.setdefault(plain_text(row[0]), []).append(plain_text(row[2]))
    return tuple((name, tuple(dict.fromkeys(labels))) for name, labels in groups.items())
