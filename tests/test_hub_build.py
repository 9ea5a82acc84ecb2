"""A build with records of the Hub: what is stated is what the records say, and what follows is what follows from it."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter, defaultdict, deque
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import hub_generator
import numpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llmkg.build import build
from llmkg.closure import close, cycles
from llmkg.config import Settings
from llmkg.graph import connect
from llmkg.home import current_version, read_manifest
from llmkg.importing import import_hub, snapshot_path
from llmkg.namespaces import BASE, LLMKG
from llmkg.repair import RULES
from llmkg.sources.hub_record import RELATIONS
from llmkg.sources.snapshot import read_entries
from llmkg.store import Store, open_store
from llmkg.validate import validate_store

Run = Callable[..., "subprocess.CompletedProcess[str]"]
#: subject → predicate → values, IRIs of ours as paths, terms of ours by name
Triples = Mapping[str, Mapping[str, set[str]]]

HERE = Path(__file__).parent
CRAWL = HERE / "fixtures" / "hub" / "crawl.jsonl"
DAY = "2026-01-01"
USE = "vocabulary/commercial-use/"
MADE = 1_000


def short(text: str) -> str:
    return text.removeprefix(LLMKG).removeprefix(BASE)


def triples_of(store: Store, graph: str = "") -> Triples:
    """Give the default graph, or a named one."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for quad in store.quads():
        name = getattr(quad.graph_name, "value", "")
        if short(name).removeprefix("graph/") == graph:
            found[short(quad.subject.value)][short(quad.predicate.value)].add(short(quad.object.value))  # type: ignore[union-attr]
    return found


def opened(settings: Settings) -> Store:
    return open_store(current_version(settings.home) / "store", settings.timeout)


# --- a small crawl, by the command line


@pytest.fixture(scope="module")
def hub_home(tmp_path_factory: pytest.TempPathFactory, run: Run) -> Path:
    """Give a home with the tiny data and the small crawl; one of its models is known to the data under two ids."""
    folder = tmp_path_factory.mktemp("hub")
    data = folder / "data"
    shutil.copytree(HERE / "fixtures" / "tiny", data)
    shutil.copyfile(HERE / "fixtures" / "hub" / "licenses.yaml", data / "entities" / "licenses.yaml")
    models = data / "entities" / "models.yaml"
    text = models.read_text(encoding="utf-8")
    one, two = "hub: polar-labs/Nimbus-12B", "hub: [Polar-Labs/nimbus-12b, fog-bank/Nimbus-12B]"
    models.write_text(text.replace(one, two), encoding="utf-8")
    done = run("import", "hub", str(CRAWL), "--crawled", DAY, home=folder / "home")
    assert done.returncode == 0, done.stderr
    done = run("build", "--data", str(data), "--format", "json", home=folder / "home")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["hub"] == {"gone": 0, "joined": 2, "records": 13, "steps": 11, "unrecorded": 2}
    return folder / "home"


@pytest.fixture(scope="module")
def ask(hub_home: Path, built: Settings) -> Callable[..., list[dict[str, Any]]]:
    """Give a function that gives the rows of a stored query on the small crawl."""
    graph = connect(replace(built, home=hub_home))

    def rows(name: str, **parameters: object) -> list[dict[str, Any]]:
        return [
            {column: short(str(value)) for column, value in row.items() if value is not None}
            for row in graph.query(name, **parameters).to_dicts()
        ]

    return rows


@pytest.fixture(scope="module")
def small_graph(hub_home: Path) -> Triples:
    return triples_of(open_store(current_version(hub_home) / "store"))


def line_of(home: Path, key: str) -> str:
    return str([entry.key for entry in read_entries(snapshot_path(home))].index(key) + 1)


def test_a_query_by_the_command_line_tells_of_models_of_the_hub(hub_home: Path, run: Run) -> None:
    done = run("query", "ancestors", "--of", "drizzle/nimbus-lora", "--format", "csv", home=hub_home)
    assert done.returncode == 0, done.stderr
    models = [line.split(",")[1] for line in done.stdout.splitlines()[1:]]
    assert models == ["fog-bank/Nimbus-12B-Chat", "Nimbus-12B", "vapour/Mist"]


def test_what_a_record_says_of_a_known_model_is_a_claim_with_its_line(hub_home: Path, small_graph: Triples) -> None:
    claims = {name: parts for name, parts in small_graph.items() if name.startswith("claim/hub/")}
    assert {
        next(iter(parts["rdf:subject" if "rdf:subject" in parts else RDF + "subject"])) for parts in claims.values()
    } == {"model/nimbus-12b"}
    lines = {
        (next(iter(parts[RDF + "predicate"])), value): next(iter(parts["line"]))
        for parts in claims.values()
        for value in parts[RDF + "object"]
    }
    own, other = line_of(hub_home, "polar-labs/nimbus-12b"), line_of(hub_home, "fog-bank/nimbus-12b")
    assert lines["license", "license/apache-2.0"] == lines["downloadCount", "900"] == own
    assert lines["license", "license/gemma"] == lines["downloadCount", "7"] == other
    assert lines["derivedFrom", "model/hub/vapour/Mist"] == other


RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"


def test_a_known_model_is_no_second_model(small_graph: Triples) -> None:
    assert not {name.lower() for name in small_graph} & {
        "model/hub/polar-labs/nimbus-12b",
        "model/hub/fog-bank/nimbus-12b",
    }
    assert "hubRecordLine" not in small_graph["model/nimbus-12b"]


def test_what_the_hub_and_surveys_say_differently_is_a_conflict(ask: Callable[..., list[dict[str, Any]]]) -> None:
    rows = ask("conflicts", about="Nimbus-12B", property="parameterCount")
    assert [(row["value"], row["sources"], row["shown"]) for row in rows] == [
        ("12000000000", "hub, north-list", "True"),
        ("11800000000", "south-list", "False"),
    ]


def test_a_parent_without_record_is_a_model_that_is_absent(small_graph: Triples) -> None:
    absent = {name for name, parts in small_graph.items() if "absentFrom" in parts}
    assert absent == {"model/hub/melted/Snow-3B", "model/hub/vapour/Mist"}
    snow = small_graph["model/hub/melted/Snow-3B"]
    assert snow["absentFrom"] == {"source/hub"}
    assert (snow["kind"], snow["hubId"]) == ({"model-variant"}, {"melted/Snow-3B"})
    assert snow["descendantCount"] == {"2"}


def test_steps_are_those_of_the_cards_as_repaired(ask: Callable[..., list[dict[str, Any]]]) -> None:
    rows = ask("derivatives", of="Nimbus-12B")
    steps = {(r["label"], r["relation"], r["evidence"], r.get("rule", "")) for r in rows if "hub" in r["model"]}
    assert steps == {
        ("fog-bank/Nimbus-12B-Chat", "fineTunedFrom", "stated", ""),
        ("fog-bank/Nimbus-12B-Chat-GGUF", "quantizedFrom", "inferred", "letter-case; gguf-files"),
        ("drizzle/nimbus-lora", "adapterOf", "inferred", "url; adapter-files"),
        ("drizzle/nimbus-merge", "mergedFrom", "inferred", "merge-tags"),
    }


def test_cycles_are_kept_marked_and_counted(ask: Callable[..., list[dict[str, Any]]]) -> None:
    rows = ask("lineage-cycles")
    assert [(row["cycle"], row["label"]) for row in rows] == [
        ("model/hub/sleet/ring-a", f"sleet/ring-{n}") for n in "ab"
    ]
    counts = {row["rule"]: row["cases"] for row in ask("repair-counts")}
    assert counts == {
        "absent": "3", "adapter-files": "1", "cycle": "2", "gguf-files": "1", "hub-relation": "2", "letter-case": "1",
        "local-path": "1", "merge-tags": "1", "repeated": "2", "self-loop": "1", "url": "1",
    }  # fmt: skip


def test_the_strictest_terms_of_the_whole_chain_are_a_models_own(small_graph: Triples) -> None:
    terms = {
        name.removeprefix("model/"): next(iter(parts["inheritedCommercialUse"])).removeprefix(USE)
        for name, parts in small_graph.items()
        if "inheritedCommercialUse" in parts
    }
    assert terms == {  # Mist, Snow and Hail have no license, and so whoever comes from them
        "hub/sleet/ring-a": "allowed",
        "hub/sleet/ring-b": "allowed",
    }


def test_what_a_record_does_not_say_is_not_said(small_graph: Triples) -> None:
    hail = small_graph["model/hub/sleet/Hail-7B"]
    assert not {"license", "repositoryCreated", "derivedFrom", "quantizationBits"} & set(hail)
    assert (hail["parameterCount"], hail["gate"]) == ({"7000000000"}, {"manual"})
    assert small_graph["model/hub/sleet/self"].keys().isdisjoint({"ancestor", "descendantCount"})


def test_things_that_records_name_are_each_one(small_graph: Triples) -> None:
    assert small_graph["Dataset"]["instanceCount"] == {
        str(sum("Dataset" in parts[RDF + "type"] for parts in small_graph.values()))
    }
    assert small_graph["dataset/hub/frost/flakes"]["hubId"] == {"frost/flakes"}


def test_two_ids_of_a_known_model_without_records_are_one_parent(
    hub_home: Path, built: Settings, tmp_path: Path
) -> None:
    ids = ("polar-labs/Nimbus-12B", "fog-bank/nimbus-12b")
    records = [{"id": f"lab/{number}", "cardData": {"base_model": name}} for number, name in enumerate(ids)]
    settings = replace(built, home=tmp_path / "home", data=hub_home.parent / "data")
    import_hub(settings.home, [write(tmp_path / "crawl.jsonl", records)], DAY)
    build(settings)
    nimbus = triples_of(opened(settings))["model/nimbus-12b"]
    assert (nimbus["descendantCount"], nimbus["childCount"]) == ({"4"}, {"4"})  # with Aurora and its variant


def test_what_records_of_a_known_model_say_of_lineage_are_claims(
    hub_home: Path, built: Settings, tmp_path: Path
) -> None:
    records: list[dict[str, Any]] = [
        {"id": "Polar-Labs/Nimbus-12B", "cardData": {"base_model": "./checkpoint", "new_version": "lab/Newer"}},
        {"id": "fog-bank/nimbus-12b", "cardData": {"new_version": "polar-labs/nimbus-12b"}},
        {"id": "lab/child", "cardData": {"base_model": "polar-labs/NIMBUS-12B"}},
    ]
    settings = replace(built, home=tmp_path / "home", data=hub_home.parent / "data")
    import_hub(settings.home, [write(tmp_path / "crawl.jsonl", records)], DAY)
    made = build(settings)
    graph = triples_of(opened(settings))
    said = {
        (*parts[RDF + "predicate"], *parts[RDF + "object"])
        for name, parts in graph.items()
        if name.startswith("claim/hub/")
    }
    assert {one for one in said if one[0] in ("statedParent", "supersededBy", "derivedFrom")} == {
        ("statedParent", "./checkpoint"), ("supersededBy", "model/hub/lab/Newer"),
    }  # fmt: skip
    assert (made.rules["letter-case"], made.rules["local-path"]) == (1, 1)
    assert graph["model/hub/lab/child"]["statedParent"] == {"polar-labs/NIMBUS-12B"}


def test_claims_of_a_model_of_the_hub_are_what_its_record_states(ask: Callable[..., list[dict[str, Any]]]) -> None:
    def lineage(name: str) -> set[tuple[str, str]]:
        rows = ask("claims", about=name)
        return {
            (r["property"], r["value"])
            for r in rows
            if r["property"] in {*RELATIONS.values(), "derivedFrom", "statedParent"}
        }

    assert lineage("fog-bank/Nimbus-12B-Chat") == {("fineTunedFrom", "model/nimbus-12b")}
    assert lineage("fog-bank/Nimbus-12B-Chat-GGUF") == {("statedParent", "fog-bank/nimbus-12b-chat")}


def test_pictures_of_lineage_name_the_rules_of_what_is_inferred(hub_home: Path, run: Run) -> None:
    done = run("lineage", "fog-bank/Nimbus-12B-Chat", home=hub_home)
    line = line_of(hub_home, "fog-bank/nimbus-12b-chat-gguf")
    assert f"fog-bank/Nimbus-12B-Chat-GGUF [1:{line} by letter-case, gguf-files]\n" in done.stdout
    assert done.stdout.endswith("by …: inferred by this rule\n")
    told = json.loads(run("lineage", "fog-bank/Nimbus-12B-Chat", "-f", "json", home=hub_home).stdout)
    assert {edge["rule"] for edge in told["edges"]} >= {"letter-case; gguf-files"}


def test_a_model_without_record_is_told_to_be_in_none(hub_home: Path, run: Run) -> None:
    assert "\n  in no record of: Hugging Face Hub\n" in run("show", "vapour/Mist", home=hub_home).stdout


def test_cases_of_every_rule_can_be_asked_for(ask: Callable[..., list[dict[str, Any]]], built: Settings) -> None:
    (rule,) = (p for p in connect(built).stored_query("repairs").parameters if p.name == "rule")
    assert set(rule.choices) == set(RULES) - {"cycle"}
    counts = {row["rule"]: int(row["cases"]) for row in ask("repair-counts")}
    for name in rule.choices:
        assert len(ask("repairs", rule=name)) == counts.get(name, 0), name


# --- terms of use, by hand


def chain(*licenses: str | list[str] | None) -> list[dict[str, Any]]:
    """Give records of which each is tuned from the one before."""
    records = []
    for number, license_id in enumerate(licenses):
        card: dict[str, Any] = {"license": license_id} if license_id else {}
        if number:
            card |= {"base_model": f"lab/{number - 1}", "base_model_relation": "finetune"}
        records.append({"id": f"lab/{number}", "cardData": card})
    return records


def write(path: Path, records: Iterable[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    return path


CHAINS = {
    "plain": (chain("mit", "apache-2.0"), ["allowed", "allowed"]),
    "strict": (chain("cc-by-nc-4.0", "mit", "gemma"), ["not-allowed", "not-allowed", "not-allowed"]),
    "stricter": (chain("mit", "gemma", "mit"), ["allowed", "conditional", "conditional"]),
    "gap": (chain("mit", None, "mit"), ["allowed", "", ""]),
    "strange": (chain("lab-terms", "mit"), ["", ""]),
    "several": (chain(["mit", "gemma"], "mit"), ["conditional", "conditional"]),
    "several, one strange": (chain(["mit", "lab-terms"], "mit"), ["", ""]),
    "absent": ([{"id": "lab/0", "cardData": {"license": "mit", "base_model": "gone/away"}}], [""]),
}


def test_terms_of_use_go_down_the_chain(built: Settings, tmp_path: Path) -> None:
    records: list[dict[str, Any]] = []
    expected: dict[str, str] = {}
    for name, (made, terms) in CHAINS.items():
        lab = name.replace(", ", "-").replace(" ", "-")
        records += [json.loads(json.dumps(record).replace("lab/", f"{lab}/")) for record in made]
        expected |= {f"model/hub/{lab}/{number}": term for number, term in enumerate(terms)}
    settings = replace(built, home=tmp_path / "home")
    import_hub(settings.home, [write(tmp_path / "crawl.jsonl", records)], DAY)
    build(settings)
    graph = triples_of(opened(settings))
    found = {name: next(iter(graph[name].get("inheritedCommercialUse", {""}))).removeprefix(USE) for name in expected}
    assert found == expected


# --- descent, against a search of another kind


def search(count: int, steps: set[tuple[int, int]]) -> dict[tuple[int, int], int]:
    """Give the distance of every model to every ancestor, by breadth-first search from each model."""
    parents = defaultdict(set)
    for child, parent in steps:
        parents[child].add(parent)
    found = {}
    for start in range(count):
        queue = deque((parent, 1) for parent in parents[start])
        while queue:
            model, distance = queue.popleft()
            if (start, model) not in found:
                found[start, model] = distance
                queue.extend((parent, distance + 1) for parent in parents[model])
    return found


STEPS = st.integers(1, 25).flatmap(
    lambda count: st.tuples(
        st.just(count),
        st.sets(st.tuples(st.integers(0, count - 1), st.integers(0, count - 1)).filter(lambda s: s[0] != s[1])),
    )
)


@given(STEPS)
def test_descent_is_what_a_search_from_each_model_finds(graph: tuple[int, set[tuple[int, int]]]) -> None:
    count, steps = graph
    ordered = sorted(steps)
    children = numpy.array([child for child, _ in ordered], numpy.int64)
    parents = numpy.array([parent for _, parent in ordered], numpy.int64)
    closure = close(count, children, parents)
    pairs = list(zip(closure.models.tolist(), closure.ancestors.tolist(), strict=True))
    expected = search(count, steps)
    assert dict(zip(pairs, closure.distances.tolist(), strict=True)) == expected
    assert pairs == sorted(expected)
    in_cycles = {model for members in cycles(count, children, parents) for model in members}
    assert in_cycles == {model for model, ancestor in expected if model == ancestor}


# --- a made Hub: every count, counted again


@pytest.fixture(scope="module")
def made(built: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Give the settings of a home with the packed data and made records of the Hub's shape."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "crawl.jsonl").write_bytes(b"".join(hub_generator.lines(MADE, 3)))
    settings = replace(built, home=folder / "home")
    import_hub(settings.home, [folder / "crawl.jsonl"], DAY)
    build(settings)
    return settings


@pytest.fixture(scope="module")
def graph(made: Settings) -> Triples:
    return triples_of(opened(made))


def stated(graph: Triples, name: str) -> dict[str, int]:
    return {subject: int(next(iter(parts[name]))) for subject, parts in graph.items() if name in parts}


def nodes(graph: Triples, kind: str) -> list[Mapping[str, str]]:
    return [
        {name: min(values) for name, values in parts.items()}
        for subject, parts in graph.items()
        if subject.startswith(f"{kind}/")
    ]


def test_the_descent_in_the_graph_is_what_a_search_finds(graph: Triples) -> None:
    steps = {(one["derivedModel"], one["parentModel"]) for one in nodes(graph, "derivation")}
    numbers = {path: number for number, path in enumerate(sorted({path for step in steps for path in step}))}
    paths = list(numbers)
    expected = {
        (paths[model], paths[ancestor]): distance
        for (model, ancestor), distance in search(len(paths), {(numbers[c], numbers[p]) for c, p in steps}).items()
    }
    found = {(one["descendantModel"], one["ancestorModel"]): int(one["distance"]) for one in nodes(graph, "descent")}
    mass = {pair: distance for pair, distance in found.items() if pair[1].startswith("model/hub/")}
    assert mass == {pair: distance for pair, distance in expected.items() if pair[1].startswith("model/hub/")}
    assert found.items() >= expected.items()  # and the families of ancestors


def test_counts_of_lineage_are_what_counting_gives(graph: Triples) -> None:
    descents = nodes(graph, "descent")
    pairs = {(d["descendantModel"], d["ancestorModel"]): int(d["distance"]) for d in descents}
    assert len(pairs) == len(descents)
    others = {pair: distance for pair, distance in pairs.items() if pair[0] != pair[1]}
    depth: dict[str, int] = {}
    for (model, _), distance in pairs.items():
        depth[model] = max(depth.get(model, 0), distance)
    assert stated(graph, "descendantCount") == Counter(ancestor for _, ancestor in others)
    direct = Counter(ancestor for (_, ancestor), distance in others.items() if distance == 1)
    assert {name: size for name, size in stated(graph, "childCount").items() if size} == direct
    assert stated(graph, "lineageDepth") == depth
    roots = {(model, root) for model, parts in graph.items() for root in parts.get("rootModel", ())}
    assert roots == {(model, ancestor) for model, ancestor in pairs if ancestor not in depth}
    assert {(m, a) for m, parts in graph.items() for a in parts.get("ancestor", ())} == set(pairs)


def test_counts_of_classes_works_and_terms_are_what_counting_gives(graph: Triples) -> None:
    instances = Counter(kind for parts in graph.values() for kind in parts.get(RDF + "type", ()))
    named = stated(graph, "instanceCount")
    assert named == {name: instances[name] for name in named}
    for name in ("Model", "Agent", "Dataset", "License", "Software", "Publication", "Derivation", "Descent", "Repair"):
        assert named[name] == instances[name] > 0, name
    works = Counter[str]()
    for parts in graph.values():
        works.update(parts.get("license", ()))
        works.update({*parts.get("developedBy", ()), *parts.get("releasedBy", ())})
    assert {name: works[name] for name in stated(graph, "workCount")} == stated(graph, "workCount")
    assert set(works) - set(stated(graph, "workCount")) <= {name for name in works if not name.startswith(BOTH)}
    terms = Counter(term for parts in graph.values() for term in parts.get("inheritedCommercialUse", ()))
    assert {name: size for name, size in stated(graph, "modelCount").items() if size} == terms


BOTH = ("license/", "agent/", "organization/", "person/")


def test_coverage_is_what_counting_gives(graph: Triples) -> None:
    typed = defaultdict(set)
    for subject, parts in graph.items():
        for kind in parts.get(RDF + "type", ()):
            typed[kind].add(subject)
    claimed = defaultdict(set)
    for one in nodes(graph, "claim"):
        claimed[one[RDF + "predicate"]].add(one[RDF + "subject"])
    for one in nodes(graph, "coverage"):
        things, name = typed[one["coverageClass"]], one["coverageOf"]
        hub = {thing for thing in things if "hubRecordLine" in graph[thing]}
        said = {thing for thing in hub if name in graph[thing]}
        if name == "derivedFrom":
            said = {t for t in hub if {*RELATIONS.values(), "derivedFrom", "statedParent"} & set(graph[t])}
        assert int(one["expectedCount"]) == len(things), one
        assert int(one["statedCount"]) == len(said | things & claimed[name]), one


def test_counts_of_repairs_are_what_counting_gives(graph: Triples) -> None:
    cases = Counter(one["repairRule"] for one in nodes(graph, "repair"))
    counted = {one["countedRule"]: int(one["caseCount"]) for one in nodes(graph, "repair-rule")}
    assert cases["hub-relation"] == sum("hub-relation" in one.get("rule", "") for one in nodes(graph, "derivation"))
    assert counted.pop("cycle", 0) == sum("lineageCycle" in parts for parts in graph.values())
    assert counted == cases


def test_what_is_inferred_stands_in_the_graph_of_what_is_inferred(made: Settings, graph: Triples) -> None:
    inferred = triples_of(opened(made), "inferred")
    for one in nodes(graph, "derivation"):
        if one["evidence"] == "inferred":
            assert one["rule"]
            assert one["parentModel"] in inferred[one["derivedModel"]][one["relation"]], one
        elif "model/hub/" in one["derivedModel"]:
            assert one["parentModel"] in graph[one["derivedModel"]][one["relation"]], one
            assert one["relation"] == "derivedFrom" or (
                one["parentModel"] not in inferred[one["derivedModel"]].get(one["relation"], ())
            )


def test_a_model_of_the_hub_has_the_line_of_its_record(made: Settings, graph: Triples) -> None:
    keys = [entry.key for entry in read_entries(snapshot_path(made.home))]
    lines = {
        int(min(parts["hubRecordLine"])): min(parts["hubId"]) for parts in graph.values() if "hubRecordLine" in parts
    }
    assert {line: name.lower() for line, name in lines.items()}.items() <= dict(enumerate(keys, 1)).items()
    assert len(lines) > MADE * 0.9


def test_p2_the_same_snapshot_gives_the_same_hash_under_another_hash_seed(
    made: Settings, run: Run, tmp_path: Path
) -> None:
    (tmp_path / "home" / "imports").mkdir(parents=True)
    import_hub(tmp_path / "other", [made.home.parent / "crawl.jsonl"], DAY)
    shutil.copytree(tmp_path / "other", tmp_path / "home", dirs_exist_ok=True)
    done = run("build", "--no-validate", home=tmp_path / "home", more={"PYTHONHASHSEED": "7"})
    assert done.returncode == 0, done.stderr
    here, there = (read_manifest(current_version(home)) for home in (made.home, tmp_path / "home"))
    assert (here.hash, here.quads, here.inputs) == (there.hash, there.quads, there.inputs)


# --- real records


@pytest.fixture(scope="module")
def real(hub_sample: Path, built: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Give the settings of a home with the packed data and the sample of the Hub."""
    settings = replace(built, home=tmp_path_factory.mktemp("real") / "home")
    import_hub(settings.home, [hub_sample], DAY)
    build(settings)
    return settings


def test_statements_about_real_models_are_those_of_their_records(real: Settings, hub_sample: Path) -> None:
    graph, inferred = (triples_of(opened(real), name) for name in ("", "inferred"))
    by_id = {min(parts["hubId"]): parts for name, parts in graph.items() if name.startswith("model/hub/")}
    paths = {
        value: name for name, parts in graph.items() if name.startswith("model/") for value in parts.get("hubId", ())
    }
    licenses = {v: name for name, parts in graph.items() if name.startswith("license/") for v in parts.get("hubId", ())}
    checked = 0
    for line in hub_sample.read_bytes().splitlines():
        raw = json.loads(line)
        if raw["id"] not in by_id:
            continue
        said = by_id[raw["id"]]
        assert said["downloadCount"] == {str(raw["downloads"])}
        assert said["likeCount"] == {str(raw["likes"])}
        tagged = [tag.removeprefix("base_model:") for tag in raw["tags"] if tag.startswith("base_model:")]
        named = (raw["cardData"] or {}).get("base_model") or []
        plain = {tag for tag in tagged if tag.partition(":")[0] not in RELATIONS} | {
            *([named] if isinstance(named, str) else named)
        }
        own = inferred.get(f"model/hub/{raw['id']}", {})
        stated = {
            parent
            for name in {*RELATIONS.values(), "derivedFrom"} & set(said)
            for parent in said[name] - (own.get(name, set()) if name != "derivedFrom" else set())
        }
        assert stated == {paths[parent] for parent in plain if parent in paths}, raw["id"]
        ids = [tag.removeprefix("license:") for tag in raw["tags"] if tag.startswith("license:")]
        found = said.get("license", set())
        assert {licenses[name] for name in ids if name in licenses} <= found, raw["id"]
        is_licensed = set(ids) - {"unknown"} or (raw["cardData"] or {}).get("license_name")
        assert bool(found) == bool(is_licensed), raw["id"]
        checked += 1
    assert checked > 700


def test_a_graph_of_real_records_is_valid(real: Settings) -> None:
    report = validate_store(opened(real).engine, real.ontology, "shacl")
    assert report.conforms, report.findings
