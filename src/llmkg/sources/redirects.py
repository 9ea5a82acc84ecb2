"""``data/redirects.csv``: which repositories of the Hugging Face Hub were renamed or moved, and where they are now."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from pathlib import Path

from llmkg.errors import Problem, SourceError
from llmkg.identifiers import is_hub_id
from llmkg.records import Place, Redirect
from llmkg.sources.text import read_text
from llmkg.sources.yaml_tree import Reading

__all__ = ["REDIRECT_COLUMNS", "new_ids", "read_redirects"]

REDIRECT_COLUMNS = ("old", "new", "reason")
_HEADER_HINT = f"the first line is {','.join(REDIRECT_COLUMNS)}"


def read_redirects(path: Path, name: str) -> Reading[Redirect]:
    """Give the redirects of a file, each with the last id of its chain; ``name`` is the file's name in messages.

    A wrong row does not hide the others. An id that is moved twice, or back to where it was, is a problem.
    """
    try:
        lines = read_text(path, name).split("\n")
    except SourceError as error:
        return Reading((), error.problems)
    if tuple(lines[0].split(",")) != REDIRECT_COLUMNS:
        return Reading((), (Problem(str(Place(name, 1)), f"has the header {lines[0]!r}", _HEADER_HINT),))
    found: dict[str, Redirect] = {}
    problems: list[Problem] = []
    for number, line in enumerate(lines[1:], 2):
        place = Place(name, number)
        try:
            redirect = _read_row(line, place) if line else None
        except SourceError as error:
            problems += error.problems
            continue
        if redirect is None:
            continue
        first = found.setdefault(redirect.old.lower(), redirect)
        if first is not redirect:
            problems.append(Problem(str(place), f"{redirect.old!r} stands twice", f"the other is at {first.place}"))
    return _resolved(found, problems)


def new_ids(redirects: Iterable[Redirect]) -> dict[str, str]:
    """Give the present id by the former one in lower case, as the Hub does not tell upper from lower case.

    >>> new_ids([Redirect("GPT2", "openai-community/gpt2", "", Place("x.csv", 2))])
    {'gpt2': 'openai-community/gpt2'}
    """
    return {redirect.old.lower(): redirect.new for redirect in redirects}


def _read_row(line: str, place: Place) -> Redirect:
    try:
        (row,) = csv.reader([line], strict=True)
    except csv.Error as error:
        raise _wrong(place, f"is no row of CSV: {error}", "close the quotes, on the same line") from error
    if len(row) != len(REDIRECT_COLUMNS):
        raise _wrong(place, f"has {len(row)} values, not {len(REDIRECT_COLUMNS)}", "write old,new,reason")
    old, new, reason = row
    for identifier in (old, new):
        if not is_hub_id(identifier):
            hint = "write owner/name, or the name alone for one without owner, without https://huggingface.co/"
            raise _wrong(place, f"{identifier!r} is no identifier of the Hub", hint)
    if not reason.strip():
        raise _wrong(place, f"gives no reason for {old!r}", "write a few words, such as: renamed")
    return Redirect(old, new, reason, place)


def _resolved(found: dict[str, Redirect], problems: list[Problem]) -> Reading[Redirect]:
    redirects: list[Redirect] = []
    for key, redirect in found.items():
        last, seen = redirect, {key}
        while (following := last.new.lower()) in found and following not in seen:
            seen.add(following)
            last = found[following]
        if following in seen:
            message = f"{redirect.old!r} leads in a circle, through {last.old!r}"
            problems.append(Problem(str(redirect.place), message, "remove the row that leads back"))
        else:
            redirects.append(Redirect(redirect.old, last.new, redirect.reason, redirect.place))
    return Reading(tuple(redirects), tuple(problems))


def _wrong(place: Place, message: str, hint: str) -> SourceError:
    return SourceError([Problem(str(place), message, hint)])
