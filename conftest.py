"""Examples in docstrings and documents open a graph of their own, one for each worker, and never the user's."""

from __future__ import annotations

from collections.abc import Iterator

import pytest


@pytest.fixture(scope="session", autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Point ``LLMKG_HOME`` to a folder of this worker for the time of the run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LLMKG_HOME", str(tmp_path_factory.mktemp("examples") / "home"))
        patch.delenv("LLMKG_ENDPOINT", raising=False)
        patch.delenv("LLMKG_DATA", raising=False)
        yield
