"""The assignment ``bughunt``: black boxes, and for each a report on what is wrong with it.

The boxes are cells of the catalogue of ``gru_step`` and two right cells that are written another
way. A report is ``(name, x, h_prev, params)``: the mistake's name in that catalogue, or
``CORRECT``, and the inputs that show it. It is not compared with a right answer, since there are
many. It is put to use: the box and the right cell are run on its inputs, and what comes out, a few
zeros and ones, is compared as any other result is.

A report on a broken box is to show the mistake with few numbers; one on a right box is to acquit
it, with inputs on which every suspect would have shown.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np

from autograder.checking.record import Examined, Mistake, Outputs, Probe
from autograder.course.at_play import Report
from autograder.course.exercises import gru
from autograder.course.exercises.boxes import KEYS, packed
from autograder.course.exercises.gru import NEW_STATE, TWO_RESETS
from autograder.course.exercises.shared.declared import exercise
from autograder.course.exercises.wrong import affine, join, sigmoid, split
from autograder.player.observe import Observation

CORRECT = "correct"
"""The name in a report that accuses nobody."""

CLEAR = 0.01
"""A difference between two states that nobody takes for rounding."""

ROUNDING = 1e-12
"""A difference that is nothing else."""

MOST = 4
"""The largest batch, input and hidden size of a report's inputs."""

LARGEST = 10.0
"""The largest number in them."""

Cell = Callable[..., np.ndarray]
Inputs = tuple[np.ndarray, np.ndarray, dict[str, np.ndarray]]
"""x (B, D), h_prev (B, H) and params, in float64."""


# Who can have done it

SUSPECTS: dict[str, tuple[str, ...]] = {
    "step": (
        "z and 1 - z swapped",
        "PyTorch's equations",
        "update and reset gates exchanged",
        "candidate returned as state",
        "old state missing",
        "old state not scaled",
        "reset state blended",
        "update gate reads the reset state",
        "tanh applied to the state",
    ),
    "gates": (
        "in the update gate: bias missing",
        "in the update gate: input and state in the wrong order",
        "in the update gate: recurrent block not transposed",
        "in the update gate: x ignored",
        "in the reset gate: bias missing",
        "in the reset gate: input and state in the wrong order",
        "in the reset gate: recurrent block not transposed",
        "in the reset gate: h_prev ignored",
    ),
    "candidate": (
        "in the candidate: bias missing",
        "in the candidate: reset gate not applied",
        "in the candidate: reset gate applied to the input",
        "in the candidate: reset gate applied to state and input",
        "in the candidate: reset after the matrix product",
        "in the candidate: reset after the matrix product, bias included",
        "in the candidate: 1 - r for r",
        "in the candidate: the reset gate's weights",
    ),
}
"""Names in the catalogue of ``gru_step``, by where in the cell to look."""

_CATALOGUE = {mistake.name: mistake for mistake in gru.STEP_MISTAKES}

SUSPECTED: dict[str, Mistake] = {
    name: _CATALOGUE[name] for names in SUSPECTS.values() for name in names
}


def keep_first(x, h_prev, params):
    """The right cell, as PyTorch writes it: a share to keep, and split weights."""
    keep = sigmoid(-affine(h_prev, x, params, "z"))
    r = sigmoid(affine(h_prev, x, params, "r"))
    W_hn, W_in = split(params, "h", h_prev)
    candidate = np.tanh(x @ W_in.T + params["b_h"] + (r * h_prev) @ W_hn.T)
    return candidate + keep * (h_prev - candidate)


def fused(x, h_prev, params):
    """The right cell with both gates from one matrix product, and the sigmoid through tanh."""
    W = np.concatenate([params["W_r"], params["W_z"]], axis=0)
    joined = join(h_prev, x) @ W.T
    r = 0.5 + 0.5 * np.tanh(0.5 * (joined[:, : h_prev.shape[-1]] + params["b_r"]))
    z = 0.5 + 0.5 * np.tanh(0.5 * (joined[:, h_prev.shape[-1] :] + params["b_z"]))
    candidate = np.tanh(join(r * h_prev, x) @ params["W_h"].T + params["b_h"])
    return h_prev + z * (candidate - h_prev)


# What a report's inputs can be blind to


@dataclass(frozen=True)
class Blindness:
    """One way in which inputs show nothing."""

    name: str
    says: str
    cure: str
    blind: Callable[[Inputs], Inputs]
    """telling inputs with just this fault"""


def generic(B: int, D: int, H: int, seed: int = 0) -> Inputs:
    """Inputs without a zero and without two numbers alike, in which nothing hides for H > 1."""
    drawn = gru.step_inputs(np.random.default_rng([B, D, H, seed]), B, D, H)
    return drawn["x"], drawn["h_prev"], drawn["params"]


def _with(inputs: Inputs, x=1.0, h_prev=1.0, W=1.0, b=1.0) -> Inputs:
    """The inputs, their kinds of numbers multiplied."""
    factor = {"W": W, "b": b}
    params = {key: value * factor[key[0]] for key, value in inputs[2].items()}
    return inputs[0] * x, inputs[1] * h_prev, params


BLINDNESSES = (
    Blindness(
        "only one unit",
        "Your cell has one unit, H = 1. Then every matrix is a number: an order of products, a "
        "transpose or a gate applied to the wrong unit cannot show.",
        "Give the cell a second unit",
        lambda inputs: generic(1, inputs[0].shape[1], 1),
    ),
    Blindness(
        "h_prev is zero",
        "With h_prev = 0 nothing that is done to the old state shows: neither what is kept of it "
        "nor what the reset gate does to it.",
        "Put numbers into h_prev",
        lambda inputs: _with(inputs, h_prev=0.0),
    ),
    Blindness(
        "all biases are zero",
        "With all biases zero, what is done with a bias cannot show, and a gate that receives "
        "nothing else stands at 1/2.",
        "Give the biases numbers",
        lambda inputs: _with(inputs, b=0.0),
    ),
    Blindness(
        "x is zero",
        "With x = 0 nothing that is done to the input shows.",
        "Put numbers into x",
        lambda inputs: _with(inputs, x=0.0),
    ),
    Blindness(
        "all weights are zero",
        "With all matrices zero, gates and candidate see neither x nor h_prev.",
        "Give the matrices numbers",
        lambda inputs: _with(inputs, W=0.0),
    ),
    Blindness(
        "all numbers are tiny",
        "Your numbers are so small that every gate stays near 1/2 and tanh is a straight line: "
        "differences are there, and too small to accuse anybody. Numbers around 2 speak louder.",
        "Make all your numbers larger",
        lambda inputs: _with(inputs, 1e-3, 1e-3, 1e-3, 1e-3),
    ),
)

ONE_UNIT, ZERO_STATE, ZERO_BIASES, ZERO_INPUT, ZERO_WEIGHTS, TINY = range(1, 7)
"""Numbers of the blindnesses in the outcome ``why``; 0 is none."""

NOTHING, SEVERAL, ACCUSED, ACQUITTED, UNKNOWN = range(7, 12)
"""Other reasons why a report shows nothing: inputs of zeros, several blindnesses, an innocent
accused, a culprit acquitted, a name that is not on the list."""

DRAWS = 4
"""How many draws stand for all values that numbers could have."""


def _mended(number: int, inputs: Inputs, seed: int = 0) -> Inputs | None:
    """The inputs without this blindness, or None where they do not have it."""
    x, h_prev, params = inputs
    (B, D), H = x.shape, h_prev.shape[1]
    telling = generic(B, D, H, seed)
    matrices, biases = ([v for k, v in params.items() if k[0] == kind] for kind in "Wb")
    if number == ONE_UNIT and H == 1:
        return generic(MOST, D, MOST, seed)
    if number == ZERO_STATE and not h_prev.any():
        return x, telling[1], params
    if number == ZERO_BIASES and not np.any(biases):
        return x, h_prev, params | {key: telling[2][key] for key in KEYS if key[0] == "b"}
    if number == ZERO_INPUT and not x.any():
        return telling[0], h_prev, params
    if number == ZERO_WEIGHTS and not any(map(np.any, matrices)):
        return x, h_prev, params | {key: telling[2][key] for key in KEYS if key[0] == "W"}
    if number == TINY:
        largest = max(np.abs(a).max() for a in (x, h_prev, *params.values()))
        if 0 < largest <= 0.5:
            return _with(inputs, *[2 / largest] * 4)
    return None


def _run(cell: Cell, inputs: Inputs) -> np.ndarray:
    x, h_prev, params = inputs
    with np.errstate(all="ignore"):
        return cell(x=x.copy(), h_prev=h_prev.copy(), params=dict(params))


def difference(one: Cell, other: Cell, inputs: Inputs) -> float:
    """The largest difference between the states that two cells give."""
    return float(np.abs(_run(one, inputs) - _run(other, inputs)).max())


def shows(cell: Cell, inputs: Inputs) -> bool:
    """Whether a cell clearly differs from the right one on these inputs."""
    return difference(cell, gru.right_step, inputs) >= CLEAR


def why_blind(cells: list[Cell], inputs: Inputs) -> int:
    """The blindness that hides these cells: without it, the same inputs would show most of them.

    Nothing is guessed: each blindness that the inputs have is mended, and the cells are run again.
    """
    if not numbers(inputs):
        return NOTHING
    shown = {}
    for number in range(1, len(BLINDNESSES) + 1):
        mended = [_mended(number, inputs, seed) for seed in range(DRAWS)]
        if mended[0] is None:
            continue
        hidden = cells
        if number == ONE_UNIT:
            # With one unit these are the right cell, whatever its numbers are.
            alone = generic(*inputs[0].shape, 1)
            hidden = [c for c in cells if difference(c, gru.right_step, alone) < ROUNDING]
        shown[number] = max(sum(shows(cell, one) for cell in hidden) for one in mended)
    best = max(shown, key=shown.__getitem__, default=SEVERAL)
    return best if shown.get(best) else SEVERAL


# Reading a report


class Unusable(Exception):
    """The inputs of a report cannot be given to a cell; the message says why, to the student."""


def inputs_of(outputs: Mapping[str, np.ndarray]) -> Inputs:
    """The inputs of a report in float64. Raises Unusable."""
    x, h_prev = outputs["x"], outputs["h_prev"]
    for name, array, letters in (("x", x, "(B, D)"), ("h_prev", h_prev, "(B, H)")):
        if array.ndim != 2:
            raise Unusable(
                f"{name} has shape {array.shape}; it has two axes, {letters}. One example is a "
                "batch of one: [[…]]."
            )
    (B, D), H = x.shape, h_prev.shape[1]
    if len(h_prev) != B:
        raise Unusable(f"x holds {B} examples and h_prev {len(h_prev)}; both have the batch first.")
    for letter, size in (("B", B), ("D", D), ("H", H)):
        if not 1 <= size <= MOST:
            raise Unusable(f"{letter} is {size}; sizes from 1 to {MOST} are enough here.")
    for key in KEYS:
        shape = (H, H + D) if key[0] == "W" else (H,)
        if outputs[key].shape != shape:
            raise Unusable(
                f"{key} has shape {outputs[key].shape}; with D = {D} and H = {H} it is {shape}."
            )
    arrays = {}
    for name in ("x", "h_prev", *KEYS):
        if outputs[name].dtype.kind == "c":
            raise Unusable(f"{name} holds complex numbers.")
        arrays[name] = outputs[name].astype(np.float64)
        if not np.isfinite(arrays[name]).all():
            raise Unusable(f"{name} holds a number that is not finite (inf or nan).")
        if np.abs(arrays[name]).max() > LARGEST:
            raise Unusable(
                f"{name} holds {arrays[name].flat[np.abs(arrays[name]).argmax()]:g}; numbers from "
                f"-{LARGEST:g} to {LARGEST:g} are enough here."
            )
    return arrays["x"], arrays["h_prev"], {key: arrays[key] for key in KEYS}


def numbers(inputs: Inputs) -> int:
    """How many numbers of the inputs are not zero."""
    return sum(np.count_nonzero(array) for array in (*inputs[:2], *inputs[2].values()))


def _counted(count: int) -> str:
    return "1 number" if count == 1 else f"{count} numbers"


@dataclass(frozen=True)
class Box:
    """One black box: the cell in it, and how few numbers show it."""

    letter: str
    name: str
    """in the catalogue, or ``CORRECT``"""
    cell: Cell
    par: int = 0
    """the fewest numbers, other than zero, on which it differs from the right cell"""
    hides: tuple[int, ...] = ()
    """the blindnesses that alone keep it hidden"""

    @property
    def broken(self) -> bool:
        return self.name != CORRECT

    @property
    def function(self) -> str:
        """The function that reports on it."""
        return f"report_{self.letter.lower()}"


def _broken(letter: str, name: str, par: int, *hides: int) -> Box:
    return Box(letter, name, SUSPECTED[name].wrong, par, hides)


_UNSEEN = ZERO_WEIGHTS, TINY

BOXES = (
    _broken("A", "in the candidate: bias missing", 1, ZERO_BIASES, TINY),
    _broken("B", "reset state blended", 1, ZERO_STATE, TINY),
    _broken("C", "update and reset gates exchanged", 2, TINY),
    Box("D", CORRECT, keep_first),
    _broken("E", "in the candidate: reset gate applied to state and input", 2, *_UNSEEN),
    _broken("F", "in the reset gate: bias missing", 3, ZERO_STATE, ZERO_BIASES, *_UNSEEN),
    _broken(
        "G", "in the candidate: reset after the matrix product", 3, ONE_UNIT, ZERO_STATE, *_UNSEEN
    ),
    Box("H", CORRECT, fused),
    _broken(
        "I", "in the reset gate: recurrent block not transposed", 4, ONE_UNIT, ZERO_STATE, *_UNSEEN
    ),
)
"""From easy to hard. Box A is the worked example of the notebook; the others are graded."""

PAR = {box.function: box.par for box in BOXES}


def boxes_as_text() -> str:
    """What the notebook unpacks into its boxes."""
    return packed({box.letter: box.cell for box in BOXES})


def suspects_as_list(where: str) -> str:
    """The suspects in one part of ``SUSPECTS`` as a list in Markdown; names may be long."""
    return "\n".join(f"- **{name}**<br>{SUSPECTED[name].says}" for name in SUSPECTS[where])


# What a report is worth

BROKEN_PARTS = (
    ("exposed", "inputs that expose the box"),
    ("named", "the name of the mistake"),
    ("twice par", "at most twice as many numbers as needed"),
    ("par", "no number too many"),
)
RIGHT_PARTS = (
    ("cleared", "nobody accused"),
    ("step", "inputs on which every suspect in the step shows"),
    ("gates", "inputs on which every suspect in the gates shows"),
    ("candidate", "inputs on which every suspect in the candidate shows"),
)


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


def _blind(number: int, inputs: Inputs, all_of_it: bool = True) -> str:
    """The sentence for a reason of ``why_blind``."""
    if number <= len(BLINDNESSES):
        cured = "the box is exposed" if all_of_it else "most of them show"
        return f"{BLINDNESSES[number - 1].cure}, and {cured}: that was tried."
    if number == NOTHING:
        return "All your numbers are zero. Then every gate is 1/2, the candidate is 0, and so is h."
    there = [n for n in range(ONE_UNIT, TINY) if _mended(n, inputs) is not None]
    if there:
        return (
            f"Look at what is missing: {', '.join(BLINDNESSES[n - 1].name for n in there)}. Here "
            "it takes more than one change."
        )
    return (
        "Nothing is missing altogether, so it is a question of which numbers meet, and of size: "
        "more units, more examples and larger numbers make differences clearer."
    )


def _accusation(box: Box, name: str, inputs: Inputs):
    apart = difference(box.cell, gru.right_step, inputs)
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


def _another(box: Box, name: str, inputs: Inputs) -> tuple[str, str]:
    """What can be said of a wrong name without saying the right one."""
    theirs, its = _run(SUSPECTED[name].wrong, inputs), _run(box.cell, inputs)
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


def _acquittal(box: Box, name: str, inputs: Inputs):
    facts = dict.fromkeys(("cleared", *SUSPECTS), 0) | {"why": 0}
    if name != CORRECT:
        facts["why"] = ACCUSED if _known(name) else UNKNOWN
        says = (
            (
                f"Box {box.letter} is correct, and you accuse it: no inputs can tell it from the "
                "right cell.",
                "It is written another way. What counts is what comes out, on every input.",
            )
            if _known(name)
            else _unknown(name)
        )
        return facts, dict.fromkeys(facts, says), ""
    facts["cleared"] = 1
    apart = {
        suspect: difference(mistake.wrong, gru.right_step, inputs)
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
        f"{max(difference(box.cell, gru.right_step, inputs), 1e-16):.0e}. Of {len(apart)} suspects "
        f"{sum(d >= CLEAR for d in apart.values())} would have shown on your inputs; the faintest, "
        f"“{faintest}”, by {apart[faintest]:.2g}."
    )
    return facts, says, note


# The records


def smallest(box: Box) -> Inputs:
    """Inputs with ``box.par`` numbers that expose the box, as the solutions have them."""
    B, D, H = 1, 1, 2
    x, h_prev = np.zeros((B, D)), np.zeros((B, H))
    params = {key: np.zeros((H, H + D) if key[0] == "W" else H) for key in KEYS}
    arrays = {"x": x, "h_prev": h_prev, **params}
    for name, index in _SMALLEST[box.letter].items():
        for place, value in index:
            arrays[name][place] = value
    return x, h_prev, params


_SMALLEST: dict[str, dict] = {
    "A": {"b_h": [(0, 2.0)]},
    "B": {"h_prev": [((0, 0), 1.0)]},
    "C": {"h_prev": [((0, 0), 1.0)], "b_z": [(0, 3.0)]},
    "E": {"x": [((0, 0), 1.0)], "W_h": [((0, 2), 2.0)]},
    "F": {"h_prev": [((0, 0), 1.0)], "b_r": [(0, 3.0)], "W_h": [((0, 0), 2.0)]},
    "G": {"h_prev": [((0, 1), 1.0)], "b_r": [(0, 3.0)], "W_h": [((0, 1), 2.0)]},
    "I": {
        "h_prev": [((0, 0), 1.0), ((0, 1), 1.0)],
        "W_r": [((0, 1), 3.0)],
        "W_h": [((0, 0), 2.0)],
    },
}


def _reporting(name: str, inputs: Inputs) -> Callable:
    """A function that makes this report, with arrays of its own each time."""

    def report():
        x, h_prev, params = inputs
        return name, x.copy(), h_prev.copy(), {k: v.copy() for k, v in params.items()}

    return report


def _more(inputs: Inputs, count: int) -> Inputs:
    """The inputs with ``count`` numbers not zero, the added ones too small to matter."""
    x, h_prev, params = _with(inputs)
    for array in (params["b_z"], params["b_h"], params["W_z"]):
        for place in np.ndindex(array.shape):
            if numbers((x, h_prev, params)) < count and not array[place]:
                array[place] = 1e-6
    return x, h_prev, params


def _blind_mistakes(name: str, numbers_of: Iterable[int], part: str) -> tuple[Mistake, ...]:
    telling = generic(4, 3, 4)
    return tuple(
        Mistake(
            BLINDNESSES[n - 1].name,
            BLINDNESSES[n - 1].says,
            _reporting(name, BLINDNESSES[n - 1].blind(telling)),
            TWO_RESETS if n == ONE_UNIT else NEW_STATE,
            part,
        )
        for n in numbers_of
    )


def _nothing() -> Inputs:
    return _with(generic(1, 1, 2), 0.0, 0.0, 0.0, 0.0)


def _broken_mistakes(box: Box) -> tuple[Mistake, ...]:
    def mistake(name, says, report, part):
        return Mistake(name, says, report, NEW_STATE, part)

    inputs = smallest(box)
    return (
        *_blind_mistakes(box.name, box.hides, "exposed"),
        mistake(
            "nothing but zeros",
            "All your numbers are zero, so every gate is 1/2, and the candidate and the state are 0.",
            _reporting(box.name, _nothing()),
            "exposed",
        ),
        mistake(
            "broken box called correct",
            "You acquit a box that is broken. Agreement on some inputs is no proof.",
            _reporting(CORRECT, inputs),
            "exposed",
        ),
        mistake(
            "another mistake named",
            "Your inputs expose the box, and what you say of it is not what is wrong with it.",
            _reporting("old state missing", inputs),
            "named",
        ),
        mistake(
            "name not on the list",
            "Your inputs expose the box; its mistake has to be named as the list names it.",
            _reporting("something is wrong", inputs),
            "named",
        ),
        mistake(
            "more than twice as many numbers as needed",
            "Most of your numbers have nothing to do with the mistake.",
            _reporting(box.name, _more(inputs, 2 * box.par + 1)),
            "twice par",
        ),
        mistake(
            "one number too many",
            "At least one of your numbers could be zero, and the box would still show.",
            _reporting(box.name, _more(inputs, box.par + 1)),
            "par",
        ),
    )


def _right_mistakes() -> tuple[Mistake, ...]:
    def mistake(name, says, report):
        return Mistake(name, says, report, NEW_STATE, "cleared")

    return (
        mistake(
            "correct box accused",
            "You accuse a box that gives the right state on every input.",
            _reporting("z and 1 - z swapped", generic(4, 3, 4)),
        ),
        mistake(
            "name not on the list",
            f'Name a suspect as the list does, or write "{CORRECT}".',
            _reporting("fine", generic(4, 3, 4)),
        ),
        *_blind_mistakes(CORRECT, range(ONE_UNIT, TINY + 1), "step"),
        mistake(
            "nothing but zeros",
            "All your numbers are zero: hardly anything that could be wrong with the box would show.",
            _reporting(CORRECT, _nothing()),
        ),
    )


def _facts(parts: tuple[tuple[str, str], ...]) -> Callable[[Mapping], Outputs]:
    facts = {part: 1 for part, _ in parts} | {"why": 0}
    return lambda inputs: {name: np.asarray(value, np.int64) for name, value in facts.items()}


_HINTS = {
    "B": (
        "Start with the emptiest inputs there are: zeros everywhere, and one number in h_prev.",
        "Compute by hand what the right cell makes of them, and what is left in the box's state.",
    ),
    "C": (
        "Move one gate at a time. With zero weights, a bias alone decides where its gate stands.",
        "A large b_z should replace the old state. What does it do here, and what does a large b_r?",
    ),
    "D": (
        "Does it differ from the right cell on generic inputs? On ten of them?",
        "A box that agrees is acquitted by inputs on which no suspect would: random numbers, of "
        "about 1, everywhere, and more than one unit.",
    ),
    "E": (
        "Take the old state away first: with h_prev = 0 only the input speaks.",
        "What should the reset gate do to the input's share of the candidate?",
    ),
    "F": (
        "What r does shows only where three things come together: r itself, an old state, and a "
        "weight of the candidate that reads it.",
        "With zero weights in the gate, r is σ(b_r). Is it, in the box?",
    ),
    "G": (
        "With one unit the box and the right cell are the same model. Take H = 2.",
        "Give the two units different reset gates, and let one unit's old state reach the other.",
    ),
    "H": (
        "Does it differ from the right cell on generic inputs? On ten of them?",
        "Your inputs for another acquittal serve here as well.",
    ),
    "I": (
        "Give a gate a single weight that leads from one unit to the other.",
        "For r to show you need an old state in both units and a weight of the candidate.",
    ),
}


def _exercise(box: Box):
    parts = BROKEN_PARTS if box.broken else RIGHT_PARTS
    first = parts[0][0]

    def probe(part: str, title: str) -> Probe:
        compared = (first, "why") if part == first and box.broken else (first, part)
        return Probe(title, lambda rng: {}, part, tuple(dict.fromkeys(compared)))

    return exercise(
        name=box.function,
        assignment="bughunt",
        signature=f"{box.function}() -> (name, x, h_prev, params)",
        points=4,
        section=NEW_STATE,
        equation="h = (1 − z) ∗ h_prev + z ∗ h̃,  z, r = σ([h_prev, x] Wᵀ + b),  "
        "h̃ = tanh([r ∗ h_prev, x] W_hᵀ + b_h)",
        hints=_HINTS[box.letter],
        returns=Report(KEYS),
        probes=tuple(probe(part, title) for part, title in parts),
        answer=_facts(parts),
        mistakes=_broken_mistakes(box) if box.broken else _right_mistakes(),
        tolerance=0.0,
        why_tolerance="a report does what is asked for or does not",
        parts=parts,
        examine=lambda seen: examine_report(box, seen),
        tried="parts of the report",
        recognized="Found by putting your report to use.",
        reference="the right cell in NumPy, float64",
    )


EXERCISES = tuple(_exercise(box) for box in BOXES[1:])
