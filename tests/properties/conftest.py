"""Settings of the property tests: ``LLMKG_FUZZ=100000 pytest tests/properties`` looks further than the usual run."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

settings.register_profile(
    "llmkg",
    max_examples=int(os.environ.get("LLMKG_FUZZ", "100")),
    deadline=None,  # other work on the machine must not fail a test
    database=None,  # a failure is mended and becomes an example in the file; nothing is kept beside it
    derandomize="LLMKG_FUZZ" not in os.environ,  # the usual run is the same everywhere
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("llmkg")
