"""``GRULayer``: a layer in torch that takes torch.nn.GRU's parameters."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from autograder.checking.record import Inputs, Mistake, Outputs, Probe
from autograder.course.at_play import TensorPair, call_layer
from autograder.course.exercises.gru.sections import LAYER, THROUGH_TIME, TWO_RESETS
from autograder.course.exercises.gru.stacked import CHANGES, stacked_weights
from autograder.course.exercises.shared import drawing
from autograder.course.exercises.shared.declared import gru_exercise
from autograder.course.exercises.shared.drawing import different_sizes, state


def _layer_inputs(
    rng, T: int, B: int, D: int, H: int, *, h0: bool = True, dtype="float64", device="cpu"
) -> Inputs:
    drawn = stacked_weights(rng, D, H)
    return {
        "sizes": (D, H),
        "state": {f"{name}_l0": value for name, value in drawn.items()},
        "xs": drawing.inputs(rng, T, B, D),
        "h0": state(rng, B, H) if h0 else None,
        "d_hs": drawing.inputs(rng, T, B, H),
        "d_h_last": drawing.inputs(rng, B, H),
        "dtype": dtype,
        "device": device,
    }


def _layer_general(rng, **kind) -> Inputs:
    return _layer_inputs(rng, *different_sizes(rng, 4), **kind)


def _layer_elsewhere(rng, **kind) -> Inputs:
    """Two time steps: torch's ``meta`` device, which stands for a GPU, is slow, and shows no more."""
    return _layer_inputs(rng, 2, *different_sizes(rng, 3, 3), device="accelerator", **kind)


def _layer_square(rng) -> Inputs:
    size = different_sizes(rng, 1, 3, 5)[0]
    return _layer_inputs(rng, size, size, size, size)


_PROBES = (
    Probe("one time step", lambda rng: _layer_inputs(rng, 1, *different_sizes(rng, 3)), "step"),
    Probe("general", _layer_general, "carry"),
    Probe("no h0", lambda rng: _layer_general(rng, h0=False), "h0"),
    Probe(
        "one example",
        lambda rng: _layer_inputs(rng, different_sizes(rng, 1)[0], 1, *different_sizes(rng, 2)),
    ),
    Probe("T = B = D = H", _layer_square),
    Probe("twenty time steps", lambda rng: _layer_inputs(rng, 20, *different_sizes(rng, 3))),
    Probe("float32", lambda rng: _layer_general(rng, dtype="float32"), "dtype"),
    Probe("float32, no h0", lambda rng: _layer_general(rng, h0=False, dtype="float32"), "dtype"),
    Probe("another device", _layer_elsewhere, "device", once=True),
    Probe(
        "another device, no h0", lambda rng: _layer_elsewhere(rng, h0=False), "device", once=True
    ),
)

_PARTS = (
    ("step", "a single step and its gradients"),
    ("carry", "several steps and their gradients"),
    ("h0", "a missing h0"),
    ("dtype", "following the layer's dtype"),
    ("device", "following the layer's device"),
)


def _answer_layer(inputs: Mapping) -> Outputs:
    """torch.nn.GRU's own kernel, on the CPU.

    Answers computed on a GPU are compared in float64, in which TF32 plays no part.
    """
    import torch

    class Library(torch.nn.Module):
        def __init__(self, input_size, hidden_size):
            super().__init__()
            gru = torch.nn.GRU(input_size, hidden_size)
            for key, value in list(gru.named_parameters()):
                self.register_parameter(key, value)
            self.hidden_size = hidden_size

        def forward(self, xs, h0=None):
            h0 = xs.new_zeros(xs.shape[1], self.hidden_size) if h0 is None else h0
            flat = list(self.parameters())
            hs, h_last = torch._VF.gru(xs, h0[None], flat, True, 1, 0.0, False, False, False)
            return hs, h_last[0]

    outputs, _, _ = call_layer(Library, {**inputs, "device": "cpu"}, _RETURNS)
    return outputs


_RETURNS = TensorPair(("hs", "h_last"))


def _wrong_layer(kind: str, **options) -> Callable:
    """A factory that stands for a wrong GRULayer class; torch loads when it is first called."""

    def build(input_size, hidden_size):
        from autograder.course.exercises.gru.wrong_layers import WRONG

        return WRONG[kind](input_size, hidden_size, **options)

    return build


def _layer_mistake(name, says, wrong, section=LAYER, part=None):
    return Mistake(name, says, wrong, section, part)


_MISTAKES = (
    *(
        _layer_mistake(name, says, _wrong_layer("cell", **changes), where, part)
        for name, says, where, part, changes in CHANGES
    ),
    _layer_mistake(
        "reset before the matrix product",
        "You multiply r * h before the product, as in your NumPy step; torch.nn.GRU multiplies "
        "r into W_hn h + b_hn. These are two different models.",
        _wrong_layer("reset before"),
        TWO_RESETS,
        "r",
    ),
    _layer_mistake(
        "b_hn outside the reset product",
        "r multiplies W_hn h only; b_hn stands inside the bracket with it.",
        _wrong_layer("bias outside"),
        TWO_RESETS,
        "r",
    ),
    _layer_mistake(
        "recurrent weights not transposed",
        "Each H × H block of weight_hh_l0 is used without its transpose; use h @ weight_hh_l0.T.",
        _wrong_layer("not transposed"),
    ),
    _layer_mistake(
        "bias_ih_l0 dropped", "bias_ih_l0 has no influence.", _wrong_layer("no bias_ih")
    ),
    _layer_mistake(
        "bias_hh_l0 dropped", "bias_hh_l0 has no influence.", _wrong_layer("no bias_hh")
    ),
    _layer_mistake(
        "state not carried",
        "Every step starts again from h0; each must start from the state before it.",
        _wrong_layer("not carried"),
        THROUGH_TIME,
    ),
    _layer_mistake(
        "h0 ignored", "You start from zeros even when h0 is given.", _wrong_layer("h0 ignored")
    ),
    _layer_mistake(
        "time walked backwards",
        "The sequence is processed from its end to its start.",
        _wrong_layer("backwards"),
        THROUGH_TIME,
    ),
    _layer_mistake(
        "batch taken for time",
        "You walk along the batch axis; xs is (T, B, D), time first.",
        _wrong_layer("batch first"),
        THROUGH_TIME,
    ),
    _layer_mistake(
        "only the last state returned",
        "hs holds the last state alone; all T states are asked for, and h_last beside them.",
        _wrong_layer("last only"),
        THROUGH_TIME,
    ),
    _layer_mistake(
        "h_last with a layer axis",
        "h_last has shape (1, B, H) as torch.nn.GRU returns it; this layer returns (B, H).",
        _wrong_layer("layer axis"),
    ),
    _layer_mistake(
        "results in the wrong order",
        "You return (h_last, hs); the order is (hs, h_last).",
        _wrong_layer("wrong order"),
    ),
    _layer_mistake(
        "first state returned as last",
        "h_last is hs[0]; the last is hs[-1].",
        _wrong_layer("first as last"),
        THROUGH_TIME,
    ),
    _layer_mistake(
        "state detached between steps",
        "The values are right, but the state is detached between steps: gradients stop after "
        "one step, and the layer could not learn anything that lasts.",
        _wrong_layer("detached"),
    ),
    _layer_mistake(
        "tanh and sigmoid exchanged",
        "Your gates go through tanh and the candidate through the sigmoid; it is the other way round.",
        _wrong_layer("squashes exchanged"),
    ),
    _layer_mistake(
        "tanh for sigmoid",
        "Your gates go through tanh; a gate is a share between 0 and 1 and needs the sigmoid.",
        _wrong_layer("gates through tanh"),
    ),
    _layer_mistake(
        "sigmoid for tanh",
        "Your candidate goes through the sigmoid; it lies in (-1, 1) and needs tanh.",
        _wrong_layer("candidate through sigmoid"),
    ),
    _layer_mistake(
        "time walked backwards, states in the order computed",
        "The sequence is processed from its end, and entry 0 holds the state of the last step.",
        _wrong_layer("backwards as computed"),
        THROUGH_TIME,
    ),
    _layer_mistake(
        "states in reverse order",
        "The states are right, but entry 0 holds the last one.",
        _wrong_layer("reverse order"),
        THROUGH_TIME,
    ),
    _layer_mistake(
        "batch axis first in the result",
        "hs comes as (B, T, H); the course puts time first: (T, B, H).",
        _wrong_layer("batch first result"),
        THROUGH_TIME,
    ),
    _layer_mistake(
        "h0 overwritten",
        "The results are right, but the h0 that was handed in is changed on the way. Whoever called "
        "the layer still needs it.",
        _wrong_layer("state in place"),
    ),
    _layer_mistake(
        "no recurrent bias without h0",
        "Where h0 is missing you leave the recurrent part out of the first step, and b_hn with it; "
        "zeros as a state still meet the bias.",
        _wrong_layer("no recurrent bias first"),
    ),
    _layer_mistake(
        "state kept in the layer",
        "Called again without h0, your layer goes on from its last state; every sequence without h0 "
        "starts from zeros.",
        _wrong_layer("remembers"),
        THROUGH_TIME,
    ),
    _layer_mistake(
        "gate detached",
        "The values are right, but no gradient flows through the reset gate; look for "
        "`.detach()` or `.data`.",
        _wrong_layer("reset gate detached"),
    ),
    _layer_mistake(
        "computed without gradients",
        "The values are right, but computed under torch.no_grad() or detached: nothing could "
        "be trained.",
        _wrong_layer("no grad"),
    ),
    _layer_mistake(
        "missing h0 built in float32",
        "A missing h0 is built with torch's default dtype; build it in the dtype of xs, for "
        "instance with xs.new_zeros(B, H).",
        _wrong_layer("float32 h0"),
    ),
    _layer_mistake(
        "missing h0 built in float32 on the CPU",
        "A missing h0 is built with torch's defaults, float32 on the CPU; build it in the dtype "
        "and on the device of xs, for instance with xs.new_zeros(B, H).",
        _wrong_layer("default h0"),
    ),
    _layer_mistake(
        "missing h0 built on the CPU",
        "A missing h0 is built on the CPU and fails on a GPU; build it where xs is, for "
        "instance with xs.new_zeros(B, H).",
        _wrong_layer("cpu h0"),
        part="device",
    ),
    _layer_mistake(
        "result collected on the CPU",
        "The states are collected in a tensor made on the CPU; torch.stack keeps device and dtype.",
        _wrong_layer("cpu result"),
        part="device",
    ),
    _layer_mistake(
        "computed in float64 whatever the module's dtype",
        "Your layer converts to float64; it should follow the dtype of its module.",
        _wrong_layer("always float64"),
        part="dtype",
    ),
    _layer_mistake(
        "weights not registered as parameters",
        "The layer holds no nn.Parameter of these names. Plain tensors are found by no optimizer "
        "and by no state dict.",
        _wrong_layer("plain tensors"),
    ),
    _layer_mistake(
        "parameter names without _l0",
        "The parameters are named weight_ih, weight_hh, …; torch.nn.GRU appends _l0.",
        _wrong_layer("other names"),
    ),
)

EXERCISE = gru_exercise(
    name="GRULayer",
    assignment="gru",
    signature="GRULayer(input_size, hidden_size), called as (xs, h0=None) -> (hs, h_last)",
    points=6,
    section=LAYER,
    equation="n = tanh(W_in x + b_in + r ∗ (W_hn h_prev + b_hn)),  h = (1 − z) ∗ n + z ∗ h_prev",
    hints=(
        "Register four nn.Parameter with torch's names and shapes: weight_ih_l0 (3H, D), "
        "weight_hh_l0 (3H, H), bias_ih_l0 and bias_hh_l0 (3H,).",
        "Your gru_step_torch is nearly the loop body: torch.sigmoid for sigmoid, "
        ".chunk(3, dim=-1) for np.split, torch.stack for np.stack.",
    ),
    returns=_RETURNS,
    probes=_PROBES,
    answer=_answer_layer,
    mistakes=_MISTAKES,
    parts=_PARTS,
    call=call_layer,
    needs_torch=True,
    reference="torch.nn.GRU, torch {torch}, float64 on the CPU",
)
