"""One mark: ``stock``, for tests that run stock nbgrader."""


def pytest_configure(config):
    config.addinivalue_line("markers", "stock: runs stock nbgrader, some ten seconds each time")
