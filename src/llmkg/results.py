"""What a query answers: named columns, and rows of RDF terms."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from html import escape
from typing import TYPE_CHECKING

from pyoxigraph import BlankNode, Literal, NamedNode

from llmkg.namespaces import PREFIXES, shorten

if TYPE_CHECKING:
    import pandas
    import polars

__all__ = ["Results", "Term", "Value", "plain_text", "to_python"]

Term = NamedNode | Literal | BlankNode
Value = str | int | float | bool | Decimal | date | None

_XSD = PREFIXES["xsd"]


@dataclass(frozen=True, slots=True)
class Results:
    """Columns in the query's order, and rows in the query's order; a cell with no value is None.

    A CONSTRUCT or DESCRIBE answers with the columns ``subject``, ``predicate``, ``object`` and ``is_graph``;
    an ASK answers with one column ``answer`` and one row.
    """

    columns: tuple[str, ...]
    rows: tuple[tuple[Term | None, ...], ...]
    is_graph: bool = False

    def __len__(self) -> int:
        """Give the number of rows."""
        return len(self.rows)

    def __iter__(self) -> Iterator[dict[str, Value]]:
        """Give each row as a mapping from column to Python value."""
        for row in self.rows:
            yield {name: to_python(term) for name, term in zip(self.columns, row, strict=True)}

    def to_dicts(self) -> list[dict[str, Value]]:
        """Give the rows as mappings from column to Python value."""
        return list(self)

    def to_pandas(self) -> pandas.DataFrame:
        """Give the rows as a pandas data frame with the columns of the query; pandas must be installed."""
        import pandas

        return pandas.DataFrame(self.to_dicts(), columns=list(self.columns))

    def to_polars(self) -> polars.DataFrame:
        """Give the rows as a polars data frame with the columns of the query; polars must be installed."""
        import polars

        return polars.DataFrame(self.to_dicts(), schema=list(self.columns), infer_schema_length=None)

    def __str__(self) -> str:
        """Give the rows as a plain table of full values."""
        lines = ["\t".join(self.columns), *("\t".join(plain_text(term) for term in row) for row in self.rows)]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{escape(name)}</th>" for name in self.columns)
        rows = ("".join(f"<td>{escape(_readable(term))}</td>" for term in row) for row in self.rows)
        body = "".join(f"<tr>{cells}</tr>" for cells in rows)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"


def _readable(term: Term | None) -> str:
    return shorten(term.value) if isinstance(term, NamedNode) else plain_text(term)


def plain_text(term: Term | None) -> str:
    """Give what CSV and TSV write for a term: an IRI, a literal's lexical form, or nothing.

    >>> plain_text(Literal("7000000000")), plain_text(None)
    ('7000000000', '')
    """
    if term is None:
        return ""
    return f"_:{term.value}" if isinstance(term, BlankNode) else term.value


def to_python(term: Term | None) -> Value:
    """Give the Python value of a term: IRIs and strings as ``str``, numbers, booleans and dates as such.

    >>> to_python(Literal("7", datatype=NamedNode("http://www.w3.org/2001/XMLSchema#integer")))
    7
    >>> to_python(NamedNode("https://w3id.org/llmkg/model/llama"))
    'https://w3id.org/llmkg/model/llama'
    """
    if term is None:
        return None
    if not isinstance(term, Literal):
        return plain_text(term)
    kind = term.datatype.value.removeprefix(_XSD)
    try:
        if kind == "integer":
            return int(term.value)
        if kind == "decimal":
            return Decimal(term.value)
        if kind in ("double", "float"):
            return float(term.value)
        if kind == "date":
            return date.fromisoformat(term.value)
    except (ValueError, InvalidOperation):
        return term.value
    return term.value in ("true", "1") if kind == "boolean" else term.value
