"""Dumps of the Hub in Parquet, as JSON bytes in the form in which the Hub's API gives records."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson

from llmkg.errors import LimitError, Problem
from llmkg.sources.batch import Batch, Limits, batches_of

__all__ = ["api_name", "read_parquet"]

_ROWS = 1_000
#: names that the API writes otherwise than by joining words in camelCase
_NAMES = {"library_name": "library_name", "pipeline_tag": "pipeline_tag", "model_index": "model-index"}
_KEPT = ("mask_token", "_id")
#: columns that dumps write as JSON inside a text
_JSON = (
    "baseModels",
    "cardData",
    "config",
    "gguf",
    "model-index",
    "safetensors",
    "siblings",
    "tags",
    "transformersInfo",
)


def api_name(column: str) -> str:
    """Give the name that the Hub's API has for what a dump calls ``column``.

    >>> api_name("created_at"), api_name("cardData"), api_name("pipeline_tag"), api_name("_id")
    ('createdAt', 'cardData', 'pipeline_tag', '_id')
    """
    if column in _KEPT or column in _NAMES:
        return _NAMES.get(column, column)
    first, *others = column.split("_")
    return first + "".join(word[:1].upper() + word[1:] for word in others)


def read_parquet(path: Path, name: str, limits: Limits) -> Iterator[Batch | Problem]:
    """Give the rows of ``path`` as records in batches, empty fields left out; needs pyarrow, of the extra ``hub``."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        yield Problem(name, "is a Parquet file, and pyarrow is not installed", "pip install 'llmkg[hub]'")
        return
    try:
        with parquet.ParquetFile(path) as file:
            names = [api_name(column) for column in file.schema_arrow.names]
            problem = _check_columns(name, names, file.schema_arrow.names)
            if problem:
                yield problem
                return
            _check_size(path, name, file.metadata, limits)
            yield from batches_of(name, 1, _rows(file, names), "row")
    except (pyarrow.ArrowException, OSError) as error:
        message = f"is no Parquet file, or a damaged one: {str(error).splitlines()[0][:120]}"
        yield Problem(name, message, "get the file again")


def _check_columns(name: str, names: list[str], columns: list[str]) -> Problem | None:
    if "id" not in names and "modelId" not in names:
        return Problem(name, f"has no column 'id', but {', '.join(columns)[:120]}", "is it a list of models?")
    twice = sorted({one for one in names if names.count(one) > 1})
    if twice:
        return Problem(name, f"has two columns for {', '.join(twice)}", "keep one of the two")
    return None


def _check_size(path: Path, name: str, metadata: Any, limits: Limits) -> None:
    size = sum(metadata.row_group(number).total_byte_size for number in range(metadata.num_row_groups))
    if size > limits.total or (size > limits.grown and size > path.stat().st_size * limits.ratio):
        raise LimitError(f"unpacks to {size} bytes", name, "is it a trap? if not, write it without compression")


def _rows(file: Any, names: list[str]) -> Iterator[bytes]:
    """Give each row as JSON; columns are converted as a whole, which is several times faster than row by row."""
    for batch in file.iter_batches(batch_size=_ROWS, use_threads=False):
        columns = [_values(name, column) for name, column in zip(names, batch.columns, strict=True)]
        for row in zip(*columns, strict=True):
            record = {name: value for name, value in zip(names, row, strict=True) if value is not None}
            yield orjson.dumps(record, default=_plain)


def _values(name: str, column: Any) -> list[Any]:
    """Give the values of one column as what orjson writes the way the API does."""
    import pyarrow
    from pyarrow import compute

    kind = column.type
    if pyarrow.types.is_dictionary(kind):
        column, kind = column.dictionary_decode(), kind.value_type
    if pyarrow.types.is_timestamp(kind):
        moments = column.cast(pyarrow.timestamp("ms", tz="UTC" if kind.tz else None), safe=False)
        return list(compute.strftime(moments, format="%Y-%m-%dT%H:%M:%SZ").to_pylist())
    values: list[Any] = column.to_pylist()
    if pyarrow.types.is_nested(kind):
        return [_without_nulls(value) for value in values] if _needs_tidying(column) else values
    if name in _JSON:
        return [_as_json(value) for value in values]
    if name == "gated":
        return [False if value in ("false", "False", "") else value for value in values]
    return values


def _needs_tidying(column: Any) -> bool:
    """Tell whether there are objects with empty fields, which the record did not have, or maps, which come as pairs."""
    import pyarrow

    kind = column.type
    if pyarrow.types.is_struct(kind):
        return any(field.null_count or _needs_tidying(field) for field in column.flatten())
    if pyarrow.types.is_nested(kind) and not pyarrow.types.is_map(kind):
        return _needs_tidying(column.flatten())
    return bool(pyarrow.types.is_map(kind))


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(inner) for key, inner in value.items() if inner is not None}
    if isinstance(value, list):
        if value and isinstance(value[0], tuple):  # a map
            return {str(key): _without_nulls(inner) for key, inner in value if inner is not None}
        return [_without_nulls(inner) for inner in value]
    return value


def _as_json(value: Any) -> Any:
    """Give JSON that stands in a text as it is, to be checked where the record is read."""
    text = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    if isinstance(text, str) and text.lstrip()[:1] in ("{", "["):
        return orjson.Fragment(text)
    return None if text in ("", "null") else text


def _plain(value: Any) -> str:
    """Give what JSON has no type for as a text: decimals, moments of time, bytes."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value)
