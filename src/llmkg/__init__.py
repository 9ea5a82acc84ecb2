"""llmkg: a knowledge graph of large language models with a query interface.

>>> import llmkg
>>> kg = llmkg.open()
>>> kg.query("ancestors", of="WizardLM").rows[0][1].value
'LLaMA-7B'
"""

from __future__ import annotations

from llmkg.errors import LlmkgError
from llmkg.graph import KnowledgeGraph, Lineage, open
from llmkg.results import Results
from llmkg.version import __version__

__all__ = ["KnowledgeGraph", "Lineage", "LlmkgError", "Results", "__version__", "open"]
