"""Grade the class of accidents and write what came of it to ``book/data/accidents.json``.

python tests/accidents/compare.py                       the points now
python tests/accidents/compare.py --before AUTOGRADER   also those of another version's command
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
sys.path[:0] = [str(HERE), str(HERE.parent / "scenes")]

import accident_runs as runs  # noqa: E402


def main() -> None:
    """Grade, and write the rows; what another version gave is kept where it is not asked again."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--before", type=Path, help="another version's command autograder")
    chosen = parser.parse_args()
    before = {}
    if runs.RESULTS.exists():
        rows = json.loads(runs.RESULTS.read_text(encoding="utf-8"))["accidents"]
        before = {row["name"]: row["before"] for row in rows}
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        course = runs.build(Path(folder))
        if chosen.before:
            other = runs.copy_of(course, Path(folder, "other"))
            found = runs.graded_by_other(other, chosen.before)
            before = {runs.STUDENTS[s].name: _plain(o) for s, o in found.items()}
        now = runs.graded_by_engine(course)
    rows = [
        {
            "name": accident.name,
            "kind": accident.kind,
            "reported": accident.reported,
            "before": before.get(accident.name),
            "now": _plain(now[student]),
            "done": list(now[student].says),
        }
        for student, accident in runs.STUDENTS.items()
    ]
    found = {"full": runs.FULL, "accidents": rows}
    runs.RESULTS.write_text(
        json.dumps(found, ensure_ascii=False, indent=1) + "\n", encoding="utf-8"
    )
    print(f"{sum(o.harmless for o in now.values())} of {len(rows)} cost nothing")


def _plain(outcome: runs.Outcome) -> dict:
    return {"points": outcome.points, "answered": outcome.answered, "look": outcome.look}


if __name__ == "__main__":
    main()
