"""Run every attack against stock nbgrader and against the engine, and write what came of it.

    python tests/attacks/compare.py              everything: about an hour
    python tests/attacks/compare.py --engine     the engine's half alone: minutes
    python tests/attacks/compare.py NAME …       these attacks alone

The other results in ``book/data/attacks.json`` stay as they are.
"""

from __future__ import annotations

import argparse
import importlib.metadata
import json
import platform
import sys
import tempfile
from pathlib import Path

from attack_corpus import CORPUS, Attack
from attack_runs import Outcome, engine, stock
from attacked_course import COURSE, build_template

from autograder.course.exercises import ASSIGNMENTS

RESULTS = COURSE / "book" / "data" / "attacks.json"


def most(attack: Attack) -> float:
    return sum(exercise.points for exercise in ASSIGNMENTS[attack.assignment])


def _plain(outcome: Outcome) -> dict:
    return {
        "points": outcome.points,
        "damage": list(outcome.damage),
        "ended": outcome.ended,
    }


def _versions() -> dict[str, str]:
    libraries = ("nbgrader", "nbclient", "ipykernel", "numpy", "torch")
    return {"python": platform.python_version(), "system": platform.system()} | {
        name: importlib.metadata.version(name) for name in libraries
    }


def _write(rows: dict[str, dict], path: Path) -> None:
    """The rows in the corpus's order; those of attacks that are no more are left out."""
    path.parent.mkdir(parents=True, exist_ok=True)
    found = {
        "versions": _versions(),
        "attacks": [rows[attack.name] for attack in CORPUS if attack.name in rows],
    }
    text = json.dumps(found, ensure_ascii=False, indent=1)
    path.write_text(text + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--engine", action="store_true", help="leave stock nbgrader out")
    parser.add_argument("--stock", action="store_true", help="leave the engine out")
    parser.add_argument("--missing", action="store_true", help="only what has no result yet")
    parser.add_argument("--output", type=Path, default=RESULTS, help="another file for the results")
    parser.add_argument("names", nargs="*", metavar="NAME", help="attacks, by default all")
    chosen = parser.parse_args()
    unknown = set(chosen.names) - {attack.name for attack in CORPUS}
    if unknown:
        sys.exit(f"There is no attack {', '.join(sorted(unknown))}.")
    rows: dict[str, dict] = {}
    if chosen.output.exists():
        kept = json.loads(chosen.output.read_text(encoding="utf-8"))["attacks"]
        rows = {row["name"]: row for row in kept}
    halves = [half for half in ("stock", "engine") if getattr(chosen, half)] or ["stock", "engine"]
    if platform.system() != "Linux":
        sys.exit("The attacks are watched through /proc: run this on Linux.")
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        template = build_template(Path(folder) / "template")
        for number, attack in enumerate(CORPUS, start=1):
            if chosen.names and attack.name not in chosen.names:
                continue
            row = rows.setdefault(attack.name, {})
            row |= {
                "name": attack.name,
                "family": attack.family,
                "story": attack.story,
                "limit": attack.limit,
                "max_points": most(attack),
            }
            for half in halves:
                if chosen.missing and half in row:
                    continue
                if half == "stock":
                    outcome = stock(attack, template, most(attack))
                else:
                    outcome = engine(attack, template)
                row[half] = _plain(outcome)
                if half == "engine":
                    row[half] |= {"told": list(outcome.told), "look": outcome.look}
                says = f"{outcome.points:g} points, {outcome.ended}, {outcome.seconds:g} s"
                print(f"{number:3}/{len(CORPUS)} {half:6} {attack.name}: {says}", end=" ")
                print("; ".join(outcome.damage) or "no damage", sorted(outcome.kinds), flush=True)
            _write(rows, chosen.output)


if __name__ == "__main__":
    main()
