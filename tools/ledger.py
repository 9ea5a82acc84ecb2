"""Keep ``data/identifiers.csv``, the append-only ledger of IRIs: ``python tools/ledger.py [--check]``.

New entities and concepts are appended, in order; nothing is ever removed or used again for something else. A retired IRI stays,
and its entity gains ``replacedBy``.
"""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

from llmkg.build import read_inputs
from llmkg.namespaces import BASE, term
from llmkg.quads import ontology_triples

ROOT = Path(__file__).parents[1]
LEDGER = ROOT / "data" / "identifiers.csv"


def present() -> dict[str, str]:
    """Give the kind of every path that the data and the vocabularies define."""
    inputs = read_inputs(ROOT / "data")
    found = {f"{'model' if e.kind.startswith('model-') else e.kind}/{e.slug}": e.kind for e in inputs.entities}
    found |= {f"source/{source.slug}": "source" for source in inputs.sources}
    concepts = [
        s.value for s, p, o in ontology_triples(ROOT / "ontology") if o == term("skos:Concept") and "#" not in s.value
    ]
    return found | {iri.removeprefix(BASE): "concept" for iri in concepts}


def recorded() -> dict[str, str]:
    """Give the kind of every path that the ledger holds, in its order."""
    if not LEDGER.exists():
        return {}
    with LEDGER.open(encoding="utf-8", newline="") as file:
        return {row["path"]: row["kind"] for row in csv.DictReader(file)}


def problems() -> list[str]:
    """Give what is wrong between ledger and data: an IRI not entered, vanished, or used for another kind."""
    ledger, data = recorded(), present()
    found = [f"{path} is not in the ledger; run make format" for path in sorted(data.keys() - ledger.keys())]
    found += [f"{path} vanished; keep it, with replacedBy" for path in sorted(ledger.keys() - data.keys())]
    changed = sorted(path for path in data.keys() & ledger.keys() if _group(data[path]) != _group(ledger[path]))
    return found + [f"{path} was a {ledger[path]} and is a {data[path]}" for path in changed]


def _group(kind: str) -> str:
    return "model" if kind.startswith("model-") else kind


def main(arguments: list[str]) -> int:
    """Append what is new, or with ``--check`` only print what is wrong; give 1 where something is."""
    if "--check" not in arguments:
        ledger, data = recorded(), present()
        rows = [*ledger.items(), *sorted((path, kind) for path, kind in data.items() if path not in ledger)]
        out = io.StringIO()
        writer = csv.writer(out, lineterminator="\n")
        writer.writerow(("path", "kind"))
        writer.writerows(rows)
        LEDGER.write_text(out.getvalue(), encoding="utf-8")
    wrong = problems()
    print("\n".join(wrong), end="\n" if wrong else "")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
