"""What the notebooks' Python is told when it starts in a browser, above all of torch, which it has not."""

import ast

from autograder.player import flags

WHY = (
    "PyTorch does not run in a browser: do this exercise in Jupyter on your own machine. "
    "Everything in NumPy works here."
)


def _names_of(source: str) -> set[str]:
    """The names that a cell would have defined, had it run."""
    try:
        tree = ast.parse(source)
    except SyntaxError:
        return set()
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.alias):
            names.add(node.asname or node.name.partition(".")[0])
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.add(node.id)
    return names


def _tell_of_torch(shell) -> None:
    """Have a cell that fails for want of torch say so in one line, and the cells that need its names."""
    missing: set[str] = set()

    def for_want_of_torch(error) -> bool:
        if isinstance(error, ModuleNotFoundError):
            return (error.name or "").partition(".")[0] == "torch"
        return isinstance(error, NameError) and error.name in missing

    def after(result) -> None:
        if for_want_of_torch(result.error_in_exec):
            missing.update(_names_of(result.info.raw_cell))
        else:
            missing.difference_update(shell.user_ns)

    def of_an_error(shell, kind, error, trace, tb_offset=None) -> None:
        if for_want_of_torch(error):
            shell._showtraceback(kind, error, [WHY])
        else:
            told = shell.InteractiveTB.structured_traceback(kind, error, trace, tb_offset)
            shell._showtraceback(kind, error, told)

    shell.events.register("post_run_cell", after)
    shell.set_custom_exc((NameError, ModuleNotFoundError), of_an_error)


class _TorchInFunctions(ast.NodeTransformer):
    """Has a cell fail at once whose functions import torch: a check would take it for a mistake."""

    def visit_Module(self, node):
        for inner in ast.walk(node):
            named = [alias.name for alias in inner.names] if isinstance(inner, ast.Import) else []
            if isinstance(inner, ast.ImportFrom):
                named.append(inner.module or "")
            if "torch" in (name.partition(".")[0] for name in named):
                failing = ast.parse(f"raise ModuleNotFoundError({WHY!r}, name='torch')").body
                return ast.Module(
                    [ast.copy_location(failing[0], inner), *node.body], node.type_ignores
                )
        return node


def _transforming(shell, method):
    """A method of IPython's that takes a cell as it was written, as the kernel hands it over.

    IPython 9.16 and later want it transformed as well.
    """

    def called(source, *arguments, transformed_cell=None, **options):
        if transformed_cell is None:
            transformed_cell = shell.transform_cell(source)
        return method(source, *arguments, transformed_cell=transformed_cell, **options)

    return called


def begin(shell) -> None:
    """Make an IPython shell fit for a browser; the last thing that the kernel does when it starts."""
    shell.Completer.use_jedi = False  # 33 MB; names are completed by what IPython itself knows
    for name in ("should_run_async", "run_cell_async"):
        setattr(shell, name, _transforming(shell, getattr(shell, name)))
    _tell_of_torch(shell)
    shell.ast_transformers.append(_TorchInFunctions())
    if flags.stand_in():
        shell.ast_transformers.append(flags.Watched())
