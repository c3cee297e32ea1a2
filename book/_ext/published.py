"""Whether the site shows the solutions: no, until ``solutions_published: true`` in ``_config.yml``.

Then they make the last part of the contents, as ``_toc.yml`` lists them. Before, their pages are not
read, not built, not in the contents and in no search.
"""

FOLDER = "solutions/"


def without_solutions(site_map, patterns: list[str]) -> list[str]:
    """Take the parts that hold nothing but solutions out of the contents, and their files out of what is read."""
    site_map.root.subtrees = [
        tree
        for tree in site_map.root.subtrees
        if not all(str(item).startswith(FOLDER) for item in tree.items)
    ]
    return [pattern for pattern in patterns if not pattern.startswith(FOLDER)]


def keep_back(app, config):
    if not config.solutions_published:
        config.include_patterns = without_solutions(
            config.external_site_map, config.include_patterns
        )


def setup(app):
    app.add_config_value("solutions_published", False, "env", [bool])
    # After the contents are parsed (900) and the pages to read are named (500).
    app.connect("config-inited", keep_back, priority=950)
