"""Gives the script of "predict, then look" to the pages that ask: a local Sphinx extension."""


def setup(app):
    # Before course_site takes the lists of scripts.
    app.connect("html-page-context", add_predictions, priority=800)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}


def add_predictions(app, pagename, templatename, context, doctree):
    if 'class="gm-predict"' in context.get("body", ""):
        app.add_js_file("gm-predict.js", loading_method="defer")
