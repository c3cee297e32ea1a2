"""Deviations that the tests measure are printed at the end of the run, so that they can be quoted."""

import pytest
from engine_fixtures import confined, course, engine, strict, template  # noqa: F401

_LARGEST: dict[str, float] = {}


@pytest.fixture(scope="session")
def deviation():
    """Call it with what was compared and how far the two were apart; the largest is printed."""

    def note(what: str, value) -> float:
        _LARGEST[what] = max(_LARGEST.get(what, 0.0), float(value))
        return float(value)

    return note


def pytest_terminal_summary(terminalreporter):
    if _LARGEST:
        terminalreporter.section("largest deviations")
        for what, value in sorted(_LARGEST.items()):
            terminalreporter.write_line(f"{value:9.2g}  {what}")


def pytest_collection_modifyitems(items):
    """The website's tests come last, in whatever order folders are named.

    They share one browser, whose event loop stays open until the end; kernels and other
    browsers cannot run beside it.
    """
    items.sort(key=lambda item: item.path.parent.name == "site")
