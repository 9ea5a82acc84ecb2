"""Each stored query answers its competency question: the expected facts are there, and what must not be there is not."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from llmkg.config import Settings
from llmkg.graph import KnowledgeGraph, connect
from llmkg.namespaces import shorten
from llmkg.queries import find_queries, load_query
from llmkg.resources import resource_folder
from llmkg.results import plain_text

ROOT = Path(__file__).parents[2]
CASES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "expected.yaml").read_text(encoding="utf-8"))
NAMES = sorted(find_queries(resource_folder("queries")))


@pytest.fixture(scope="module")
def kg(built: Settings) -> KnowledgeGraph:
    return connect(built)


def answer(kg: KnowledgeGraph, case: dict[str, Any]) -> tuple[list[str], list[dict[str, str]]]:
    parameters = {name.replace("-", "_"): value for name, value in (case.get("params") or {}).items()}
    results = kg.query(case["name"], **parameters)
    rows = [
        {name: shorten(plain_text(term)) for name, term in zip(results.columns, row, strict=True)}
        for row in results.rows
    ]
    return list(results.columns), rows


def is_in(part: dict[str, Any], rows: list[dict[str, str]]) -> bool:
    return any(all(row[name] == str(value) for name, value in part.items()) for row in rows)


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case['name']} {case.get('params') or ''}")
def test_a_query_gives_the_expected_facts(kg: KnowledgeGraph, case: dict[str, Any]) -> None:
    columns, rows = answer(kg, case)
    if "columns" in case:
        assert columns == case["columns"]
    if case.get("rows") == []:
        assert rows == []
    for part in case.get("rows", []):
        assert is_in(part, rows), f"{case['name']}: no row with {part}"
    for part in case.get("absent", []):
        assert not is_in(part, rows), f"{case['name']}: a row with {part}"


def test_every_stored_query_has_expected_facts() -> None:
    told = {case["name"] for case in CASES if "rows" in case}
    assert sorted(set(NAMES) - told) == []


@pytest.mark.parametrize("name", NAMES)
def test_every_stored_query_answers_a_documented_question(name: str) -> None:
    page = (ROOT / "docs" / "competency-questions.md").read_text(encoding="utf-8")
    query = load_query(find_queries(resource_folder("queries"))[name])
    assert query.answers, f"{name} names no competency question"
    for question in query.answers:
        assert f"| {question} |" in page, f"{name} answers {question}, which docs/competency-questions.md does not list"


def test_there_are_at_least_thirty_stored_queries() -> None:
    assert len(NAMES) >= 30
