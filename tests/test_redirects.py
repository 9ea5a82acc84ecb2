"""Redirects of the Hub are read with chains resolved, and what is wrong with a row is said with its line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from llmkg.build import read_inputs
from llmkg.errors import SourceError
from llmkg.resources import resource_folder
from llmkg.sources.redirects import new_ids, read_redirects

HEADER = "old,new,reason\n"
TINY = Path(__file__).parent / "fixtures" / "tiny"


def read(folder: Path, rows: str, header: str = HEADER) -> tuple[dict[str, str], list[str]]:
    """Give the present ids and the problems of a file with ``rows``."""
    path = folder / "redirects.csv"
    path.write_text(header + rows, encoding="utf-8")
    reading = read_redirects(path, "data/redirects.csv")
    return new_ids(reading.records), [str(problem) for problem in reading.problems]


def test_a_former_id_leads_to_the_present_one_without_regard_to_case(tmp_path: Path) -> None:
    assert read(tmp_path, "Old/Name,New/Name,renamed\n") == ({"old/name": "New/Name"}, [])


def test_a_chain_leads_to_its_end(tmp_path: Path) -> None:
    found, problems = read(tmp_path, "a/x,B/x,moved\nb/X,c/x,moved\nc/x,c/y,renamed\n")
    assert found == {"a/x": "c/y", "b/x": "c/y", "c/x": "c/y"}
    assert problems == []


def test_a_circle_is_a_problem_of_each_of_its_rows_and_of_those_that_lead_into_it(tmp_path: Path) -> None:
    found, problems = read(tmp_path, "a/x,b/x,moved\nb/x,A/X,moved\nz/x,a/x,moved\ngpt2,openai-community/gpt2,moved\n")
    assert found == {"gpt2": "openai-community/gpt2"}
    assert [problem.partition(":")[2].split(":")[0] for problem in problems] == ["2", "3", "4"]
    assert all("leads in a circle" in problem and "hint: remove the row" in problem for problem in problems)


def test_an_id_that_leads_to_itself_is_a_circle(tmp_path: Path) -> None:
    assert "leads in a circle" in read(tmp_path, "a/x,A/x,renamed\n")[1][0]


def test_an_id_twice_is_a_problem_and_the_first_row_stands(tmp_path: Path) -> None:
    found, problems = read(tmp_path, "a/x,b/x,moved\nA/X,c/x,moved\n")
    assert found == {"a/x": "b/x"}
    assert problems == ["data/redirects.csv:3:1: 'A/X' stands twice\n  hint: the other is at data/redirects.csv:2:1"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("a/x,b/x", "has 2 values, not 3"),
        ("a/x,b/x,moved,again", "has 4 values, not 3"),
        ("a/x,https://huggingface.co/b/x,moved", "is no identifier of the Hub"),
        ("a/x/y,b/x,moved", "is no identifier of the Hub"),
        (",b/x,moved", "is no identifier of the Hub"),
        ("a/x,b/x, ", "gives no reason"),
        ('a/x,b/x,"moved', "is no row of CSV"),
    ],
)
def test_a_wrong_row_is_named_with_its_line_and_hides_no_other(tmp_path: Path, row: str, reason: str) -> None:
    found, problems = read(tmp_path, f"{row}\ngpt2,openai-community/gpt2,moved\n")
    assert found == {"gpt2": "openai-community/gpt2"}
    assert len(problems) == 1
    assert problems[0].startswith("data/redirects.csv:2:1: ")
    assert reason in problems[0]
    assert "\n  hint: " in problems[0]


def test_another_header_is_a_problem(tmp_path: Path) -> None:
    found, problems = read(tmp_path, "a/x,b/x,moved\n", "from,to,why\n")
    assert found == {}
    assert "has the header 'from,to,why'" in problems[0]


def test_a_file_that_is_not_there_is_a_problem(tmp_path: Path) -> None:
    assert "does not exist" in str(read_redirects(tmp_path / "redirects.csv", "data/redirects.csv").problems[0])


def test_data_without_redirects_are_read_and_wrong_redirects_are_told(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    shutil.copytree(TINY, folder)
    assert read_inputs(folder).redirects == {}
    (folder / "redirects.csv").write_text("old,new,reason\nA/x,b/y,renamed\n", encoding="utf-8")
    assert read_inputs(folder).redirects == {"a/x": "b/y"}
    (folder / "redirects.csv").write_text("old,new\n", encoding="utf-8")
    with pytest.raises(SourceError, match=r"data/redirects\.csv:1:1: has the header"):
        read_inputs(folder)


def test_the_packed_redirects_are_without_fault() -> None:
    reading = read_redirects(resource_folder("data") / "redirects.csv", "data/redirects.csv")
    assert reading.problems == ()
    found = new_ids(reading.records)
    assert found["bert-base-uncased"] == "google-bert/bert-base-uncased"
    assert found["meta-llama/meta-llama-3.1-8b"] == "meta-llama/Llama-3.1-8B"
    assert "meta-llama/meta-llama-3-8b" not in found


def test_an_entity_with_a_former_id_has_the_present_one_too() -> None:
    data = resource_folder("data")
    found = new_ids(read_redirects(data / "redirects.csv", "data/redirects.csv").records)
    for entity in read_inputs(data).entities:
        ids = {value.lower() for key, value in entity.external_ids if key == "hub"}
        if entity.kind.startswith("model-"):
            assert {found[former].lower() for former in ids & found.keys()} <= ids, entity.slug
