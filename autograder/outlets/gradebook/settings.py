"""Where the gradebook is, and what the course's settings say of late work."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path

from autograder.material.config import CourseError, nbgrader_settings
from autograder.outlets.gradebook.database import SAFE, parsed, require_file

Penalty = Callable[[str, float, float], float | None]
"""Student, score, seconds late → points to take off, or None. See ``late_penalty``."""


def gradebook_url(course: Path) -> str:
    """The address of the course's gradebook, from its ``nbgrader_config.py``.

    Raises CourseError where it should be a file and there is none: opening it would make an
    empty one.
    """
    from nbgrader.coursedir import CourseDirectory

    configured = CourseDirectory(config=nbgrader_settings(course)).db_url
    url = parsed(configured)
    if url.get_backend_name() != "sqlite" or not url.database:
        return configured
    url = url.set(database=os.path.abspath(course / url.database))
    require_file(url)
    return url.render_as_string(hide_password=False)


def late_penalty(course: Path) -> Penalty | None:
    """The rule for late work that ``nbgrader_config.py`` sets, None where that step is disabled.

    It is nbgrader's ``AssignLatePenalties`` with the plugin configured for it, which may be a
    module in the course's folder. Raises CourseError where the plugin cannot be loaded.
    """
    from nbgrader.preprocessors import AssignLatePenalties

    # nbgrader's commands have the course's folder on the path, and plugins are kept there.
    sys.path.insert(0, str(course))
    try:
        step = AssignLatePenalties(config=nbgrader_settings(course))
        step.init_plugin()
    except Exception as error:  # whatever somebody's module raises while it is imported
        raise CourseError(
            f"The plugin for late work that nbgrader_config.py names could not be loaded: {error}"
        ) from error
    finally:
        sys.path.remove(str(course))
    if not step.enabled:
        return None
    plugin = step.plugin_inst

    def penalty(student: str, score: float, seconds_late: float) -> float | None:
        try:
            points = plugin.late_submission_penalty(student, score, seconds_late)
        except Exception as error:
            raise CourseError(
                f"The plugin for late work, {type(plugin).__name__}, failed for {student}: "
                f"{type(error).__name__}: {error}. {SAFE} Repair it in nbgrader_config.py and run "
                "again."
            ) from error
        if points is None:
            return None
        return 0.0 if points < 0 else min(float(points), score)

    return penalty
