"""How the HTML pages of the package are made: Jinja2 templates that lie beside the code."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined


def environment(package: str) -> Environment:
    """The templates beside the modules of ``package``.

    All that they show is escaped, and a name that is not given is an error.
    """
    return Environment(
        loader=PackageLoader(package, ""),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
