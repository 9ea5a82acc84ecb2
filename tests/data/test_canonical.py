"""Data files are in canonical form, the ledger is complete, and every claim's quote stands where it says."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

import pytest

from llmkg.build import read_inputs
from llmkg.resources import resource_folder

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))

import canonical  # noqa: E402 - found through the line above
import ledger  # noqa: E402

INPUTS = read_inputs(ROOT / "data")
SOURCES = {source.slug: source for source in INPUTS.sources}


@pytest.mark.parametrize("path", canonical.data_files(), ids=lambda path: path.name)
def test_a_data_file_is_in_canonical_form(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == canonical.canonical(path), "run: make format"


def test_the_canonical_form_is_its_own_canonical_form(tmp_path: Path) -> None:
    folder = tmp_path / "claims"
    folder.mkdir()
    path = folder / "x.yaml"
    path.write_text("- about: model/x\n  line: 3\n  claims: [{quote: 'a: b', feature: '#1 [x]'}]\n", encoding="utf-8")
    once = canonical.canonical(path)
    path.write_text(once, encoding="utf-8")
    assert canonical.canonical(path) == once
    assert once.startswith("- line: 3\n  about: model/x\n  claims:\n  - feature: '#1 [x]'\n    quote: 'a: b'\n")


def test_hub_identifiers_and_redirects_stand_from_a_to_z(tmp_path: Path) -> None:
    path = tmp_path / "models.yaml"
    path.write_text("- {slug: x, hub: [b/X, A/x]}\n- {slug: y, hub: [a/Y]}\n", encoding="utf-8")
    assert canonical.canonical(path) == "- slug: x\n  hub: [A/x, b/X]\n- slug: y\n  hub: a/Y\n"
    path = tmp_path / "redirects.csv"
    path.write_text("old,new,reason\nb,B/b,moved\n\nA,A/a,moved\n", encoding="utf-8")
    assert canonical.canonical(path) == "old,new,reason\nA,A/a,moved\nb,B/b,moved\n"


def test_the_ledger_holds_every_identifier_and_loses_none() -> None:
    assert ledger.problems() == []


def test_the_five_sources_have_their_ids() -> None:
    assert {source.slug: source.file[:3] for source in INPUTS.sources} == {
        "open-source-llms": "000",
        "open-llm-survey": "001",
        "open-foundation-models": "002",
        "open-llm-complete-list": "003",
        "alpaca-models": "004",
    }


@pytest.mark.parametrize("source", sorted(SOURCES))
def test_every_quote_stands_on_its_line_of_the_document(source: str, seeds: Path) -> None:
    lines = (seeds / SOURCES[source].file).read_text(encoding="utf-8").split("\n")
    wrong = [
        f"{claim.place}: {claim.quote!r} is not on line {line}"
        for claim in INPUTS.claims
        if claim.source == source
        for line in claim.lines
        if claim.quote not in lines[line - 1]
    ]
    assert wrong == []


@pytest.mark.parametrize("source", sorted(SOURCES))
def test_every_line_with_content_has_a_claim(source: str, seeds: Path) -> None:
    """Lines without one are headings of sections, of tables, separators, pictures, and the sentences listed here."""
    lines = (seeds / SOURCES[source].file).read_text(encoding="utf-8").split("\n")
    claimed = {line for claim in INPUTS.claims if claim.source == source for line in claim.lines}
    bare = [n for n, line in enumerate(lines, 1) if n not in claimed and _has_content(line)]
    assert [(n, lines[n - 1][:40]) for n in bare] == WITHOUT_CLAIM.get(source, [])


def _has_content(line: str) -> bool:
    text = line.strip()
    skipped = ("#", "![", "|:", "| :", "| -", "---", "+++", "sidebar_label", "tags:", "- xxx")
    header = text.startswith("|") and any(word in text for word in ("参数量", "是否开源", "参数规模"))
    empty_row = not text.strip("| ")
    return bool(text) and not text.startswith(skipped) and not header and not empty_row


#: lines that state nothing of their own: they introduce a list
WITHOUT_CLAIM: dict[str, list[tuple[int, str]]] = {
    "open-llm-complete-list": [(57, "项目包括"), (270, "CodeGeeX 有以下特点：")],
    "open-llm-survey": [(29, "参考资料：")],
}


def test_no_sentence_of_a_source_is_copied(seeds: Path) -> None:
    """Texts of ours hold no run of 30 characters of a document; short surface strings stand in quotes only."""
    documents = "".join((seeds / source.file).read_text(encoding="utf-8") for source in INPUTS.sources)
    for claim in INPUTS.claims:
        for text in (claim.value, claim.note):
            chinese = "".join(text.split())
            if not chinese.isascii() and len(chinese) >= 30 and not text.startswith("http"):
                assert text not in documents, claim.place


def test_no_claim_is_made_twice_on_a_line() -> None:
    made = Counter((c.source, c.lines, c.about, c.name, c.value) for c in INPUTS.claims)
    assert [key for key, count in made.items() if count > 1] == []


def test_the_packed_folders_are_found() -> None:
    for name in ("ontology", "data", "queries"):
        assert resource_folder(name).is_dir()
