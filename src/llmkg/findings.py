"""What validation finds, and how findings about imported things are counted instead of kept."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from llmkg.identifiers import is_imported, path_of

__all__ = ["MOST_EXAMPLES", "Counted", "Finding", "Report", "Tally", "joined"]

#: so many findings of one rule about imported things are kept as examples; all are counted
MOST_EXAMPLES = 20


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing that is wrong: ``severity`` is Violation, Warning or Info; ``where`` lists ``source:line`` of the evidence."""

    severity: str
    rule: str
    focus: str
    path: str
    value: str
    message: str
    where: tuple[str, ...] = ()
    hint: str = ""


@dataclass(frozen=True, slots=True, order=True)
class Counted:
    """How often one rule finds something about imported things, with the first few findings as examples."""

    severity: str
    rule: str
    count: int
    examples: tuple[Finding, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What validation found, sorted, and the engine that looked.

    ``findings`` holds every one about things of ours, ``imported`` the counts of those about imported things.
    """

    findings: tuple[Finding, ...]
    engine: str
    imported: tuple[Counted, ...] = ()

    @property
    def conforms(self) -> bool:
        """Tell whether there is no violation (warnings may be there)."""
        return not any(finding.severity == "Violation" for finding in self.findings)

    def count(self, severity: str) -> int:
        """Give how many findings have this severity, those about imported things included.

        >>> one = Finding("Warning", "label", "https://w3id.org/llmkg/model/x", "", "", "no label")
        >>> Report((one,), "shacl", (Counted("Warning", "label", 7, ()),)).count("Warning")
        8
        """
        own = sum(finding.severity == severity for finding in self.findings)
        return own + sum(counted.count for counted in self.imported if counted.severity == severity)


@dataclass(slots=True)
class Tally:
    """Collects findings in little memory: those about imported things are counted by rule, and are at most warnings."""

    own: set[Finding] = field(default_factory=set)
    counts: dict[tuple[str, str], int] = field(default_factory=dict)
    examples: dict[tuple[str, str], list[Finding]] = field(default_factory=dict)

    def add(self, findings: Iterable[Finding]) -> None:
        """Take in ``findings``, each of which is new.

        >>> tally = Tally()
        >>> tally.add([Finding("Violation", "label", "https://w3id.org/llmkg/model/hub/a/b", "", "", "no label")])
        >>> tally.report("shacl").imported[0].severity, tally.report("shacl").conforms
        ('Warning', True)
        """
        for finding in findings:
            if not is_imported(path_of(finding.focus)):
                self.own.add(finding)
                continue
            milder = replace(finding, severity="Warning") if finding.severity == "Violation" else finding
            key = (milder.severity, milder.rule)
            self.counts[key] = self.counts.get(key, 0) + 1
            self._keep(key, milder)

    def merge(self, other: Tally) -> None:
        """Take in what another tally holds, whose findings are others than those here."""
        self.own |= other.own
        for key, count in other.counts.items():
            self.counts[key] = self.counts.get(key, 0) + count
        for key, examples in other.examples.items():
            for example in examples:
                self._keep(key, example)

    def _keep(self, key: tuple[str, str], finding: Finding) -> None:
        """Keep the first examples in their order, whatever order they come in, so that every run gives the same ones."""
        kept = self.examples.setdefault(key, [])
        if len(kept) < MOST_EXAMPLES:
            kept.append(finding)
        elif finding < kept[-1]:
            kept[-1] = finding
        else:
            return
        kept.sort()

    def report(self, engine: str) -> Report:
        """Give what was found."""
        imported = (Counted(*key, count, tuple(self.examples[key])) for key, count in self.counts.items())
        return Report(tuple(sorted(self.own)), engine, tuple(sorted(imported)))


def joined(reports: Iterable[Report]) -> Report:
    """Give one report of several about different things.

    >>> joined([Report((), "pySHACL"), Report((), "pySHACL")])
    Report(findings=(), engine='pySHACL', imported=())
    """
    tally, engine = Tally(), ""
    for report in reports:
        engine = engine or report.engine
        counts = {(counted.severity, counted.rule): counted for counted in report.imported}
        tally.merge(
            Tally(
                set(report.findings),
                {key: counted.count for key, counted in counts.items()},
                {key: list(counted.examples) for key, counted in counts.items()},
            )
        )
    return tally.report(engine)
