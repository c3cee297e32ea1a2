"""nbgrader's settings, the same for every course. The page "Grade a class" explains their use."""

import os
import sys
import warnings
from functools import partial
from pathlib import Path

ROOT = os.path.dirname(os.path.abspath(__file__))

try:
    from autograder.grading.lock import keep_others_out
    from autograder.material.config import course_of
    from autograder.material.notebooks import refresh_sources
    from autograder.outlets.nbgrader_steps import (
        find_as_we_do,
        keep_what_is_ours,
        prepare_submissions,
    )

    # The source notebooks are made from solutions/*.py when they are missing or outdated.
    refresh_sources(Path(ROOT))
    # What was handed in is found as `autograder grade` finds it, whatever it is called.
    find_as_we_do()
    # `nbgrader autograde` and `autograder grade` never grade one assignment at the same time.
    keep_others_out(Path(ROOT), sys.argv, partial(print, file=sys.stderr))
except Exception as error:
    # nbgrader would report the error and then grade with its own defaults.
    if "nbgrader" in sys.argv[0]:
        raise SystemExit(f"nbgrader_config.py: {type(error).__name__}: {error}") from error
    raise

# nbgrader calls alembic by its bare name, which an environment that is not activated hides.
os.environ["PATH"] = os.pathsep.join(
    [os.path.dirname(sys.executable), os.environ.get("PATH", os.defpath)]
)

c = get_config()  # noqa: F821  (nbgrader provides it)

c.CourseDirectory.root = ROOT
c.CourseDirectory.course_id = course_of(Path(ROOT)).name

# What nbgrader generates goes to _build: no command of nbgrader touches notebooks/, which
# students read.
c.CourseDirectory.source_directory = "_build/source"
c.CourseDirectory.release_directory = "_build/release"
c.CourseDirectory.solution_directory = "_build/solution"
# An assignment is one notebook. A random.py or torch.py handed in beside it would be imported
# in place of the real one.
c.CourseDirectory.ignore = [
    ".ipynb_checkpoints",
    "__pycache__",
    "feedback",
    "*.py",
    "*.pyc",
    "*.pyd",
    "*.so",
    "*.pth",
    # Ours, beside a graded notebook: not for the feedback folder.
    "grade.json",
    "unrecorded.txt",
]

c.ClearSolutions.text_stub = "*Your answer here: double-click this cell, write, and run it.*"

# Probes at grading time come from this seed when there is one (`autograder secret-seed` makes
# it): publishing the course then gives nothing away. Kernels inherit the environment.
_seed = Path(ROOT, "secret_seed.txt")
if _seed.is_file():
    os.environ.setdefault("AUTOGRADER_SEED", _seed.read_text(encoding="utf-8").strip())

# Submissions come damaged in many ways. These put them in order, so that one bad notebook neither
# stops the run nor costs points it did not lose.
c.Autograde.pre_convert_hook = partial(prepare_submissions, course=ROOT)
c.Autograde.post_convert_hook = partial(keep_what_is_ours, course=ROOT)
c.Autograde.exporter_class = "autograder.outlets.nbgrader_steps.TolerantExporter"
c.Autograde.sanitize_preprocessors = [
    "autograder.outlets.nbgrader_steps.RestoreCells",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.DeduplicateIds",
    "nbgrader.preprocessors.OverwriteKernelspec",
    "nbgrader.preprocessors.OverwriteCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]
# RunConfined is the course's engine: submissions run in processes of their own, which can neither
# see answers nor touch anything. ExecuteCells in its place runs them as nbgrader does, unconfined.
c.Autograde.autograde_preprocessors = [
    "autograder.outlets.nbgrader_steps.RunConfined",
    "nbgrader.preprocessors.LimitOutput",
    "nbgrader.preprocessors.SaveAutoGrades",
    "autograder.outlets.nbgrader_steps.SaveWhatWaits",
    "nbgrader.preprocessors.AssignLatePenalties",
    "nbgrader.preprocessors.CheckCellMetadata",
]

# What could not be graded has no points in `nbgrader export`, instead of 0.
c.ExportApp.plugin_class = "autograder.outlets.nbgrader_steps.ExportWithGaps"

# On a machine that cannot confine submissions in full, nothing is graded, and the reason is shown,
# unless this is True.
c.RunConfined.accept_less_confinement = False

# What students write in text cells is shown in the formgrader and on feedback pages, without the
# scripts that they could put there to act in an instructor's name.
c.HTMLExporter.sanitize_html = True
c.TemplateExporter.filters = {"markdown2html": "autograder.outlets.nbgrader_steps.safe_markdown"}

# SQLAlchemy remarks on how nbgrader builds a submission; nothing is wrong with the result.
warnings.filterwarnings("ignore", message="Object of type <Submitted.*> not in session")

# Seconds that a cell may take; one call of a checked function may take ten, as in the check itself.
c.RunConfined.cell_seconds = 30

# For ExecuteCells, and for `nbgrader validate`.
c.Execute.timeout = 60
c.Execute.startup_timeout = 120
c.Execute.iopub_timeout = 30
# Two arguments for the kernel: no history file, and no remark about unencrypted local sockets.
c.Execute.extra_arguments = [
    "--HistoryManager.hist_file=:memory:",
    "--IPKernelApp.log_level=40",
]
