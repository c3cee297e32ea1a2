"""What a report is worth, and what is said of it."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np

from autograder.checking.record import Examined
from autograder.course.exercises.bughunt.blindness import (
    ACCUSED,
    ACQUITTED,
    BLINDNESSES,
    NOTHING,
    ONE_UNIT,
    TINY,
    UNKNOWN,
    mend,
    why_blind,
)
from autograder.course.exercises.bughunt.boxes import Box
from autograder.course.exercises.bughunt.inputs import (
    CLEAR,
    ROUNDING,
    CellInputs,
    difference,
    numbers,
    run,
)
from autograder.course.exercises.bughunt.report import Unusable, inputs_of
from autograder.course.exercises.bughunt.suspects import CORRECT, SUSPECTED, SUSPECTS
from autograder.course.exercises.gru.inputs import KEYS
from autograder.course.exercises.gru.right_cell import right_step
from autograder.player.observe import Observation


def _counted(count: int) -> str:
    return "1 number" if count == 1 else f"{count} numbers"


BROKEN_PARTS = (
    ("exposed", "inputs that expose the box"),
    ("named", "the name of the mistake"),
    ("twice par", "at most twice as many numbers as needed"),
    ("par", "no number too many"),
)
"""What a report on a broken box is worth points for."""
RIGHT_PARTS = (
    ("cleared", "nobody accused"),
    ("step", "inputs on which every suspect in the step shows"),
    ("gates", "inputs on which every suspect in the gates shows"),
    ("candidate", "inputs on which every suspect in the candidate shows"),
)
"""What a report on a right box is worth points for."""


def examine_report(box: Box, seen: Observation) -> Observation:
    """What is true of a report, as zeros and ones, with sentences for what is not as it should be."""
    if seen.status != "ok":
        return seen
    name = seen.outputs["name"].tobytes().decode("utf-8", "replace").strip()
    try:
        inputs = inputs_of(seen.outputs)
    except Unusable as error:
        return replace(seen, status="probe", message=str(error), outputs={})
    (B, D), H = inputs[0].shape, inputs[1].shape[1]
    flat = np.concatenate([a.ravel() for a in (*inputs[:2], *inputs[2].values())])
    facts, says, note = _judged(box, name, (B, D, H), flat.tobytes())
    return Examined(
        **vars(replace(seen, outputs={k: np.asarray(v, np.int64) for k, v in facts.items()})),
        says=says,
        note=note,
        sizes=f"B = {B}, D = {D}, H = {H}, {_counted(numbers(inputs))} not zero",
    )


@lru_cache(maxsize=256)
def _judged(box: Box, name: str, sizes: tuple[int, int, int], data: bytes):
    """The facts about a report, the sentences on what is off, and a note. One report comes often."""
    B, D, H = sizes
    shapes = [(B, D), (B, H)] + [(H, H + D) if key[0] == "W" else (H,) for key in KEYS]
    ends = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]
    pieces = np.split(np.frombuffer(data), ends)
    x, h_prev, *params = (p.reshape(s) for p, s in zip(pieces, shapes, strict=True))
    inputs = x, h_prev, dict(zip(KEYS, params, strict=True))
    return (_accusation if box.broken else _acquittal)(box, name, inputs)


def _known(name: str) -> bool:
    return name == CORRECT or name in SUSPECTED


def _unknown(name: str) -> tuple[str, str]:
    return (
        f"“{name[:60]}” is not on the list of suspects.",
        f'Copy a name from the list, word for word, or write "{CORRECT}".',
    )


def _blind(number: int, inputs: CellInputs, all_of_it: bool = True) -> str:
    """The sentence for a reason of ``why_blind``."""
    if number <= len(BLINDNESSES):
        cured = "the box is exposed" if all_of_it else "most of them show"
        return f"{BLINDNESSES[number - 1].cure}, and {cured}: that was tried."
    if number == NOTHING:
        return "All your numbers are zero. Then every gate is 1/2, the candidate is 0, and so is h."
    there = [n for n in range(ONE_UNIT, TINY) if mend(n, inputs) is not None]
    if there:
        return (
            f"Look at what is missing: {', '.join(BLINDNESSES[n - 1].name for n in there)}. Here "
            "it takes more than one change."
        )
    return (
        "Nothing is missing altogether, so it is a question of which numbers meet, and of size: "
        "more units, more examples and larger numbers make differences clearer."
    )


def _accusation(box: Box, name: str, inputs: CellInputs):
    apart = difference(box.cell, right_step, inputs)
    count = numbers(inputs)
    facts = dict.fromkeys(("exposed", "named", "twice par", "par"), 0) | {"why": 0}
    if name == CORRECT:
        facts["why"] = ACQUITTED
        headline = f"Box {box.letter} is broken, and you call it correct."
        if apart >= CLEAR:
            detail = f"On your own inputs it differs from the right cell by {apart:.2g}."
        else:
            detail = (
                "That it agrees with the right cell on your inputs says more about them. "
                + _blind(why_blind([box.cell], inputs), inputs)
            )
        return facts, dict.fromkeys(facts, (headline, detail)), ""
    if apart < CLEAR:
        facts["why"] = why_blind([box.cell], inputs)
        headline = (
            f"On your inputs, box {box.letter} and the right cell agree to {apart:.0e}."
            if 0 < apart < ROUNDING
            else f"On your inputs, box {box.letter} and the right cell agree exactly."
            if apart == 0
            else f"On your inputs, box {box.letter} differs from the right cell by {apart:.1g}; at "
            f"least {CLEAR:g} is asked for."
        )
        detail = _blind(facts["why"], inputs)
        return facts, dict.fromkeys(facts, (headline, detail)), ""
    facts["exposed"] = 1
    facts["named"] = 1 if name == box.name else 0 if _known(name) else 2
    facts["twice par"], facts["par"] = int(count <= 2 * box.par), int(count <= box.par)
    few = (
        f"Your inputs have {_counted(count)} that are not zero; {box.par} can do.",
        "Set one after the other to zero and see whether the box still differs.",
    )
    says = {"named": _unknown(name), "twice par": few, "par": few}
    if _known(name) and name != box.name:
        says["named"] = _another(box, name, inputs)
    note = (
        f"Box {box.letter} is exposed: it differs from the right cell by {apart:.2g} on inputs "
        f"with {_counted(count)} not zero (par {box.par})."
    )
    return facts, says, note


def _another(box: Box, name: str, inputs: CellInputs) -> tuple[str, str]:
    """What can be said of a wrong name without saying the right one."""
    theirs, its = run(SUSPECTED[name].wrong, inputs), run(box.cell, inputs)
    headline = f"Box {box.letter} is broken, and not by “{name}”."
    apart = np.abs(theirs - its)
    if apart.max() >= CLEAR:
        at = np.unravel_index(apart.argmax(), apart.shape)
        return headline, (
            f"On your own inputs that mistake would give h[{at[0]}, {at[1]}] = {theirs[at]:.3g}; "
            f"the box gives {its[at]:.3g}."
        )
    return headline, (
        "On your inputs that mistake would give what the box gives. Inputs on which the two "
        "suspicions predict different states tell them apart; they need not be the ones you report."
    )


def _acquittal(box: Box, name: str, inputs: CellInputs):
    facts = dict.fromkeys(("cleared", *SUSPECTS), 0) | {"why": 0}
    if name != CORRECT:
        facts["why"] = ACCUSED if _known(name) else UNKNOWN
        accused = (
            (
                f"Box {box.letter} is correct, and you accuse it: no inputs can tell it from the "
                "right cell.",
                "It is written another way. What counts is what comes out, on every input.",
            )
            if _known(name)
            else _unknown(name)
        )
        return facts, dict.fromkeys(facts, accused), ""
    facts["cleared"] = 1
    apart = {
        suspect: difference(mistake.wrong, right_step, inputs)
        for suspect, mistake in SUSPECTED.items()
    }
    hidden = {
        where: [suspect for suspect in names if apart[suspect] < CLEAR]
        for where, names in SUSPECTS.items()
    }
    facts |= {where: int(not names) for where, names in hidden.items()}
    if any(hidden.values()):
        unseen = [SUSPECTED[s].wrong for names in hidden.values() for s in names]
        facts["why"] = why_blind(unseen, inputs)
    detail = _blind(facts["why"], inputs, all_of_it=False) if facts["why"] else ""
    says = {
        where: (
            f"Box {box.letter} is correct, and your inputs do not prove it: {len(names)} of "
            f"{len(SUSPECTS[where])} suspects would have passed, “{names[0]}” for one.",
            detail,
        )
        for where, names in hidden.items()
        if names
    }
    faintest = min(apart, key=apart.__getitem__)
    note = (
        f"Box {box.letter} agrees with the right cell to "
        f"{max(difference(box.cell, right_step, inputs), 1e-16):.0e}. Of {len(apart)} suspects "
        f"{sum(d >= CLEAR for d in apart.values())} would have shown on your inputs; the faintest, "
        f"“{faintest}”, by {apart[faintest]:.2g}."
    )
    return facts, says, note
