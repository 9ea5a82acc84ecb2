"""YAML is read string-first: what stands in the file is what is read, and what could surprise is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from llmkg.errors import SourceError
from llmkg.records import Place
from llmkg.sources.yaml_tree import Mapping, Node, Scalar, Sequence, parse_yaml, read_entries

WORDS = [
    "no",
    "on",
    "yes",
    "true",
    "~",
    "null",
    "3.10",
    "1e3",
    "1_000",
    "0o17",
    "010",
    "12:30",
    "12:30:45",
    "2023-02-30",
    ".inf",
    "=",
]


def plain(node: Node) -> object:
    if isinstance(node, Scalar):
        return node.text
    if isinstance(node, Sequence):
        return [plain(item) for item in node.items]
    return {key: plain(value) for key, value in node.items.items()}


def complaint(text: str) -> str:
    with pytest.raises(SourceError) as caught:
        parse_yaml(text, "x.yaml")
    assert caught.value.hint
    return f"{caught.value.where} {caught.value.message}"


@pytest.mark.parametrize("word", WORDS)
def test_a_plain_word_is_its_text(word: str) -> None:
    assert plain(parse_yaml(f"- {word}\n- {word}: {word}\n- [{word}]\n", "x.yaml")) == [word, {word: word}, [word]]


trees = st.recursive(
    st.text(st.characters(exclude_categories=["Cs"])),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=5), inside, max_size=3),
    max_leaves=8,
)


@given(trees)
def test_what_yaml_writes_in_quotes_is_read_back(tree: object) -> None:
    written = yaml.safe_dump(tree, default_style='"', allow_unicode=False, width=10_000)
    # safe_dump marks other types with tags; a tree of texts has none
    assert plain(parse_yaml(written, "x.yaml")) == tree


@given(st.text(max_size=40))
def test_any_text_is_a_tree_or_refused_with_a_place(text: str) -> None:
    try:
        parse_yaml(text, "x.yaml")
    except SourceError as error:
        assert error.where.startswith("x.yaml:")
        assert error.message


def test_every_node_knows_its_line_and_column() -> None:
    tree = parse_yaml("# head\n- a: 1\n  雨: [x,\n    y]\n", "x.yaml")
    assert isinstance(tree, Sequence)
    (entry,) = tree.items
    assert isinstance(entry, Mapping)
    listed = entry.items["雨"]
    assert isinstance(listed, Sequence)
    assert [str(item.place) for item in (tree, entry, listed, *listed.items)] == [
        "x.yaml:2:1",
        "x.yaml:2:3",
        "x.yaml:3:6",
        "x.yaml:3:7",
        "x.yaml:4:5",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a: 1\nb: 2\na: 3", "x.yaml:3:1 key 'a' stands twice"),
        ("- {a: 1, a: 2}", "x.yaml:1:10 key 'a' stands twice"),
        ("- &x a\n- *x", "x.yaml:1:3 anchors (&) and aliases (*) are not read"),
        ("- a: *x", "x.yaml:1:6 anchors (&) and aliases (*) are not read"),
        ("- !!str a", "x.yaml:1:3 tag 'tag:yaml.org,2002:str' is not read"),
        ("- !local a", "x.yaml:1:3 tag '!local' is not read"),
        ("- !!map {}", "x.yaml:1:3 tag 'tag:yaml.org,2002:map' is not read"),
        ("- a\n---\n- b", "x.yaml:2:1 a second document starts here"),
        ("? [a]\n: b", "x.yaml:1:3 a key must be a text"),
        ("? {a: b}\n: c", "x.yaml:1:3 a key must be a text"),
        ("[" * 33, "x.yaml:1:33 nested deeper than 32 levels"),
        ("# nothing", "x.yaml:1:1 is empty"),
        ("- a\x07", "x.yaml:1:4 holds the control character U+0007"),
        ("- 雨\n- a\u2028b", "x.yaml:2:4 holds the control character U+2028"),
        ("a: b: c", "x.yaml:1:5 is no YAML: mapping values are not allowed in this context"),
        ("- a\n\t- b", "x.yaml:2:1 is no YAML: found a tab character that violates indentation"),
        ("- [a\n- b", "x.yaml:3:1 is no YAML: did not find expected ',' or ']'"),
    ],
)
def test_what_could_surprise_is_refused(text: str, said: str) -> None:
    assert complaint(text) == said


def test_quotes_that_are_left_open_are_refused() -> None:
    assert complaint("- 'a\n- b").startswith("x.yaml:2:4 is no YAML")


def test_a_value_in_quotes_may_hold_what_a_plain_one_may_not() -> None:
    assert plain(parse_yaml("- '&a: *b #c'\n- \"!d\\te\"\n- ! '~'\n", "x.yaml")) == ["&a: *b #c", "!d\te", "~"]


def test_32_levels_are_read() -> None:
    assert isinstance(parse_yaml("[" * 32 + "]" * 32, "x.yaml"), Sequence)


@pytest.fixture
def entry() -> Mapping:
    tree = parse_yaml("one: a\nsome: [a, b]\nnested: {a: [b]}\nlists: [[a]]\n", "x.yaml")
    assert isinstance(tree, Mapping)
    return tree


def test_a_mapping_gives_texts(entry: Mapping) -> None:
    assert (entry.text("one"), entry.text("none", "default")) == ("a", "default")
    assert (entry.texts("one"), entry.texts("some"), entry.texts("none")) == (("a",), ("a", "b"), ())


def test_a_mapping_refuses_what_is_missing_or_of_another_form(entry: Mapping) -> None:
    for call, said in (
        (lambda: entry.text("none"), "x.yaml:1:1: has no 'none'"),
        (lambda: entry.text("some"), "x.yaml:2:7: 'some' is no single value"),
        (lambda: entry.texts("nested"), "x.yaml:3:9: 'nested' must hold texts only"),
        (lambda: entry.texts("lists"), "x.yaml:4:9: 'lists' must hold texts only"),
        (lambda: entry.only("one", "some", "lists"), "x.yaml:1:1: unknown key 'nested'"),
    ):
        with pytest.raises(SourceError) as caught:
            call()
        assert str(caught.value).startswith(said)
        assert caught.value.hint


def test_a_wrong_entry_does_not_hide_the_others(tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text("- {name: a}\n- {nam: b}\n- c\n- {name: d}\n", encoding="utf-8")
    reading = read_entries(path, "data/x.yaml", lambda entry: [(entry.text("name"), entry.place)])
    assert reading.records == (("a", Place("data/x.yaml", 1, 3)), ("d", Place("data/x.yaml", 4, 3)))
    assert [problem.where for problem in reading.problems] == ["data/x.yaml:2:3", "data/x.yaml:3:3"]


@pytest.mark.parametrize("text", ["a: 1\n", "a\n", "--- ~\n"])
def test_a_file_of_entries_is_a_list(text: str, tmp_path: Path) -> None:
    path = tmp_path / "x.yaml"
    path.write_text(text, encoding="utf-8")
    (problem,) = read_entries(path, "data/x.yaml", lambda entry: [entry]).problems
    assert problem.message == "the file is no list of entries"
