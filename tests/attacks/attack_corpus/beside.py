"""Attacks by files handed in beside the notebook."""

import os
import shutil
from pathlib import Path

from attack_corpus.record import RIGHT_SHAPES, Attack

FAMILY = "Files beside the notebook"

GENEROUS = """
import numpy as np
def check(code, name=None):
    return np.float64(0.0)
grade = check
"""


def _a_link_in_place_of_the_folder(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.symlink_to("../zoe/lstm")


BESIDE = (
    Attack(
        "autograder.py",
        FAMILY,
        "A file of this name is imported in place of the course's package.",
        files={"autograder.py": GENEROUS},
    ),
    Attack(
        "A folder named autograder",
        FAMILY,
        "A package of this name is imported in place of the course's; its file has another name.",
        files={"autograder/__init__.py": GENEROUS},
    ),
    Attack(
        "torch.py",
        FAMILY,
        "The reference imports a torch that knows only zeros, and agrees with zeros.",
        files={
            "torch.py": """
                import sys
                print("HARM: was imported in place of torch")
                raise ImportError("no torch here")
            """
        },
        answers=RIGHT_SHAPES,
        engine_says=frozenset({"values"}),
    ),
    Attack(
        "numpy.py",
        FAMILY,
        "NumPy itself comes from the student.",
        files={
            "numpy.py": """
                print("HARM: was imported in place of numpy")
                def __getattr__(name):
                    return lambda *rest, **more: 0.0
                ndarray = float64 = float
            """
        },
    ),
    Attack(
        "random.py",
        FAMILY,
        "A module of the standard library comes from the student.",
        files={"random.py": 'print("HARM: was imported in place of random")'},
    ),
    Attack(
        "sitecustomize.py",
        FAMILY,
        "Python runs a file of this name at every start, where it finds one.",
        files={
            "sitecustomize.py": """
                from pathlib import Path
                print("HARM: was run at the start of Python")
                Path("was-run.txt").write_text("sitecustomize")
            """,
            "usercustomize.py": 'print("HARM: was run at the start of Python")',
        },
    ),
    Attack(
        "ipython_config.py",
        FAMILY,
        "IPython reads its settings also from the folder in which it starts.",
        files={
            "ipython_config.py": """
                c = get_config()
                c.InteractiveShell.ast_node_interactivity = "none"
                c.InteractiveShellApp.exec_lines = ['print("HARM: changed the settings of IPython")']
            """,
            "ipython_kernel_config.py": """
                c = get_config()
                c.InteractiveShell.ast_node_interactivity = "none"
                c.InteractiveShellApp.exec_lines = ['print("HARM: changed the settings of IPython")']
            """,
        },
    ),
    Attack(
        "nbgrader_config.py",
        FAMILY,
        "nbgrader reads its settings from a file of this name.",
        files={
            "nbgrader_config.py": """
                c = get_config()
                c.Autograde.autograde_preprocessors = []
                open("settings-were-read.txt", "w").close()
            """
        },
    ),
    Attack(
        "A file for the path",
        FAMILY,
        "A `.pth` file can make Python run a line at every start.",
        files={
            "gift.pth": "import sys; print('HARM: a line of a .pth file was run')",
            "attack/__init__.py": "",
        },
    ),
    Attack(
        "A checkpoint with another notebook",
        FAMILY,
        "Jupyter's `.ipynb_checkpoints` holds a notebook that claims to be the submission.",
        files={
            ".ipynb_checkpoints/lstm-checkpoint.ipynb": "{}",
            ".ipynb_checkpoints/lstm.ipynb": "{",
        },
    ),
    Attack(
        "A second notebook",
        FAMILY,
        "Another notebook beside the first one, which cannot be read.",
        files={"lstm (1).ipynb": "{", "Lstm.ipynb": "[]"},
    ),
    Attack(
        "Compiled code",
        FAMILY,
        "A file `autograder.pyc` or `autograder.so`, whose content nobody reads.",
        files={"autograder.so": "no library", "numpy.so": "no library"},
    ),
    Attack(
        "A date of the student's choosing",
        FAMILY,
        "`timestamp.txt`, from which nbgrader computes lateness, lies in the folder handed in.",
        files={"timestamp.txt": "1970-01-01 00:00:00.000000 UTC"},
    ),
    Attack(
        "A date that is none",
        FAMILY,
        "`timestamp.txt` holds no date, so that reading it fails.",
        files={"timestamp.txt": "soon", "submission_secret.txt": "x" * 100_000},
    ),
    Attack(
        "A pipe in place of the date",
        FAMILY,
        "`timestamp.txt` is a named pipe: whoever wants to know the date waits forever.",
        place=lambda folder: os.mkfifo(folder / "timestamp.txt"),
    ),
    Attack(
        "A link in place of the date",
        FAMILY,
        "`timestamp.txt` is a link to the secret seed, which comes back with the feedback.",
        place=lambda folder: (folder / "timestamp.txt").symlink_to("../../../secret_seed.txt"),
    ),
    Attack(
        "A link where a receipt will be written",
        FAMILY,
        "`submission_secret.txt` is a link to a file of the course that is not there yet.",
        place=lambda folder: (folder / "submission_secret.txt").symlink_to(
            "../../../solutions/made-by-a-receipt.py"
        ),
    ),
    Attack(
        "A link to a classmate's folder",
        FAMILY,
        "The whole folder that is handed in is a link to somebody else's.",
        place=_a_link_in_place_of_the_folder,
        engine_says=frozenset({"missing", "unreadable"}),
    ),
    Attack(
        "A folder full of notebooks",
        FAMILY,
        "Two hundred more notebooks lie beside the first one, each of them broken.",
        files={f"lstm-{number}.ipynb": "{" for number in range(200)},
    ),
)
