"""The catalogues of a squashed weighted sum: of a gate, and of a tanh."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from autograder.checking.record import Mistake, Section
from autograder.course.exercises.shared.wrong import affine, join, sigmoid, softmax, split


@dataclass(frozen=True)
class _Given:
    """What a wrong function is put together from. Nothing is computed before it is asked for."""

    x: np.ndarray
    h_prev: np.ndarray
    params: dict[str, np.ndarray]
    key: str
    """the letter of the parameters"""
    other: str
    """the letter of others that they can be confused with"""

    @property
    def W(self):
        return self.params[f"W_{self.key}"]

    @property
    def b(self):
        return self.params[f"b_{self.key}"]

    @property
    def other_W(self):
        return self.params[f"W_{self.other}"]

    @property
    def other_b(self):
        return self.params[f"b_{self.other}"]

    @property
    def joined(self):
        return join(self.h_prev, self.x)

    @property
    def sum(self):
        """The right weighted sum."""
        return affine(self.h_prev, self.x, self.params, self.key)

    @property
    def blocks(self):
        """The weights that meet h_prev, (H, H), and those that meet x, (H, D)."""
        return split(self.params, self.key, self.h_prev)

    @property
    def reshaped_sum(self):
        W_reshaped = self.W.reshape(self.W.shape[::-1])
        return self.joined @ W_reshaped + self.b

    @property
    def sum_through_untransposed_block(self):
        recurrent, from_input = self.blocks
        return self.h_prev @ recurrent + self.x @ from_input.T + self.b


@dataclass(frozen=True)
class _Row:
    """A mistake of any gate. In the words, ``{key}`` is its letter, and so on: see ``_told``."""

    name: str
    says: str
    formula: Callable[[_Given], np.ndarray]
    each_other: bool = False
    """one mistake for each of the others that the weights can be confused with"""
    of_complement: bool = False
    """belongs to the section about 1 - gate"""


def _overflowing_sigmoid(s: _Given):
    e = np.exp(s.sum)
    return e / (1 + e)


def _separate_tanhs(s: _Given):
    recurrent, from_input = s.blocks
    return np.tanh(s.h_prev @ recurrent.T) + np.tanh(s.x @ from_input.T + s.b)


def _softsign(s: _Given):
    a = s.sum
    return a / (1 + np.abs(a))


def _overflowing_tanh(s: _Given):
    a = s.sum
    return (np.exp(a) - np.exp(-a)) / (np.exp(a) + np.exp(-a))


_GATE = (
    _Row(
        "{key} and 1 - {key} swapped",
        "You return 1 - {key}: the gate is open where it should be closed.",
        lambda s: 1 - sigmoid(s.sum),
        of_complement=True,
    ),
    _Row(
        "input and state in the wrong order",
        "You join [x, h_prev]; the columns of W expect the hidden part first: [h_prev, x].",
        lambda s: sigmoid(join(s.x, s.h_prev) @ s.W.T + s.b),
    ),
    _Row(
        "bias missing",
        "The bias {b} is not added before the sigmoid.",
        lambda s: sigmoid(s.joined @ s.W.T),
    ),
    _Row(
        "bias outside the sigmoid",
        "The bias {b} is added after the sigmoid; it belongs inside.",
        lambda s: sigmoid(s.joined @ s.W.T) + s.b,
    ),
    _Row(
        "bias subtracted",
        "The bias {b} is subtracted; the equation adds it.",
        lambda s: sigmoid(s.joined @ s.W.T - s.b),
    ),
    _Row(
        "tanh for sigmoid",
        "You squash with tanh; a gate is a share between 0 and 1 and needs the sigmoid.",
        lambda s: np.tanh(s.sum),
    ),
    _Row(
        "softmax for sigmoid",
        "You normalize over the units with softmax; each unit has a gate of its own: sigmoid.",
        lambda s: softmax(s.sum),
    ),
    _Row(
        "no sigmoid",
        "You return the weighted sum itself; the sigmoid around it is missing.",
        lambda s: s.sum,
    ),
    _Row(
        "sigmoid applied twice",
        "The sigmoid is applied to a value that has already been through a sigmoid.",
        lambda s: sigmoid(sigmoid(s.sum)),
    ),
    _Row(
        "{whose} weights",
        "You use W_{other} and b_{other}; this gate has its own, {W} and {b}.",
        lambda s: sigmoid(s.joined @ s.other_W.T + s.other_b),
        each_other=True,
    ),
    _Row(
        "{whose} bias",
        "You add b_{other}; this gate has a bias of its own, {b}. The weights are right.",
        lambda s: sigmoid(s.joined @ s.W.T + s.other_b),
        each_other=True,
    ),
    _Row(
        "{whose} matrix",
        "You multiply by W_{other}; this gate has a matrix of its own, {W}. The bias is right.",
        lambda s: sigmoid(s.joined @ s.other_W.T + s.b),
        each_other=True,
    ),
    _Row(
        "reshape for transpose",
        "{W} is reshaped to (H + D, H); that scrambles its entries. Transpose it: {W}.T.",
        lambda s: sigmoid(s.reshaped_sum),
    ),
    _Row(
        "recurrent block not transposed",
        "The block {W}[:, :H] is used without its transpose; it is square, so no shape complains.",
        lambda s: sigmoid(s.sum_through_untransposed_block),
    ),
    _Row(
        "h_prev ignored",
        "The previous state has no influence on your gate.",
        lambda s: sigmoid(s.x @ s.blocks[1].T + s.b),
    ),
    _Row(
        "x ignored",
        "The input has no influence on your gate.",
        lambda s: sigmoid(s.h_prev @ s.blocks[0].T + s.b),
    ),
    _Row(
        "sigmoid overflows",
        "Your sigmoid turns into nan for large arguments: exp(a) / (1 + exp(a)) overflows. "
        "Use exp only of negative numbers.",
        _overflowing_sigmoid,
    ),
)

_TANH = (
    _Row(
        "input and state in the wrong order",
        "You join [x, h_prev]; the columns of {W} expect the hidden part first: [h_prev, x].",
        lambda s: np.tanh(join(s.x, s.h_prev) @ s.W.T + s.b),
    ),
    _Row(
        "bias missing",
        "The bias {b} is not added before tanh.",
        lambda s: np.tanh(s.joined @ s.W.T),
    ),
    _Row(
        "bias outside tanh",
        "The bias {b} is added after tanh; it belongs inside.",
        lambda s: np.tanh(s.joined @ s.W.T) + s.b,
    ),
    _Row(
        "bias subtracted",
        "The bias {b} is subtracted; the equation adds it.",
        lambda s: np.tanh(s.joined @ s.W.T - s.b),
    ),
    _Row(
        "sigmoid for tanh",
        "You squash with the sigmoid; {what} lies in (-1, 1) and needs tanh.",
        lambda s: sigmoid(s.sum),
    ),
    _Row(
        "relu for tanh",
        "You cut negative sums off (relu); {what} may be negative: tanh.",
        lambda s: np.maximum(s.sum, 0.0),
    ),
    _Row(
        "softsign for tanh",
        "You squash with a / (1 + |a|), which looks like tanh and is another curve.",
        _softsign,
    ),
    _Row(
        "no tanh",
        "You return the weighted sum itself; the tanh around it is missing.",
        lambda s: s.sum,
    ),
    _Row(
        "tanh applied twice",
        "The tanh is applied to a value that has already been through a tanh.",
        lambda s: np.tanh(np.tanh(s.sum)),
    ),
    _Row(
        "one tanh for each part",
        "You squash the part from h_prev and the part from x separately; add first, then tanh.",
        _separate_tanhs,
    ),
    _Row(
        "reshape for transpose",
        "{W} is reshaped to (H + D, H); that scrambles its entries. Transpose it: {W}.T.",
        lambda s: np.tanh(s.reshaped_sum),
    ),
    _Row(
        "recurrent block not transposed",
        "The block {W}[:, :H] is used without its transpose; it is square, so no shape complains.",
        lambda s: np.tanh(s.sum_through_untransposed_block),
    ),
    _Row(
        "h_prev ignored",
        "The previous state has no influence on {what}.",
        lambda s: np.tanh(s.x @ s.blocks[1].T + s.b),
    ),
    _Row(
        "x ignored",
        "The input has no influence on {what}.",
        lambda s: np.tanh(s.h_prev @ s.blocks[0].T + s.b),
    ),
    _Row(
        "{whose} weights",
        "You use W_{other} and b_{other}; {what} has its own, {W} and {b}.",
        lambda s: np.tanh(s.joined @ s.other_W.T + s.other_b),
        each_other=True,
    ),
    _Row(
        "{whose} bias",
        "You add b_{other}; {what} has a bias of its own, {b}. The weights are right.",
        lambda s: np.tanh(s.joined @ s.W.T + s.other_b),
        each_other=True,
    ),
    _Row(
        "tanh overflows",
        "Your tanh turns into nan for large arguments: exp overflows. Use np.tanh.",
        _overflowing_tanh,
    ),
)


def _told(
    rows: tuple[_Row, ...], key: str, others: tuple[tuple[str, str], ...], what: str
) -> Iterator[tuple[_Row, str, str, Callable]]:
    """Each row with its name and diagnosis in words, and the wrong function."""
    for row in rows:
        for whose, other in others if row.each_other else (("", ""),):
            words = {"key": key, "W": f"W_{key}", "b": f"b_{key}", "what": what}
            words |= {"whose": whose, "other": other}

            def wrong(x, h_prev, params, formula=row.formula, other=other):
                return formula(_Given(x, h_prev, params, key, other))

            yield row, row.name.format(**words), row.says.format(**words), wrong


def gate_mistakes(
    gate: str,
    section: Section,
    others: tuple[tuple[str, str], ...],
    complement: Section | None = None,
) -> tuple[Mistake, ...]:
    """The catalogue of one gate, ``sigmoid([h_prev, x] W^T + b)``.

    ``others`` names what its weights can be confused with: pairs of a description ("the reset
    gate's") and a key. ``complement`` is the section about 1 - gate, by default ``section``.
    """
    about = {True: complement or section, False: section}
    return tuple(
        Mistake(name, says, wrong, about[row.of_complement], part=gate)
        for row, name, says, wrong in _told(_GATE, gate, others, "this gate")
    )


def tanh_mistakes(
    key: str,
    section: Section,
    what: str,
    part: str | None,
    others: tuple[tuple[str, str], ...] = (),
) -> tuple[Mistake, ...]:
    """The catalogue of ``tanh([h_prev, x] W^T + b)``; ``what`` it gives ("the new state").

    ``others`` as for ``gate_mistakes``.
    """
    return tuple(
        Mistake(name, says, wrong, section, part)
        for _, name, says, wrong in _told(_TANH, key, others, what)
    )
