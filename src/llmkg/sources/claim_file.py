"""``data/claims/<source>.yaml``: what one source says, in document order."""

from __future__ import annotations

from pathlib import Path

from llmkg.errors import Problem, SourceError
from llmkg.records import ClaimRecord
from llmkg.sources.yaml_tree import MAX_DIGITS, Mapping, Reading, Sequence, read_entries, wrong

__all__ = ["BLOCK_KEYS", "CLAIM_KEYS", "MAX_QUOTE", "QUALIFIERS", "read_claim_file"]

#: what may stand in a claim beside its one property
CLAIM_KEYS = ("quote", "qualifier", "asOf", "note")
BLOCK_KEYS = ("line", "repeated", "about", "claims")
QUALIFIERS = (
    "ambiguous",
    "approximately",
    "at least",
    "at most",
    "less than",
    "more than",
    "planned",
    "reported",
)
MAX_QUOTE = 80


def read_claim_file(path: Path, name: str) -> Reading[ClaimRecord]:
    """Give the claims of one source, whose id is the file's stem; ``name`` is the file's name in messages."""
    return read_entries(path, name, lambda block: _read_block(path.stem, block))


def _read_block(source: str, block: Mapping) -> list[ClaimRecord]:
    block.only(*BLOCK_KEYS)
    lines = tuple(_line(block, text) for text in (block.text("line"), *block.texts("repeated")))
    claims = block.items.get("claims")
    if not isinstance(claims, Sequence) or not claims.items:
        raise wrong(block.place, "has no list of claims", "add 'claims:' with '- property: value' entries")
    records: list[ClaimRecord] = []
    problems: list[Problem] = []
    for claim in claims.items:
        try:
            if not isinstance(claim, Mapping):
                raise SourceError(
                    [Problem(str(claim.place), "a claim must be 'property: value'", "add the property's name")]
                )
            records.append(_read_claim(source, lines, block.text("about"), claim))
        except SourceError as error:
            problems.extend(error.problems)
    if problems:
        raise SourceError(problems)
    return records


def _read_claim(source: str, lines: tuple[int, ...], about: str, claim: Mapping) -> ClaimRecord:
    names = [key for key in claim.items if key not in CLAIM_KEYS]
    if len(names) != 1:
        found = ", ".join(names) or "none"
        raise wrong(
            claim.place, f"a claim has one property; found {found}", "start each claim with '- property: value'"
        )
    if not claim.text(names[0]).strip():
        raise wrong(claim.place, f"{names[0]!r} has no value", "write the value, or remove the claim")
    quote = claim.text("quote")
    if len(quote) > MAX_QUOTE:
        raise wrong(claim.place, f"a quote of {len(quote)} characters", f"quote at most {MAX_QUOTE} characters")
    qualifiers = claim.texts("qualifier")
    for qualifier in qualifiers:
        if qualifier not in QUALIFIERS:
            raise wrong(claim.place, f"unknown qualifier {qualifier!r}", f"known: {', '.join(QUALIFIERS)}")
    return ClaimRecord(
        source=source,
        lines=lines,
        about=about,
        name=names[0],
        value=claim.text(names[0]),
        quote=quote,
        place=claim.place,
        qualifiers=tuple(sorted(qualifiers)),
        as_of=claim.text("asOf", ""),
        note=claim.text("note", ""),
    )


def _line(block: Mapping, text: str) -> int:
    if not text.isascii() or not text.isdigit() or len(text) > MAX_DIGITS or int(text) < 1:
        raise wrong(block.place, f"line {text[:20]!r} is no line number", "count lines from 1")
    return int(text)
