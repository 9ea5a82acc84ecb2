"""Measure suggested parents: hide a tenth of the stated steps of a crawl, and see which rule finds them again.

``python benchmarks/suggestions.py CRAWL`` (API records, such as real ones) writes its part of docs/benchmarks.md. Every tenth is
hidden once, so that each stated step counts. A suggestion is exact where it names the hidden parent, and kin where the parent is
another model of the same tree: an ancestor or descendant of it, or one with the same root.
"""

from __future__ import annotations

import argparse
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

from page import machine, table, write_part

from llmkg.hub import HubModels, Steps, resolve_steps, scan
from llmkg.hub_facts import Known
from llmkg.importing import import_hub, snapshot_path
from llmkg.suggest import CONFIDENCE, suggest

FOLDS = 10


def roots(steps: Steps) -> dict[int, set[int]]:
    """Give the models without parents above each model, itself included."""
    above: dict[int, set[int]] = defaultdict(set)
    for step in steps.effective:
        above[step.child].add(step.parent)
    found: dict[int, set[int]] = {}
    for model in {number for step in steps.effective for number in (step.child, step.parent)}:
        seen, waiting = {model}, [model]
        while waiting:
            for parent in above.get(waiting.pop(), ()):
                if parent not in seen:
                    seen.add(parent)
                    waiting.append(parent)
        found[model] = {one for one in seen if not above.get(one)} or {model}
    return found


def measure(models: HubModels, steps: Steps) -> tuple[dict[str, Counter[str]], int]:
    """Give, for each rule, suggestions made, exact ones and those within the tree; and the number of hidden models."""
    truth: dict[int, set[int]] = defaultdict(set)
    for step in steps.effective:
        truth[step.child].add(step.parent)
    top = roots(steps)
    told: dict[str, Counter[str]] = defaultdict(Counter)
    children = sorted(truth)
    for fold in range(FOLDS):
        hidden = set(children[fold::FOLDS])
        known = [step for step in steps.effective if step.child not in hidden]
        counted = Counter(step.parent for step in known)
        for one in suggest(models, counted, {step.child for step in known}):
            if one.model in hidden:
                told[one.rule]["made"] += 1
                told[one.rule]["exact"] += one.parent in truth[one.model]
                told[one.rule]["kin"] += bool(top.get(one.parent, {one.parent}) & top[one.model])
    return told, len(children)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("crawl", type=Path)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        import_hub(Path(folder) / "home", [given.crawl], "2026-09-01")
        models = scan(snapshot_path(Path(folder) / "home"), Known(), {})
        steps = resolve_steps(models, Known(), {})
    told, hidden = measure(models, steps)
    rows = [
        (rule, str(counts["made"]), f"{counts['exact'] / counts['made']:.2f}", f"{counts['kin'] / counts['made']:.2f}",
         f"{counts['exact'] / hidden:.2f}", f"{CONFIDENCE[rule]:.2f}")
        for rule, counts in sorted(told.items())
    ]  # fmt: skip
    head = ("rule", "suggestions", "precision", "precision within the tree", "recall", "confidence written")
    text = f"""
## Suggested parents

{hidden} models of {models.info.records} real records have stated parents; in ten rounds a tenth of them is hidden, and the rules of
llmkg.suggest look for them. Command: `python benchmarks/suggestions.py models.jsonl`. {machine("llmkg")}

"""
    write_part("suggestions", text + table(head, rows) + "\n")
    print(text + table(head, rows))


if __name__ == "__main__":
    main()
