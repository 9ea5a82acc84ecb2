"""Everything that can go wrong on purpose.

The tree, with the exit code that the command line gives each branch (see ``docs/reference/exit-codes.md``)::

    LlmkgError
    ├── InternalError        1   a bug of ours
    ├── UsageError           2   a wrong option or argument
    ├── SourceError          3   a source file is wrong (carries every problem found)
    ├── ValidationError      4   SHACL or check violations
    ├── QueryError           5   syntax, unknown query, bad parameter, refused feature
    ├── LimitError           6   time, memory, rows, bytes, depth
    ├── StoreUnavailable     7   missing, locked, other version, no permission
    ├── StoreCorrupt         8   does not match its manifest
    ├── RemoteError          9   an endpoint failed or answered nonsense
    └── WriteError          10   disk full, read-only target

Every message says what was found, ``where`` says at which place, and ``hint`` says what to do.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = [
    "InternalError",
    "LimitError",
    "LlmkgError",
    "Problem",
    "QueryError",
    "RemoteError",
    "SourceError",
    "StoreCorrupt",
    "StoreUnavailable",
    "UsageError",
    "ValidationError",
    "WriteError",
]


class LlmkgError(Exception):
    """An error with an address and a remedy."""

    code = 1

    def __init__(self, message: str, where: str = "", hint: str = "") -> None:
        """Keep ``message`` (what was found), ``where`` (``path:line:column``) and ``hint`` (what to do)."""
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        """Give ``where: message`` and, on a line of its own, the hint.

        >>> print(QueryError("no query 'derivative'", where="queries/", hint="did you mean 'derivatives'?"))
        queries/: no query 'derivative'
          hint: did you mean 'derivatives'?
        """
        place = f"{self.where}: " if self.where else ""
        hint = f"\n  hint: {self.hint}" if self.hint else ""
        return f"{place}{self.message}{hint}"


class InternalError(LlmkgError):
    """A bug of ours."""

    code = 1


class UsageError(LlmkgError):
    """A wrong option or argument."""

    code = 2


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong in a source file."""

    where: str
    message: str
    hint: str = ""

    def __str__(self) -> str:
        """Give ``where: message`` and the hint, if any, on the next line."""
        return f"{self.where}: {self.message}" + (f"\n  hint: {self.hint}" if self.hint else "")


class SourceError(LlmkgError):
    """Source files are wrong; ``problems`` lists all that was found, file by file."""

    code = 3

    def __init__(self, problems: tuple[Problem, ...] | list[Problem]) -> None:
        """Keep all ``problems``; the first gives message, place and hint."""
        self.problems = tuple(problems)
        first = self.problems[0]
        super().__init__(first.message, first.where, first.hint)

    def __str__(self) -> str:
        """List every problem, a line or two each."""
        return "\n".join(str(problem) for problem in self.problems)


class ValidationError(LlmkgError):
    """The graph breaks shapes or checks."""

    code = 4


class QueryError(LlmkgError):
    """A query is wrong, unknown, or asks for something refused."""

    code = 5


class LimitError(LlmkgError):
    """A limit of time, memory, rows, bytes or depth was reached."""

    code = 6


class StoreUnavailable(LlmkgError):
    """The store is missing, locked, of another version, or not readable."""

    code = 7


class StoreCorrupt(LlmkgError):
    """The store does not match its manifest."""

    code = 8


class RemoteError(LlmkgError):
    """A remote endpoint failed or answered nonsense."""

    code = 9


class WriteError(LlmkgError):
    """Nothing could be written: disk full, read-only target."""

    code = 10
