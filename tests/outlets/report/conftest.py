"""One class and its report, which the tests of the report share."""

import pytest
from report_scene import WHEN, page_of, sample_class


@pytest.fixture(scope="session")
def records():
    """The submissions of the class."""
    return sample_class()


@pytest.fixture(scope="session")
def page(records):
    """Their report, parsed."""
    return page_of(records, when=WHEN)
