"""Hub records are read from files of all kinds alike; what is wrong with a file is said with its place, and the rest is read."""

from __future__ import annotations

import datetime
import gzip
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest
import zstandard

from llmkg.errors import LimitError, Problem, SourceError
from llmkg.sources.batch import BATCH_BYTES, BATCH_LINES
from llmkg.sources.hub_files import Limits, parse_line, read_batches

GOOD = b'{"id": "nimbus/nimbus-3b", "likes": 3, "tags": ["no", "\xe9\x9b\xa8\xe4\xba\x91"]}'
GOODS = [GOOD.replace(b"3b", str(number).encode() + b"b") for number in range(3)]
LINES = b"\n".join(GOODS) + b"\n"
SMALL = Limits(line=1_000, ratio=20, grown=50_000, total=200_000)


def read(*paths: Path, limits: Limits | None = None) -> tuple[list[dict[str, Any]], list[Problem]]:
    """Give all records, and all problems of files and of lines, in the order in which they were found."""
    records: list[dict[str, Any]] = []
    problems: list[Problem] = []
    batches = read_batches(paths, limits)
    try:
        for batch in batches:
            for place, line in batch.places():
                record = parse_line(line, place)
                if isinstance(record, Problem):
                    problems.append(record)
                else:
                    records.append(record)
    except SourceError as error:
        problems += error.problems
    return records, problems


def said(problems: list[Problem], folder: Path) -> list[str]:
    assert all(problem.hint for problem in problems)
    return [f"{problem.where}: {problem.message}".replace(f"{folder}/", "") for problem in problems]


def ids(records: list[dict[str, Any]]) -> list[str]:
    return [record["id"] for record in records]


def zst(data: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(data)


def file(path: Path, data: bytes) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


# --- kinds ---

KINDS: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "lines": ("m.jsonl", bytes),
    "other-suffix": ("m.ndjson", bytes),
    "lines-in-json": ("m.json", bytes),
    "gzip": ("m.jsonl.gz", gzip.compress),
    "zstandard": ("m.jsonl.zst", zst),
    "several-frames": ("m.jsonl.zst", lambda data: b"".join(zst(line + b"\n") for line in data.split(b"\n"))),
    "several-members": ("m.jsonl.gz", lambda data: gzip.compress(data[:50]) + gzip.compress(data[50:]) + bytes(512)),
    "gzip-with-no-suffix": ("m", gzip.compress),
    "zstandard-called-jsonl": ("m.jsonl", zst),
    "array": ("m.json", lambda data: b"[" + b",".join(data.splitlines()) + b"]"),
    "array-on-lines": ("m.json", lambda data: b" [\n" + b",\n".join(data.splitlines()) + b"\n]\n"),
    "array-indented": (
        "m.json",
        lambda data: json.dumps([json.loads(x) for x in data.splitlines()], indent=2).encode(),
    ),
    "array-gzip": ("m.json.gz", lambda data: gzip.compress(b"[" + b",".join(data.splitlines()) + b"]")),
    "mark": ("m.jsonl", lambda data: b"\xef\xbb\xbf" + data),
    "mark-and-array": ("m.json", lambda data: b"\xef\xbb\xbf[" + b",".join(data.splitlines()) + b"]"),
    "mark-gzip": ("m.jsonl.gz", lambda data: gzip.compress(b"\xef\xbb\xbf" + data)),
    "crlf": ("m.jsonl", lambda data: data.replace(b"\n", b"\r\n")),
    "no-final-newline": ("m.jsonl", lambda data: data.rstrip(b"\n")),
    "blank-lines": ("m.jsonl", lambda data: b"\n \n" + data.replace(b"\n", b"\n\n\t\n")),
}


@pytest.mark.parametrize("kind", KINDS)
def test_one_record_is_the_same_in_every_kind_of_file(kind: str, tmp_path: Path) -> None:
    name, write = KINDS[kind]
    records, problems = read(file(tmp_path / name, write(LINES)))
    assert problems == []
    assert records == [json.loads(line) for line in GOODS]


def test_lines_are_told_by_their_numbers_blank_ones_counted(tmp_path: Path) -> None:
    path = file(tmp_path / "m.jsonl", b"{}\n\n{}\r\n  \n{}")
    places = [place for batch in read_batches([path]) for place, _ in batch.places()]
    assert places == [f"{path}:{number}" for number in (1, 3, 5)]


def test_batches_are_of_a_size_that_can_be_handed_on(tmp_path: Path) -> None:
    count = 2 * BATCH_LINES + 5
    short = list(read_batches([file(tmp_path / "s.jsonl", b'{"id":"a"}\n' * count)]))
    assert [len(batch.lines) for batch in short] == [BATCH_LINES, BATCH_LINES, 5]
    assert [batch.first for batch in short] == [1, BATCH_LINES + 1, 2 * BATCH_LINES + 1]
    long = list(read_batches([file(tmp_path / "l.jsonl", (b'{"id":"' + b"a" * 10_000 + b'"}\n') * 1_000)]))
    assert sum(len(batch.lines) for batch in long) == 1_000
    assert all(sum(map(len, batch.lines)) < 1.1 * BATCH_BYTES for batch in long)
    assert [batch.first for batch in long[1:]] == [batch.first + len(batch.lines) for batch in long[:-1]]


# --- wrong lines ---

WRONG_LINES = {
    "array": (b"[1]", "1: is an array, not a record"),
    "value": (b'"x"', "1: is a single value, not a record"),
    "trailing-comma": (b'{"id": "a/b",}', "13: a comma with nothing after it"),
    "comma-between-lines": (b'{"id": "a/b"},', "14: more than one record stands here"),
    "cut": (b'{"id": "a/b", "tags": ["x', "26: the record ends in its middle"),
    "nan": (b'{"id": "a/b", "x": NaN}', "20: NaN is no JSON"),
    "infinity": (b'{"id": "a/b", "x": -Infinity}', "21: Infinity is no JSON"),
    "large": (b'{"id": "a/b", "x": 1e999}', "20: a number too large for a double"),
    "5000-digits": (b'{"id": "a/b", "x": ' + b"9" * 5_000 + b"}", "20: a number too large for a double"),
    "10k-nest": (
        b'{"id": "a/b", "x": ' + b"[" * 10_000 + b"]" * 10_000 + b"}",
        "1044: is nested deeper than 1,024 levels",
    ),
    "surrogate": (rb'{"id": "a/b", "x": "\ud800"}', "21: half of a surrogate pair, which is no character"),
    "duplicate-id": (b'{"id": "a/b", "id": "c/d"}', "15: key 'id' stands twice"),
    "duplicate-card": (b'{"id": "a/b", "cardData": {}, "cardData": {"x": 1}}', "31: key 'cardData' stands twice"),
    "duplicate-parent": (
        b'{"id": "a/b", "cardData": {"base_model": "x/y", "base_model": []}}',
        "49: key 'base_model' stands twice",
    ),
    "nul": (b'{"id": "a\0b"}', "10: holds a NUL character"),
    "latin-1": (b'{"id": "a/b", "x": "\xe9"}', "21: byte 0xe9 is not UTF-8 (a Latin-1 or GBK file?)"),
    "utf-16": ('{"id": "a/b"}'.encode("utf-16"), "1: is UTF-16, not UTF-8"),
    "lone-cr": (b'{"id": "a/b"}\r{"id": "a/c"}', "14: holds a carriage return with no line feed"),
    "tab": (b'{"id": "a/b", "x": "\t"}', "21: a control character inside a text"),
    "single-quotes": (b"{'id': 'a/b'}", "2: is no JSON: unexpected character, expected a string key"),
    "no-id": (b'{"tags": []}', "1: has no id"),
    "number-id": (b'{"id": 7}', "1: 7 is no id of a model"),
    "space-in-id": (b'{"id": "a/b c"}', "1: 'a/b c' is no id of a model"),
    "three-parts": (b'{"id": "a/b/c"}', "1: 'a/b/c' is no id of a model"),
    "dots": (b'{"id": "../b"}', "1: '../b' is no id of a model"),
    "only-owner": (b'{"id": "a/"}', "1: 'a/' is no id of a model"),
    "long-id": (b'{"id": "a/' + b"b" * 97 + b'"}', "1: 'a/" + "b" * 77 + " is no id of a model"),
    "local-path": (b'{"id": "/home/me/model"}', "1: '/home/me/model' is no id of a model"),
    "newline-in-id": (rb'{"id": "a/b\n"}', r"1: 'a/b\n' is no id of a model"),
}


@pytest.mark.parametrize("case", WRONG_LINES)
def test_a_wrong_line_is_told_of_and_the_others_are_read(case: str, tmp_path: Path) -> None:
    line, message = WRONG_LINES[case]
    path = file(tmp_path / "m.jsonl", b"\n".join((GOODS[0], line, GOODS[1])))
    if case == "utf-16":  # whose line feeds would be two bytes
        path = file(tmp_path / "m.jsonl", GOODS[0] + b"\n" + line.replace(b"\n", b"") + b"\n" + GOODS[1])
    records, problems = read(path)
    assert said(problems, tmp_path) == [f"m.jsonl:2:{message}"]
    assert len(str(problems[0])) < 400
    assert ids(records) == [json.loads(one)["id"] for one in GOODS[:2]]


@pytest.mark.parametrize(
    "line",
    [
        b'{"id": "gpt2"}',
        b'{"modelId": "a/b"}',
        b'{"_id": "5f", "modelId": "a/b", "id": "a/b"}',
        b'{"baseModels": {"models": [{"id": "x/y"}]}, "id": "a/b"}',
        b'{"id": "a/b", "tags": ["license"], "cardData": {"license": "mit", "tags": ["cardData"]}}',
        b' {"id": "A.b_c-D/0"} \r',
        b'{"id": "a/' + b"b" * 96 + b'"}',
        b'{"id": "a/b", "x": 123456789012345678901234567890}',
    ],
)
def test_odd_but_good_lines_are_read(line: bytes) -> None:
    record = parse_line(line, "x:1")
    assert isinstance(record, dict)
    assert record["id"] in ("gpt2", "a/b", "A.b_c-D/0", "a/" + "b" * 96)


# --- wrong files ---

WRONG_FILES = {
    "empty": ("m.jsonl", b"", "m.jsonl:1:1: is empty"),
    "mark-only": ("m.jsonl", b"\xef\xbb\xbf", "m.jsonl:1:1: is empty"),
    "blank": ("m.jsonl", b"\n \n\r\n", "m.jsonl:1:1: is empty"),
    "empty-gzip": ("m.jsonl.gz", gzip.compress(b""), "m.jsonl.gz:1:1: is empty"),
    "empty-zstandard": ("m.jsonl.zst", zst(b""), "m.jsonl.zst:1:1: is empty"),
    "empty-parquet": ("m.parquet", b"", "m.parquet:1:1: is empty"),
    "utf-16": ("m.jsonl", LINES.decode().encode("utf-16"), "m.jsonl:1:1: is UTF-16, not UTF-8"),
    "utf-16-without-mark": ("m.jsonl", LINES.decode().encode("utf-16-be"), "m.jsonl:1:1: is UTF-16, not UTF-8"),
    "utf-16-gzip": (
        "m.json.gz",
        gzip.compress('[{"id": "a"}]'.encode("utf-16")),
        "m.json.gz:1:1: is UTF-16, not UTF-8",
    ),
    "unknown-kind": ("m.csv", b"id,likes\na/b,3\n", "m.csv: is no kind of file that is read"),
    "html": ("m.json", b"<html>", "m.json:1:1: is no JSON: unexpected character, expected a JSON value"),
    "not-parquet": ("m.parquet", b"hello", "m.parquet: is no Parquet file"),
    "cut-parquet": ("m.parquet", b"PAR1 and no more", "m.parquet: is no Parquet file, or a damaged one"),
    "no-gzip": ("m.jsonl.gz", b"\x1f\x8bnonsense", "m.jsonl.gz:1:1: is damaged"),
    "no-zstandard": ("m.jsonl.zst", b"\x28\xb5\x2f\xfdnonsense", "m.jsonl.zst:1:1: is damaged"),
}


@pytest.mark.parametrize("case", WRONG_FILES)
def test_a_wrong_file_is_told_of_and_the_others_are_read(case: str, tmp_path: Path) -> None:
    name, data, message = WRONG_FILES[case]
    others = [file(tmp_path / other, GOOD) for other in ("a.jsonl", "z.jsonl")]
    records, problems = read(others[0], file(tmp_path / name, data), others[1])
    assert len(problems) == 1
    assert said(problems, tmp_path)[0].startswith(message)
    assert len(records) == 2


@pytest.mark.parametrize("pack", [gzip.compress, zst], ids=["gzip", "zstandard"])
@pytest.mark.parametrize("kept", [0.3, 0.9, -1])
def test_of_a_compressed_file_cut_short_all_whole_lines_are_read(
    pack: Callable[[bytes], bytes], kept: float, tmp_path: Path
) -> None:
    lines = [b'{"id": "%s/%s"}' % (os.urandom(20).hex().encode(), os.urandom(40).hex().encode()) for _ in range(20_000)]
    data = pack(b"\n".join(lines) + b"\n")
    data = data[: int(kept)] if kept < 0 else data[: int(len(data) * kept)]
    records, problems = read(file(tmp_path / "m.jsonl.gz", data))
    assert [orjson.dumps(record) for record in records] == [line.replace(b": ", b":") for line in lines[: len(records)]]
    assert len(records) >= kept * len(lines) - 6_000  # a block of Zstandard is 128 kB
    assert 1 <= len(problems) <= 2  # the file, and the line that was cut
    place = f"m.jsonl.gz:{len(records) + 1}:"
    assert all(message.startswith((place, f"m.jsonl.gz:{len(records) + 2}:1")) for message in said(problems, tmp_path))
    assert "ends in its middle" in problems[0].message


def test_a_gzip_file_with_a_wrong_byte_is_told_of(tmp_path: Path) -> None:
    data = bytearray(gzip.compress(LINES))
    data[-6] ^= 1  # the check sum
    records, problems = read(file(tmp_path / "m.jsonl.gz", bytes(data)))
    assert "is damaged" in problems[0].message
    data = bytearray(gzip.compress(LINES) + b"something else")
    records, problems = read(file(tmp_path / "m.jsonl.gz", bytes(data)))
    assert ids(records) == [json.loads(line)["id"] for line in GOODS]
    assert "goes on with something that is not compressed" in problems[0].message


@pytest.mark.parametrize(
    ("data", "message", "count"),
    [
        (b"[%s, %s", "m.json:element 2: the array is cut short", 2),
        (b"[%s, %s,", "m.json:element 3: the array is cut short", 2),
        (b"[%s, %s,]", "m.json:element 3: a comma with no element before or after it", 2),
        (b"[%s,, %s]", "m.json:element 2: a comma with no element before or after it", 2),
        (b"[%s, %s] x", "m.json:element 3: something follows the array", 2),
        (b"[%s, %s][]", "m.json:element 3: something follows the array", 2),
        (b'[%s, {"id": "x" "y"}, %s]', "m.json:element 2:12: is no JSON", 2),
        (b"[%s, [1], %s]", "m.json:element 2:1: is an array, not a record", 2),
    ],
)
def test_a_wrong_array_is_told_of_and_its_other_elements_are_read(
    data: bytes, message: str, count: int, tmp_path: Path
) -> None:
    records, problems = read(file(tmp_path / "m.json", data % (GOODS[0], GOODS[1])))
    assert len(records) == count
    assert len(problems) == 1
    assert said(problems, tmp_path)[0].startswith(message)


def test_an_empty_array_holds_nothing_and_nothing_is_wrong(tmp_path: Path) -> None:
    assert read(file(tmp_path / "m.json", b" [ ]\n")) == ([], [])


@pytest.mark.parametrize("data", [b'[{"a": "' + b"x" * 5_000, b"[" + b"[" * 5_000, b'["' + b"\\" * 5_001 + b'"'])
def test_an_element_that_is_never_closed_is_given_up(data: bytes, tmp_path: Path) -> None:
    _, problems = read(file(tmp_path / "m.json", data), limits=SMALL)
    assert "more than 1000 bytes, or one never closed" in problems[0].message


def test_what_is_no_regular_file_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "m.jsonl")
    _, problems = read(tmp_path / "m.jsonl", tmp_path / "none.jsonl", Path("/dev/null"))
    assert [message.partition(": ")[2] for message in said(problems, tmp_path)] == [
        "is no regular file",
        "cannot be read: No such file or directory",
        "is no regular file",
    ]


# --- limits ---


def bomb(line: bytes, count: int) -> bytes:
    return gzip.compress((line + b"\n") * count)


def test_a_file_that_grows_without_bounds_is_given_up(tmp_path: Path) -> None:
    path = file(tmp_path / "m.jsonl.gz", bomb(b"{}", 100_000))
    with pytest.raises(LimitError, match="times its size") as caught:
        list(read_batches([path], SMALL))
    assert caught.value.code == 6
    assert caught.value.hint
    records, problems = read(path, file(tmp_path / "y.csv", b"x"), file(tmp_path / "z.jsonl", GOOD), limits=SMALL)
    assert ids(records) == [json.loads(GOOD)["id"]]
    assert [message.partition(": ")[0] for message in said(problems, tmp_path)][-2:] == ["m.jsonl.gz", "y.csv"]


def test_the_size_that_a_file_may_grow_to_is_bounded(tmp_path: Path) -> None:
    lines = b"".join(b'{"id": "%s"}\n' % os.urandom(40).hex().encode() for _ in range(5_000))
    path = file(tmp_path / "m.jsonl.zst", zst(lines))
    with pytest.raises(LimitError):
        list(read_batches([path], SMALL))
    assert len(read(path)[0]) == 5_000
    assert len(read(file(tmp_path / "m.jsonl", lines), limits=SMALL)[0]) == 5_000  # what is not compressed may be large


@pytest.mark.parametrize("pack", [gzip.compress, zst], ids=["gzip", "zstandard"])
def test_a_line_without_end_takes_little_memory(pack: Callable[[bytes], bytes], tmp_path: Path) -> None:
    import resource

    path = file(tmp_path / "m.jsonl.gz", pack(b'{"id": "a/b"}\n' + bytes(300_000_000) + b"\n" + GOOD))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    records, problems = read(path, limits=Limits(ratio=10**9))
    after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert len(records) == 2
    assert said(problems, tmp_path) == ["m.jsonl.gz:2:1: a line of more than 32000000 bytes"]
    if sys.platform == "linux":
        assert after - before < 700_000  # kB; the files of this test itself are in this


# --- Parquet ---


@pytest.fixture(scope="module")
def parquet() -> Callable[[Path, dict[str, Any]], Path]:
    pyarrow = pytest.importorskip("pyarrow")
    writer = pytest.importorskip("pyarrow.parquet")

    def write(path: Path, columns: dict[str, Any]) -> Path:
        writer.write_table(pyarrow.table(columns), path, row_group_size=2)
        return path

    return write


Write = Callable[[Path, dict[str, Any]], Path]
MOMENT = datetime.datetime(2024, 2, 29, 12, 0, 1, 500_000)


def test_parquet_gives_records_as_the_api_does(parquet: Write, tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    sizes = pyarrow.array(
        [[("F16", 7)], None, [("BF16", 8), ("I8", None)]], pyarrow.map_(pyarrow.string(), pyarrow.int64())
    )
    berlin = pyarrow.array([MOMENT, None, MOMENT], pyarrow.timestamp("us", tz="Europe/Berlin"))
    path = parquet(
        tmp_path / "m.parquet",
        {
            "id": ["a/b", "a/c", "a/d"],
            "created_at": pyarrow.array([MOMENT, None, MOMENT], pyarrow.timestamp("us")),
            "lastModified": berlin,
            "card_data": ['{"license": "mit", "language": "no"}', "", None],
            "config": [{"model_type": "llama", "extra": None}, None, {"model_type": None, "extra": 1}],
            "siblings": [[{"rfilename": "README.md"}], [], None],
            "safetensors": sizes,
            "tags": ['["x"]', "null", "[]"],
            "gated": ["auto", "False", None],
            "pipeline_tag": pyarrow.array(["text-generation", None, None]).dictionary_encode(),
            "downloads": [1, 2, 3],
            "author": [b"a", b"a", None],
        },
    )
    records, problems = read(path)
    assert problems == []
    moment = "2024-02-29T12:00:01.500Z"
    assert records == [
        {
            "id": "a/b",
            "createdAt": moment,
            "lastModified": moment,
            "cardData": {"license": "mit", "language": "no"},
            "config": {"model_type": "llama"},
            "siblings": [{"rfilename": "README.md"}],
            "safetensors": {"F16": 7},
            "tags": ["x"],
            "gated": "auto",
            "pipeline_tag": "text-generation",
            "downloads": 1,
            "author": "a",
        },
        {"id": "a/c", "siblings": [], "gated": False, "downloads": 2, "author": "a"},
        {
            "id": "a/d",
            "createdAt": moment,
            "lastModified": moment,
            "config": {"extra": 1},
            "safetensors": {"BF16": 8},
            "tags": [],
            "downloads": 3,
        },
    ]


def test_a_row_of_parquet_is_told_by_its_number(parquet: Write, tmp_path: Path) -> None:
    path = parquet(tmp_path / "m.parquet", {"id": ["a/b", "a b", "a/c"], "cardData": ["{}", "{}", '{"x": NaN}']})
    records, problems = read(path)
    assert ids(records) == ["a/b"]
    assert [message.partition(": ")[0] for message in said(problems, tmp_path)] == [
        "m.parquet:row 2:1",
        "m.parquet:row 3:30",
    ]


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"name": ["a/b"], "likes": [1]}, "has no column 'id', but name, likes"),
        ({"id": ["a/b"], "createdAt": ["x"], "created_at": ["y"]}, "has two columns for createdAt"),
    ],
)
def test_parquet_of_something_else_is_refused(
    columns: dict[str, Any], message: str, parquet: Write, tmp_path: Path
) -> None:
    _, problems = read(parquet(tmp_path / "m.parquet", columns))
    assert said(problems, tmp_path) == [f"m.parquet: {message}"]


def test_damaged_parquet_is_told_of(parquet: Write, tmp_path: Path) -> None:
    path = parquet(tmp_path / "m.parquet", {"id": [os.urandom(30).hex() for _ in range(2_000)]})
    data = bytearray(path.read_bytes())
    for at in range(4, len(data) // 2, 7):
        data[at] ^= 0xFF
    _, problems = read(file(tmp_path / "d.parquet", bytes(data)))
    assert any("is no Parquet file, or a damaged one" in problem.message for problem in problems)


def test_parquet_that_grows_without_bounds_is_given_up(parquet: Write, tmp_path: Path) -> None:
    path = parquet(tmp_path / "m.parquet", {"id": ["a/b"], "x": ["y" * 500_000]})
    with pytest.raises(LimitError):
        list(read_batches([path], SMALL))


def test_without_pyarrow_the_extra_is_named(parquet: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = parquet(tmp_path / "m.parquet", {"id": ["a/b"]})
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    records, problems = read(path, file(tmp_path / "z.jsonl", GOOD))
    assert len(records) == 1
    assert problems[0].hint == "pip install 'llmkg[hub]'"


# --- cards ---

CARD = """---
language: no
license: apache-2.0
base_model:
- a/b
version: 3.10
model_name:
tags: [on, "yes", ~]
---
# Nimbus
"""


def card(folder: Path, name: str, text: str | bytes) -> Path:
    return file(folder / name / "README.md", text.encode() if isinstance(text, str) else text)


@pytest.mark.parametrize(
    "text",
    [
        CARD,
        "\ufeff" + CARD,
        CARD.replace("\n", "\r\n"),
        CARD.partition("# Nimbus")[0].rstrip(),
        CARD.encode() + b"\xff\0",
    ],
    ids=["plain", "mark", "crlf", "no-body", "odd-body"],
)
def test_a_card_is_read_with_its_texts_as_they_stand(text: str | bytes, tmp_path: Path) -> None:
    records, problems = read(card(tmp_path, "nimbus/nimbus-3b", text))
    assert problems == []
    assert records == [
        {
            "id": "nimbus/nimbus-3b",
            "cardData": {
                "language": "no",
                "license": "apache-2.0",
                "base_model": ["a/b"],
                "version": "3.10",
                "model_name": None,
                "tags": ["on", "yes", None],
            },
        }
    ]


@pytest.mark.parametrize("text", ["# Nimbus\n\n---\nx: y\n---\n", "---\n---\nNimbus\n"])
def test_a_card_that_says_nothing_is_still_a_model(text: str, tmp_path: Path) -> None:
    assert read(card(tmp_path, "nimbus/nimbus-3b", text)) == ([{"id": "nimbus/nimbus-3b"}], [])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", ":1:1: is empty"),
        ("---\nlicense: mit\n", ":1:1: the YAML at the top has no end"),
        ("---\nlicense: mit\nlicense: x\n---\n", ":3:1: key 'license' stands twice"),
        ("---\na: &x [1]\nb: *x\n---\n", ":2:4: anchors (&) and aliases (*) are not read"),
        ("---\na: !!python/name:os.system x\n---\n", ":2:4: tag 'tag:yaml.org,2002:python/name:os.system' is not read"),
        ("---\na:\n\t- b\n---\n", ":3:1: is no YAML"),
        ("---\na: " + "[" * 10_000 + "\n---\n", ":2:"),
        ("---\n- a\n---\n", ":2:1: the YAML at the top has no keys"),
        ("---\na: b\0c\n---\n", ":2:5: holds a NUL character"),
        (b"---\na: caf\xe9\n---\n", ":2:7: byte 0xe9 is not UTF-8"),
        (CARD.encode("utf-16"), ":1:1: is UTF-16, not UTF-8"),
    ],
)
def test_a_wrong_card_is_told_of_and_the_others_are_read(text: str | bytes, message: str, tmp_path: Path) -> None:
    card(tmp_path, "a/a", text)
    card(tmp_path, "b/b", CARD)
    records, problems = read(tmp_path)
    assert ids(records) == ["b/b"]
    assert len(problems) == 1
    assert said(problems, tmp_path)[0].startswith(f"a/a/README.md{message}")


def test_a_card_outside_of_folders_named_like_a_model_is_refused(tmp_path: Path) -> None:
    _, problems = read(card(tmp_path, "a b/c d", CARD))
    assert "put it at owner/name/README.md" in problems[0].hint


# --- folders ---


def test_a_folder_gives_the_files_in_it_in_order(tmp_path: Path) -> None:
    file(tmp_path / "b.jsonl", GOODS[1])
    file(tmp_path / "a.jsonl.gz", gzip.compress(GOODS[0]))
    file(tmp_path / "c" / "d.json", b"[" + GOODS[2] + b"]")
    card(tmp_path / "cards", "x/y", CARD)
    for name in ("LICENSE", "notes.txt", ".hidden.jsonl", ".cache/e.jsonl", "crawl.state"):
        file(tmp_path / name, b"nothing of this is read")
    records, problems = read(tmp_path)
    assert problems == []
    assert ids(records) == [*(json.loads(line)["id"] for line in GOODS), "x/y"]


def test_beside_a_card_of_a_model_nothing_else_is_read(tmp_path: Path) -> None:
    card(tmp_path, "x/y", CARD)
    for name in ("config.json", "train.jsonl", "model.safetensors"):
        file(tmp_path / "x" / "y" / name, b"{}")
    assert ids(read(tmp_path)[0]) == ["x/y"]
    (tmp_path / "x" / "y" / "train.jsonl").unlink()
    assert ids(read(tmp_path / "x" / "y")[0]) == ["x/y"]


def test_beside_a_dump_its_own_card_is_not_read(tmp_path: Path) -> None:
    file(tmp_path / "README.md", CARD.encode())
    file(tmp_path / "models.jsonl", GOOD)
    assert ids(read(tmp_path)[0]) == [json.loads(GOOD)["id"]]


@pytest.mark.parametrize("name", ["x.jsonl", "x.json.gz"])
def test_a_folder_named_like_a_file_is_refused(name: str, tmp_path: Path) -> None:
    file(tmp_path / "in" / name / "a.jsonl", GOOD)
    file(tmp_path / "in" / "b.jsonl", GOOD)
    for path in (tmp_path / "in", tmp_path / "in" / name):
        _, problems = read(path)
        assert said(problems, tmp_path) == [f"in/{name}: is a folder named like a file"]


def test_links_are_followed_inside_of_the_folder_only(tmp_path: Path) -> None:
    file(tmp_path / "out" / "secret.jsonl", GOODS[0])
    file(tmp_path / "in" / "blobs" / "1", GOODS[1])
    (tmp_path / "in" / "a.jsonl").symlink_to(tmp_path / "out" / "secret.jsonl")
    (tmp_path / "in" / "b.jsonl").symlink_to(tmp_path / "in" / "blobs" / "1")
    (tmp_path / "in" / "c").symlink_to(tmp_path / "out")
    (tmp_path / "in" / "d").symlink_to(tmp_path / "in")
    records, problems = read(tmp_path / "in")
    assert ids(records) == [json.loads(GOODS[1])["id"]]
    assert [message.partition(": ")[0] for message in said(problems, tmp_path)] == ["in/c", "in/a.jsonl"]
    assert read(tmp_path / "in" / "a.jsonl")[1] == []  # who names the link means the file


def test_a_dangling_link_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").symlink_to("nowhere")
    assert said(read(tmp_path)[1], tmp_path) == ["a.jsonl: cannot be read: No such file or directory"]


def test_a_folder_with_nothing_to_read_is_told_of(tmp_path: Path) -> None:
    file(tmp_path / "in" / "notes.txt", b"x")
    assert said(read(tmp_path / "in")[1], tmp_path) == ["in: is a folder with no file that is read"]


# --- the real sample, in all kinds of files ---


def tidied(record: dict[str, Any]) -> dict[str, Any]:
    """Give the record without what Parquet does not tell apart: fields that are null, and fields that are missing."""
    return {key: value for key, value in record.items() if value is not None}


def as_json(value: Any) -> str | None:
    return None if value is None else json.dumps(value)


def moment(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text)


@pytest.fixture(scope="module")
def sample() -> bytes:
    path = Path(__file__).parents[2] / "shared" / "data" / "hub" / "models.jsonl"
    if not path.is_file():
        pytest.skip(f"the sample of the Hub is not at {path}")
    return path.read_bytes()


@pytest.mark.parametrize("kind", ["lines", "gzip", "zstandard", "array", "array-indented", "several-frames"])
def test_the_sample_comes_back_from_files_of_json(kind: str, sample: bytes, tmp_path: Path) -> None:
    name, write = KINDS[kind]
    records, problems = read(file(tmp_path / name, write(sample)))
    assert problems == []
    assert records == [json.loads(line) for line in sample.splitlines()]


@pytest.mark.parametrize("is_nested", [True, False], ids=["nested", "json-in-texts"])
def test_the_sample_comes_back_from_parquet(is_nested: bool, sample: bytes, parquet: Write, tmp_path: Path) -> None:
    expected = [json.loads(line) for line in sample.splitlines()]
    columns: dict[str, Any] = {
        name: [record.get(name) for record in expected]
        for name in ("id", "author", "sha", "private", "disabled", "downloads", "likes", "library_name", "pipeline_tag")
    }
    columns["gated"] = [record["gated"] or "False" for record in expected]
    for name, column in (("createdAt", "created_at"), ("lastModified", "last_modified")):
        columns[column] = [moment(record[name]) for record in expected]
    for name in ("tags", "siblings", "safetensors", "gguf", "cardData", "config"):
        values = [record.get(name) for record in expected]
        columns[name] = values if is_nested and name not in ("cardData", "config") else list(map(as_json, values))
    records, problems = read(parquet(tmp_path / "m.parquet", columns))
    assert problems == []
    assert records == [tidied(record) for record in expected]


def test_the_cards_of_the_sample_come_back_with_their_texts(sample: bytes, tmp_path: Path) -> None:
    yaml = pytest.importorskip("yaml")
    keys = ("base_model", "license", "language", "datasets", "tags", "pipeline_tag", "library_name", "license_name")
    expected = {}
    for line in sample.splitlines()[::10]:
        record = json.loads(line)
        kept = {key: value for key, value in record["cardData"].items() if key in keys}
        expected[record["id"]] = kept
        card(tmp_path, record["id"], f"---\n{yaml.safe_dump(kept, allow_unicode=True)}---\n# A card\n")
    records, problems = read(tmp_path)
    assert problems == []
    assert {record["id"]: record.get("cardData", {}) for record in records} == expected
