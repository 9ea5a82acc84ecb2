"""The Python door: queries, SPARQL, descriptions, lineage, and results as tables and data frames."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import polars as pl
import pytest

import llmkg
from llmkg.config import Settings
from llmkg.errors import QueryError, RemoteError, StoreUnavailable


@pytest.fixture(scope="module")
def kg(built: Settings) -> llmkg.KnowledgeGraph:
    return llmkg.open(built.home)


def test_the_public_names_are_these() -> None:
    assert sorted(llmkg.__all__) == ["KnowledgeGraph", "Lineage", "LlmkgError", "Results", "__version__", "open"]
    assert all(hasattr(llmkg, name) for name in llmkg.__all__)


def test_a_query_gives_typed_rows(kg: llmkg.KnowledgeGraph) -> None:
    result = kg.query("derivatives", of="LLaMA", max_distance=2)
    rows = list(result)
    assert result.to_dicts() == rows
    assert {type(row["distance"]) for row in rows} == {int}
    assert max(row["distance"] for row in rows if isinstance(row["distance"], int)) == 2
    assert len(result) == len(rows) == len(result.rows)


def test_a_result_shows_itself_as_a_table_and_escapes_what_it_shows(kg: llmkg.KnowledgeGraph) -> None:
    html = kg.query("ancestors", of="WizardLM")._repr_html_()
    assert html.startswith("<table>")
    assert "LLaMA-7B" in html
    assert "&lt;script&gt;" in kg.sparql('SELECT ("<script>" AS ?x) {}')._repr_html_()
    assert "LLaMA-7B" in str(kg.query("ancestors", of="WizardLM"))


def test_a_result_becomes_a_data_frame(kg: llmkg.KnowledgeGraph) -> None:
    result = kg.query("derivatives", of="LLaMA")
    frame = result.to_pandas()
    assert isinstance(frame, pd.DataFrame)
    assert list(frame.columns) == list(result.columns)
    other = result.to_polars()
    assert isinstance(other, pl.DataFrame)
    assert other.shape == frame.shape


def test_names_are_resolved_in_both_languages(kg: llmkg.KnowledgeGraph) -> None:
    assert kg.resolve("伶荔") == kg.resolve("Linly") == kg.resolve("https://w3id.org/llmkg/model/linly")
    for name in ("LLaMa", "LLaMA", "Llama", "llama"):
        assert kg.resolve(name).value.endswith("/model/llama")
    assert kg.resolve("华驼") == kg.resolve("HuaTuo")


def test_an_unknown_name_is_refused_with_suggestions(kg: llmkg.KnowledgeGraph) -> None:
    with pytest.raises(QueryError, match="no entity is called") as caught:
        kg.query("derivatives", of="LLaMMA")
    assert "LLaMA" in caught.value.hint
    with pytest.raises(QueryError, match="no parameter 'model'"):
        kg.query("derivatives", model="LLaMA")
    with pytest.raises(QueryError, match="no stored query"):
        kg.query("descendents")


def test_show_gives_values_with_places(kg: llmkg.KnowledgeGraph) -> None:
    found = kg.show("LLaMA-33B")
    sizes = next(known for known in found.properties if known.name == "parameterCount")
    assert sizes.conflict
    assert {statement.value for statement in sizes.statements} == {"30B", "33B"}
    assert all(":" in place for statement in sizes.statements for place in statement.places)


def test_lineage_prints_as_a_tree_and_draws_itself(kg: llmkg.KnowledgeGraph) -> None:
    lineage = kg.lineage("LLaMA")
    assert str(lineage).startswith("LLaMA\n├─ ")
    assert lineage._repr_html_().startswith("<svg")


def test_the_graph_is_an_rdflib_graph(kg: llmkg.KnowledgeGraph) -> None:
    graph = kg.graph()
    assert len(graph) == int(kg.sparql("SELECT (COUNT(*) AS ?n) { ?s ?p ?o }").rows[0][0].value)  # type: ignore[union-attr]


def test_a_home_that_is_none_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("hello", encoding="utf-8")
    with pytest.raises(StoreUnavailable, match="no llmkg folder"):
        llmkg.open(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_an_endpoint_that_does_not_answer_is_one_clear_error() -> None:
    with pytest.raises(RemoteError, match="refused"):
        llmkg.open(endpoint="http://127.0.0.1:9/query", timeout=2).query("sources")
    with pytest.raises(RemoteError, match="is no endpoint"):
        llmkg.open(endpoint="localhost:7878")
