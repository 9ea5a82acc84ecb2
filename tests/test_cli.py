"""The command line as its users meet it: names in two languages, formats, pipes, hints, exit codes, a terminal of 80 columns."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from llmkg.cli.main import cli
from llmkg.config import Settings
from llmkg.render import width

Run = Callable[..., "subprocess.CompletedProcess[str]"]


def on_terminal(home: Path, *arguments: str, columns: int = 80, **environment: str) -> str:
    """Give what the command prints on a terminal of ``columns`` columns."""
    main, other = pty.openpty()
    env = os.environ | {"LLMKG_HOME": str(home), "COLUMNS": str(columns), "TERM": "xterm"} | environment
    process = subprocess.Popen(
        [sys.executable, "-m", "llmkg", *arguments], stdout=other, stderr=subprocess.PIPE, env=env
    )
    os.close(other)
    text = b""
    while True:
        try:
            part = os.read(main, 65536)
        except OSError:
            break
        if not part:
            break
        text += part
    process.communicate(timeout=60)
    os.close(main)
    assert process.returncode == 0
    return re.sub(r"\x1b\[[0-9;]*m", "", text.decode("utf-8")).replace("\r\n", "\n")


def test_derivatives_come_as_tsv_in_a_pipe(run: Run) -> None:
    done = run("query", "derivatives", "--of", "LLaMA")
    lines = done.stdout.splitlines()
    assert lines[0].split("\t")[:6] == ["model", "label", "relation", "parent", "distance", "evidence"]
    labels = {line.split("\t")[1] for line in lines[1:]}
    assert {"Alpaca", "Vicuna", "HuaTuo", "Linly-ChatFlow-int4", "WizardLM", "Koala", "Baize"} <= labels
    assert not {"OpenLLaMA", "LLaMA-2", "Open Assistant-12B", "ChatGLM-6B", "BLOOM"} & labels
    assert done.stderr == ""


@pytest.mark.parametrize("name", ["伶荔", "linly", "Linly"])
def test_a_model_is_shown_by_its_chinese_or_english_name(run: Run, name: str) -> None:
    done = run("show", name)
    assert done.returncode == 0
    assert done.stdout.startswith("Linly / 伶荔   (model-family, model/linly)")


def test_show_puts_conflicts_side_by_side_and_tells_unknown_from_not_stated(run: Run) -> None:
    llama = run("show", "LLaMA-33B").stdout
    assert "parameterCount (sources disagree" in llama
    assert "33B parameters" in llama
    assert "30B parameters" in llama
    chatglm = run("show", "ChatGLM-6B").stdout
    training = run("show", "run/chatglm-6b").stdout
    assert "stated to be unknown" in training
    assert "not stated by any source:" in chatglm


def test_show_as_json_keeps_places(run: Run) -> None:
    found = json.loads(run("show", "HuaTuo", "--format", "json").stdout)
    parents = next(p for p in found["properties"] if p["name"] == "fineTunedFrom")
    assert {"value": "LLaMA-7B", "places": ["open-llm-complete-list:81"]}.items() <= {
        key: value for said in parents["statements"] if said["value"] == "LLaMA-7B" for key, value in said.items()
    }.items()


def test_a_typing_error_gets_a_suggestion(run: Run) -> None:
    cases = (
        (("query", "derivative", "--of", "LLaMA"), 5, "derivatives"),
        (("query", "derivatives", "--of", "LLama 7"), 5, "LLaMA"),
        (("query", "derivatives", "--off", "LLaMA"), 2, "--of"),
        (("shwo", "LLaMA"), 2, "show"),
        (("show", "Vicunna"), 5, "Vicuna"),
        (("query", "claims", "--property", "parametercoun"), 5, "parameterCount"),
        (("query", "claims", "--source", "alpaca-model"), 5, "Alpaca models"),
    )
    for arguments, code, hint in cases:
        done = run(*arguments)
        assert done.returncode == code, arguments
        assert hint in done.stderr, arguments
        assert done.stdout == ""
        assert "Traceback" not in done.stderr


def test_a_missing_required_parameter_is_named(run: Run) -> None:
    done = run("query", "derivatives")
    assert done.returncode in (2, 5)
    assert "--of" in done.stderr


def test_an_empty_answer_says_why_and_is_no_failure(run: Run) -> None:
    done = run("query", "derivatives", "--of", "GPT-4")
    assert done.returncode == 0
    assert len(done.stdout.splitlines()) == 1
    assert "no rows" in done.stderr


@pytest.mark.parametrize("form", ["csv", "tsv", "json", "jsonl", "md", "table"])
def test_every_format_holds_the_same_rows(run: Run, form: str) -> None:
    text = run("query", "ancestors", "--of", "WizardLM", "--format", form).stdout
    assert "LLaMA-7B" in text
    if form == "csv":
        assert next(csv.DictReader(io.StringIO(text)))["label"] == "LLaMA-7B"
    if form == "json":
        assert json.loads(text)["results"]["bindings"][0]["distance"]["value"] == "1"
    if form == "jsonl":
        assert json.loads(text.splitlines()[0])["distance"] == 1


def test_sparql_is_read_from_stdin_and_from_a_file(run: Run, tmp_path: Path) -> None:
    text = "SELECT (COUNT(*) AS ?n) WHERE { ?m a <https://w3id.org/llmkg/ontology#Model> }"
    path = tmp_path / "q.rq"
    path.write_text(text, encoding="utf-8")
    assert run("sparql", "-", input=text).stdout == run("sparql", str(path)).stdout
    assert int(run("sparql", str(path)).stdout.splitlines()[1]) > 130


def test_a_construct_query_gives_turtle(run: Run) -> None:
    text = "CONSTRUCT { ?m a <https://schema.org/Thing> } WHERE { ?m a <https://w3id.org/llmkg/ontology#License> }"
    assert "a schema:Thing" in run("sparql", "-", input=text).stdout


def test_search_finds_part_of_a_name_in_any_language(run: Run) -> None:
    assert "model/huatuo" in run("search", "驼").stdout
    assert "model/llama\tLLaMA" in run("search", "llama").stdout.splitlines()[1]
    assert "did you mean" in run("search", "vicunnna").stderr


def test_claims_of_an_entity_name_source_and_line(run: Run) -> None:
    rows = list(csv.DictReader(io.StringIO(run("claims", "Alpaca-7B").stdout), delimiter="\t"))
    assert any(row["source"] == "alpaca-models" and row["quote"] for row in rows)


def test_lineage_is_drawn_and_cut_at_a_depth(run: Run) -> None:
    whole = run("lineage", "LLaMA").stdout
    assert "└─ Linly-ChatFlow-int4" in whole
    assert "Linly-ChatFlow-int4" not in run("lineage", "LLaMA", "--depth", "1").stdout
    assert run("lineage", "GPT-4").stderr.strip() == "no source states a model that comes from this one"
    assert "LLaMA-7B" in run("lineage", "HuaTuo", "--up").stdout


def test_output_goes_to_a_file_as_a_whole(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "lineage.svg"
    done = run("lineage", "LLaMA", "--format", "svg", "--output", str(path))
    assert done.stdout == ""
    assert path.read_text(encoding="utf-8").endswith("</svg>\n")
    missing = run("lineage", "LLaMA", "--output", str(tmp_path / "no" / "x.svg"))
    assert missing.returncode == 10


def test_nothing_is_wider_than_a_terminal_of_80_columns(built: Settings) -> None:
    for arguments in (
        ("show", "LLaMA"),
        ("show", "伶荔"),
        ("query",),
        ("query", "derivatives", "--of", "LLaMA"),
        ("stats",),
    ):
        for line in on_terminal(built.home, *arguments).splitlines():
            assert width(line) <= 80 or "http" in line, (arguments, line)


def test_an_ascii_terminal_gets_ascii(built: Settings) -> None:
    for arguments in (("lineage", "LLaMA"), ("show", "伶荔"), ("query", "derivatives", "--of", "LLaMA")):
        text = on_terminal(built.home, *arguments, PYTHONIOENCODING="ascii", PYTHONUTF8="0", LC_ALL="C")
        assert text.isascii(), arguments


def test_no_color_is_honoured(built: Settings) -> None:
    main, other = pty.openpty()
    env = os.environ | {"LLMKG_HOME": str(built.home), "NO_COLOR": "1", "TERM": "xterm-256color"}
    process = subprocess.run(
        [sys.executable, "-m", "llmkg", "stats"], stdout=other, stderr=subprocess.PIPE, env=env, check=True
    )
    os.close(other)
    text = os.read(main, 65536)
    os.close(main)
    assert process.returncode == 0
    assert not re.search(rb"\x1b\[[0-9;]*3[0-7]m", text)


@pytest.mark.parametrize("name", sorted(cli.commands))
def test_every_command_has_help(run: Run, name: str) -> None:
    done = run(name, "--help")
    assert done.returncode == 0
    assert "Usage: llmkg " + name in done.stdout


def test_the_options_of_a_stored_query_come_from_its_header(run: Run) -> None:
    text = run("query", "derivatives", "--help").stdout
    assert "--of NAME" in text
    assert "[required]" in text
    assert "--max-distance" in text


def test_the_list_of_queries_goes_to_stdout(run: Run) -> None:
    done = run("query")
    assert "  derivatives" in done.stdout
    assert "llmkg query NAME" in done.stderr


def test_build_prints_its_summary(run: Run, tmp_path: Path) -> None:
    done = run("--home", str(tmp_path / "home"), "build", "--no-validate", "--format", "json")
    told = json.loads(done.stdout)
    assert told["claims"]["open-llm-complete-list"] > 1000
    assert sum(told["claims"].values()) > 1500
    assert len(told["hash"]) == 64


def test_the_shipped_graph_conforms(run: Run) -> None:
    done = run("validate", "--format", "json")
    report = json.loads(done.stdout)
    assert done.returncode == 0, [f for f in report["findings"] if f["severity"] == "Violation"][:5]
    assert report["conforms"]
    assert {f["rule"] for f in report["findings"]} <= set(EXPLAINED_WARNINGS)


#: rules of which the shipped graph has warnings, with the reason; docs/explanation/validation.md tells them to readers
EXPLAINED_WARNINGS: dict[str, str] = {}


def test_completion_prints_a_script(run: Run) -> None:
    for shell in ("bash", "zsh", "fish"):
        assert "_LLMKG_COMPLETE" in run("completion", shell).stdout


def test_the_version_is_told(run: Run) -> None:
    assert run("--version").stdout.startswith("llmkg 0.")
