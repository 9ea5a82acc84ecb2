"""A description as a page of text, 80 columns wide."""

from __future__ import annotations

from llmkg.describe import Description, Property, Statement
from llmkg.render import wrap

__all__ = ["description_text"]

_WIDTH = 80
#: so many neighbours of one kind, and values of one property, are shown; the others are counted
_MOST = 50


def description_text(found: Description, ascii_only: bool = False) -> str:
    """Give the page of an entity: names, values with their sources (numbered), conflicts, and what is not stated."""
    numbers = _numbers(found)
    title = " / ".join(found.labels)
    lines = [f"{title}   ({found.kind or 'concept'}, {found.path})"]
    if found.aliases:
        lines += _wrapped("also called: " + ", ".join(found.aliases), "  ")
    for name, labels in found.related:
        more = (
            f", … and {len(labels) - _MOST:,} more (llmkg query related --entity {found.path})"
            if len(labels) > _MOST
            else ""
        )
        lines += _wrapped(f"{name}: " + ", ".join(labels[:_MOST]) + more, "  ")
    lines.append("")
    for known in found.properties:
        lines += _property(known, numbers)
    if not found.properties:
        lines.append("No source states anything about it.")
    if found.not_stated:
        lines += ["", *_wrapped("not stated by any source: " + ", ".join(found.not_stated), "  ")]
    if numbers:
        lines += [
            "",
            *_wrapped("sources, with line: " + "  ".join(f"[{n}] {name}" for name, n in numbers.items()), "  "),
        ]
    text = "\n".join(lines) + "\n"
    return text.encode("ascii", "backslashreplace").decode() if ascii_only else text


def _numbers(found: Description) -> dict[str, int]:
    places = [p for known in found.properties for statement in known.statements for p in statement.places]
    return {name: index for index, name in enumerate(sorted({place.rpartition(":")[0] for place in places}), 1)}


def _property(known: Property, numbers: dict[str, int]) -> list[str]:
    lines: list[str] = []
    head = known.name + (" (sources disagree; shown first: the value the rule picks)" if known.conflict else "")
    if len(known.statements) == 1 and not known.conflict:
        return _hanging(f"{known.name}: ", _statement(known.statements[0], numbers))
    lines += _wrapped(f"{head}:", "")
    for statement in known.statements[:_MOST]:
        lines += _hanging("  - ", _statement(statement, numbers))
    if len(known.statements) > _MOST:
        lines += _hanging("  - ", f"… and {len(known.statements) - _MOST:,} more (llmkg claims)")
    return lines


def _statement(said: Statement, numbers: dict[str, int]) -> str:
    places = ", ".join(f"{numbers[p.rpartition(':')[0]]}:{p.rpartition(':')[2]}" for p in said.places)
    unit = "" if said.status else _unit(said)
    doubt = f" ({'; '.join(said.qualifiers)})" if said.qualifiers else ""
    return f"{said.status or said.value}{unit}{doubt} [{places}]"


def _unit(said: Statement) -> str:
    if not said.unit or said.unit in ("USD", "FLOP"):
        return f" {said.unit}".rstrip()
    if said.unit == "unit not stated":
        return f" ({said.unit})"
    return (
        f" {said.unit}"
        if said.value == "1"
        else f" {said.unit[:-1] + 'ies' if said.unit[-1] == 'y' else said.unit + 's'}"
    )


def _hanging(head: str, body: str) -> list[str]:
    start = head[: len(head) - len(head.lstrip())]
    return _wrapped(head.lstrip() + body, " " * min(len(head), 4), first=start)


def _wrapped(text: str, indent: str, first: str | None = None) -> list[str]:
    return wrap(text, _WIDTH, indent + "  ", indent if first is None else first)
