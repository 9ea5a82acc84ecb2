"""Bad inputs, by their numbers in ``promises.md``: each is refused with file, line, column, reason and hint (P12).

``bad/data`` and ``bad/accepted`` hold folders that are laid over ``fixtures/tiny``; ``bad/turtle`` and ``bad/queries`` hold
files; ``bad/parameters.yaml`` holds values. What must be said of each stands beside it in ``….expected``;
``LLMKG_SNAPSHOTS=write pytest tests/test_bad_inputs.py`` writes these anew, to be read before they are committed.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pyoxigraph
import pytest

from llmkg.build import build
from llmkg.config import Settings, read_settings
from llmkg.errors import Problem, QueryError, SourceError
from llmkg.graph import KnowledgeGraph, connect
from llmkg.namespaces import graph_iri, term
from llmkg.queries import Parameter, load_query, parse_value
from llmkg.shapes import read_turtle
from llmkg.sources.yaml_tree import Mapping, Sequence, parse_yaml
from llmkg.validate import validate_store

HERE = Path(__file__).parent
BAD = HERE / "bad"
TINY = HERE / "fixtures" / "tiny"
DATA = sorted(path for path in (BAD / "data").iterdir() if path.is_dir())
TURTLE = sorted((BAD / "turtle").glob("*.ttl"))
REFUSED_TURTLE = [path for path in TURTLE if path.with_suffix(".expected").exists()]
QUERIES = sorted((BAD / "queries").glob("*.rq"))
PLACE = re.compile(r"(?P<path>.+?):(?P<line>[1-9]\d*):(?P<column>[1-9]\d*)")
NIMBUS = "https://w3id.org/llmkg/model/nimbus-3b"


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Give settings whose home holds the graph of the tiny data."""
    settings = replace(read_settings({}), home=tmp_path_factory.mktemp("bad") / "home", data=TINY)
    build(settings)
    return settings


@pytest.fixture
def kept(published: Settings) -> Iterator[Settings]:
    """Give the same settings, and see that the test left the published graph as it was."""
    before = contents(published.home)
    yield published
    assert contents(published.home) == before


def contents(folder: Path) -> dict[str, str]:
    """Give a hash of every file, and the target of every link, by path."""
    found = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = path.readlink().as_posix()
        elif path.is_file():
            found[name] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found


def laid_over(case: Path, folder: Path) -> Path:
    """Give a copy of the tiny data, called ``data``, over which the files of ``case`` are laid."""
    shutil.copytree(TINY, folder / "data")
    shutil.copytree(case, folder / "data", dirs_exist_ok=True)
    return folder / "data"


def agree(text: str, snapshot: Path) -> None:
    if os.environ.get("LLMKG_SNAPSHOTS") == "write":
        snapshot.write_text(text, encoding="utf-8")
    assert text == snapshot.read_text(encoding="utf-8")


def shown(error: object) -> str:
    """Give a message on lines of its own; a bare carriage return would not survive a checkout."""
    return f"{error}\n".replace("\r", "\\r")


def has_all_parts(problem: Problem, folder: Path) -> bool:
    """Tell whether there are a file that exists, line, column, reason and hint."""
    place = PLACE.fullmatch(problem.where)
    return bool(place and (folder / place["path"]).is_file() and problem.message and problem.hint)


def llmkg(*arguments: object, home: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "llmkg", "--home", str(home), *map(str, arguments)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", timeout=60, check=False)
    assert "Traceback" not in done.stderr
    return done


def by_name(path: Path) -> str:
    return path.stem if path.is_file() else path.name


# --- data folders ---


def test_the_tiny_data_are_without_fault(tmp_path: Path) -> None:
    done = llmkg("build", "--data", TINY, home=tmp_path / "home")
    assert done.returncode == 0
    assert "conflicts 1; violations 0, warnings 0" in done.stdout


@pytest.mark.parametrize("case", DATA, ids=by_name)
def test_bad_data_are_refused_with_place_reason_and_hint(case: Path, kept: Settings, tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        build(replace(kept, data=laid_over(case, tmp_path)))
    assert caught.value.code == 3
    assert all(has_all_parts(problem, tmp_path) for problem in caught.value.problems)
    agree(shown(caught.value), case.with_name(f"{case.name}.expected"))


@pytest.mark.parametrize("case", DATA, ids=by_name)
def test_beside_bad_data_other_files_are_still_checked(case: Path, kept: Settings, tmp_path: Path) -> None:
    data = laid_over(case, tmp_path)
    other = data / "claims" / "north-list.yaml"
    other.write_text(other.read_text(encoding="utf-8").replace("2023-02\n", "2023-02-31\n"), encoding="utf-8")
    with pytest.raises(SourceError) as caught:
        build(replace(kept, data=data))
    said = {f"{problem}\n" for problem in caught.value.problems}
    assert said >= {
        "data/claims/north-list.yaml:13:5: '2023-02-31' is no date\n  hint: write it like 2023-02-24, 2023-02 or 2023\n"
    }
    assert any(
        str(problem) in shown(caught.value) and "north-list" not in problem.where for problem in caught.value.problems
    )


def test_bad_data_end_the_command_with_exit_3(kept: Settings, tmp_path: Path) -> None:
    def run(case: Path) -> subprocess.CompletedProcess[str]:
        return llmkg("build", "--data", laid_over(case, tmp_path / case.name), home=kept.home)

    one_of_each_number = list({case.name[:2]: case for case in DATA}.values())
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for case, done in zip(one_of_each_number, pool.map(run, one_of_each_number), strict=True):
            assert (case.name, done.returncode, done.stdout) == (case.name, 3, "")
            expected = case.with_name(f"{case.name}.expected").read_text(encoding="utf-8")
            assert f"error: {expected}" in done.stderr


@pytest.mark.parametrize(
    ("opening", "closing"), [("[", "]"), ("- ", ""), ("{a: ", "}"), ("? ", "")], ids=["flow", "block", "map", "key"]
)
def test_ten_thousand_levels_of_nesting_are_refused(opening: str, closing: str, kept: Settings, tmp_path: Path) -> None:
    data = laid_over(TINY, tmp_path)
    (data / "claims" / "south-list.yaml").write_text(opening * 10_000 + "x" + closing * 10_000 + "\n", encoding="utf-8")
    with pytest.raises(SourceError, match=r"data/claims/south-list\.yaml:1:\d+: nested deeper than 32 levels"):
        build(replace(kept, data=data))


def test_the_problems_of_all_files_are_listed_together(kept: Settings, tmp_path: Path) -> None:
    data = laid_over(TINY, tmp_path)
    for name in ("claims/north-list.yaml", "claims/south-list.yaml", "entities/models.yaml", "entities/datasets.yaml"):
        (data / name).write_bytes(b"")
    with pytest.raises(SourceError) as caught:
        build(replace(kept, data=data))
    assert {problem.where.partition(":")[0] for problem in caught.value.problems} == {
        "data/claims/north-list.yaml",
        "data/claims/south-list.yaml",
        "data/entities/datasets.yaml",
        "data/entities/models.yaml",
    }


@pytest.mark.parametrize("name", ["sources.yaml", "."], ids=["sources", "folder"])
def test_a_folder_without_data_is_refused(name: str, kept: Settings, tmp_path: Path) -> None:
    data = laid_over(TINY, tmp_path)
    (data / name).unlink() if name != "." else shutil.rmtree(data)
    with pytest.raises(SourceError, match=r"data/sources\.yaml: does not exist"):
        build(replace(kept, data=data))


def test_a_folder_in_the_place_of_a_file_is_refused(kept: Settings, tmp_path: Path) -> None:
    data = laid_over(TINY, tmp_path)
    (data / "entities" / "people.yaml").mkdir()
    with pytest.raises(SourceError, match=r"data/entities/people\.yaml: is a folder"):
        build(replace(kept, data=data))


# --- odd, and accepted ---


def built(name: str, published: Settings, folder: Path) -> tuple[KnowledgeGraph, str]:
    """Give the graph made of a folder in ``bad/accepted``, and its hash."""
    settings = replace(published, home=folder / "home", data=laid_over(BAD / "accepted" / name, folder))
    made = build(settings)
    return connect(settings), made.hash


@pytest.mark.parametrize("name", ["03-bom-and-good", "08-crlf", "10-no-final-newline"])
def test_mark_line_ends_and_last_line_of_a_file_change_nothing(name: str, published: Settings, tmp_path: Path) -> None:
    tiny = json.loads((published.home / "current" / "manifest.json").read_text(encoding="utf-8"))["hash"]
    assert built(name, published, tmp_path)[1] == tiny


def test_texts_that_yaml_could_read_as_something_else_stay_texts(published: Settings, tmp_path: Path) -> None:
    graph, _ = built("21-texts-that-yaml-1.1-reads", published, tmp_path)
    rows = graph.sparql(
        "SELECT ?name WHERE { <https://w3id.org/llmkg/dataset/no>"
        " <http://www.w3.org/2004/02/skos/core#altLabel>|<http://www.w3.org/2000/01/rdf-schema#label> ?name }"
    )
    names = {row["name"] for row in rows}
    assert names == {"no", "on", "3.10", "1e3", "12:30", "0o17", "~", "yes", "1_000", "2023-02-30"}


def test_the_ways_to_write_a_size_are_one_number(published: Settings, tmp_path: Path) -> None:
    graph, _ = built("32-sizes", published, tmp_path)
    rows = graph.sparql(f"SELECT ?count WHERE {{ <{NIMBUS}> <{term('parameterCount').value}> ?count }}")
    assert [row["count"] for row in rows] == [3_000_000_000]
    said = {row["quote"]: row["qualifier"] for row in graph.query("claims", about="Nimbus-3B", source="south-list")}
    assert said == {"3 b": None, "3,000,000,000": None, "~3B": "approximately", "30 亿": None}
    unknown = graph.query("claims", about="Aurora-12B", property="parameterCount")
    assert [row["value"] for row in unknown] == ["unknown"]


def test_two_values_of_one_model_are_a_conflict_of_which_one_is_shown(published: Settings, tmp_path: Path) -> None:
    graph, _ = built("33-two-values", published, tmp_path)
    rows = list(graph.query("conflicts", about="Nimbus-3B"))
    assert {row["value"] for row in rows} == {2_900_000_000, 3_000_000_000, 3_200_000_000}
    assert [row["shown"] for row in rows].count(True) == 1


def test_a_circle_of_lineage_is_kept_as_stated_and_reported(published: Settings, tmp_path: Path) -> None:
    graph, _ = built("35-lineage-cycle", published, tmp_path)
    store = pyoxigraph.Store.read_only(graph.endpoint.describe())
    steps = store.quads_for_pattern(None, term("fineTunedFrom"), None, graph_iri("south-list"))
    assert {(name_of(quad.subject), name_of(quad.object)) for quad in steps} == {
        ("nimbus-12b", "aurora"),
        ("nimbus-3b", "nimbus-3b"),
    }
    findings = validate_store(store, graph.settings.ontology).findings
    circle = {finding.focus.rpartition("/")[2] for finding in findings if finding.rule == "lineage-cycle"}
    assert circle >= {"aurora", "nimbus-12b", "nimbus-3b"}
    assert "Aurora" in str(graph.lineage("Nimbus-12B", up=True))


def name_of(node: object) -> str:
    return str(getattr(node, "value", "")).rpartition("/")[2]


# --- Turtle files ---


@pytest.mark.parametrize("path", REFUSED_TURTLE, ids=by_name)
def test_bad_turtle_is_refused_with_place_reason_and_hint(path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        read_turtle(path)
    assert all(has_all_parts(problem, Path("/")) for problem in caught.value.problems)
    agree(shown(caught.value).replace(f"{BAD}/", ""), path.with_suffix(".expected"))


@pytest.mark.parametrize("path", [path for path in TURTLE if path not in REFUSED_TURTLE], ids=by_name)
def test_odd_but_good_turtle_is_read(path: Path) -> None:
    assert (pyoxigraph.NamedNode(NIMBUS), term("llmkg:kind")) in {(q.subject, q.predicate) for q in read_turtle(path)}


def test_all_bad_turtle_files_are_told_of_at_once(kept: Settings) -> None:
    done = llmkg("validate", *REFUSED_TURTLE, home=kept.home)
    assert (done.returncode, done.stdout) == (3, "")
    for path in REFUSED_TURTLE:
        assert path.with_suffix(".expected").read_text(encoding="utf-8") in done.stderr.replace(f"{BAD}/", "")


def test_a_turtle_file_with_a_byte_order_mark_is_validated(kept: Settings) -> None:
    done = llmkg("validate", BAD / "turtle" / "03-bom-and-good.ttl", "--format", "json", home=kept.home)
    assert [finding for finding in json.loads(done.stdout)["findings"] if finding["focus"] == NIMBUS] == []
    assert done.stderr == ""


@pytest.mark.parametrize(
    ("names", "paths"),
    [
        (("28-script", "35-dangling"), ("weightsUrl", "derivedFrom")),
        (("30-dates", "31-numbers"), ("releaseDate", "parameterCount")),
    ],
)
def test_wrong_values_in_turtle_are_violations(names: tuple[str, ...], paths: tuple[str, ...], kept: Settings) -> None:
    files = [BAD / "turtle" / f"{name}.ttl" for name in names]
    done = llmkg("validate", *files, "--format", "json", home=kept.home)
    assert done.returncode == 4
    found = {finding["path"] for finding in json.loads(done.stdout)["findings"] if finding["focus"] == NIMBUS}
    assert found >= {term(path).value for path in paths}
    assert done.stderr == ""


# --- queries and their parameters ---


@pytest.mark.parametrize("path", QUERIES, ids=by_name)
def test_bad_stored_queries_are_refused_with_place_reason_and_hint(path: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceError) as caught:
        load_query(path)
    assert all(PLACE.fullmatch(problem.where) and problem.hint for problem in caught.value.problems)
    agree(shown(caught.value), path.with_suffix(".expected"))


def bad_values() -> Iterator[tuple[str, str, str]]:
    tree = parse_yaml((BAD / "parameters.yaml").read_text(encoding="utf-8"), "parameters.yaml")
    assert isinstance(tree, Sequence)
    for entry in tree.items:
        assert isinstance(entry, Mapping)
        for value in entry.texts("values"):
            yield entry.text("number"), entry.text("type"), value


def test_bad_values_of_parameters_are_refused(published: Settings) -> None:
    index = connect(published).index
    said = []
    for number, kind, value in bad_values():
        parameter = Parameter("given", kind, "", kinds=("model",), choices=("large",))
        with pytest.raises(QueryError) as caught:
            parse_value(parameter, value, index.resolve)
        assert caught.value.code == 5
        assert caught.value.where or kind == "entity"
        said.append(f"{number} {kind} {value!r}\n{shown(caught.value)}")
    agree("\n".join(said), BAD / "parameters.expected")


@pytest.mark.parametrize("kind", ["string", "entity", "iri", "choice", "integer", "decimal", "date", "boolean"])
def test_values_that_are_no_text_are_refused(kind: str, published: Settings) -> None:
    with pytest.raises(QueryError, match="not UTF-8"):
        parse_value(Parameter("given", kind, "", choices=("a",)), "a\udcff", connect(published).index.resolve)


@pytest.mark.parametrize(
    ("kind", "value"),
    [("iri", "https://example.org/" + "x" * 10_240), ("integer", "9" * 5_000), ("decimal", "9" * 5_000)],
)
def test_values_of_many_characters_are_refused_with_a_short_message(kind: str, value: str, published: Settings) -> None:
    with pytest.raises(QueryError) as caught:
        parse_value(Parameter("given", kind, ""), value, connect(published).index.resolve)
    assert len(str(caught.value)) < 300


def test_a_bad_value_ends_the_command_with_exit_5(kept: Settings) -> None:
    done = llmkg("query", "derivatives", "--of", "Nіmbus", home=kept.home)
    assert (done.returncode, done.stdout) == (5, "")
    assert "did you mean 'Nimbus'" in done.stderr
