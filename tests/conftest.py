"""How hard Hypothesis tries, and what becomes of a test whose server is missing."""

import os

import pytest
from hypothesis import settings

from tests.servers import SERVERS, what_is_missing

IN_CI = os.environ.get("CI") == "true"

settings.register_profile("quick", max_examples=50, deadline=None)
settings.register_profile("ci", max_examples=60, deadline=None, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci" if IN_CI else "quick"))


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose server is missing on a laptop; fail it in CI, where nothing may be missing."""
    for server in SERVERS:
        if item.get_closest_marker(server) and (reason := what_is_missing(server)):
            if IN_CI:
                pytest.fail(reason, pytrace=False)
            pytest.skip(reason)
