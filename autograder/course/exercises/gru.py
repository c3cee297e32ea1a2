"""The assignment ``gru``: nine records, their probes and their catalogues of mistakes.

The wrong implementations are NumPy, short, and wrong in one way each. Mistakes made in a gate
appear again in every function that uses the gate (``lift``), so that a student who checks only
``gru_step`` still hears which gate is wrong.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from autograder.checking.record import Inputs, Mistake, Outputs, Probe, Section
from autograder.course.at_play import TensorPair, call_layer
from autograder.course.exercises import drawing
from autograder.course.exercises.drawing import (
    FORWARD_PARTS,
    SATURATED,
    TERMS,
    biases,
    different_sizes,
    fix_gate,
    gated_params,
    general_step,
    known_gate,
    sequence_families,
    state,
    step_families,
    term_stages,
    weights,
)
from autograder.course.exercises.shared.declared import gru_exercise
from autograder.course.exercises.wrong import (
    affine,
    contract_mistakes,
    gate_mistakes,
    join,
    lift,
    sigmoid,
    split,
    tensors,
    time_mistakes,
    walk,
)
from autograder.player.contract import Array, Integer, Params

CHAPTER = "Two gates, one state"


UPDATE_GATE = Section("update-gate", "The update gate: what to rewrite", CHAPTER)
RESET_GATE = Section("reset-gate", "The reset gate: what to consult", CHAPTER)
CANDIDATE = Section("candidate-state", "The candidate: a draft", CHAPTER)
NEW_STATE = Section("new-state", "The new state: a blend", CHAPTER)
THROUGH_TIME = Section("through-time", "Through time", CHAPTER)
TWO_CONVENTIONS = Section("two-conventions", "Two conventions for z", CHAPTER)
TWO_RESETS = Section("two-resets", "Two places for r", CHAPTER)
COUNTING = Section("counting-parameters", "Counting parameters", CHAPTER)
LAYER = Section("from-equations-to-a-layer", "From equations to a layer", CHAPTER)

PARTS = (
    ("state", "blending old state and candidate"),
    ("z", "update gate z"),
    ("candidate", "candidate"),
    ("r", "reset gate r inside the candidate"),
)


def step_inputs(rng, B: int, D: int, H: int) -> Inputs:
    return {
        "x": drawing.inputs(rng, B, D),
        "h_prev": state(rng, B, H),
        "params": gated_params(rng, "zrh", D, H),
    }


def _gate_probes(gate: str) -> tuple[Probe, ...]:
    """Each of the gate's three terms alone, then all together."""
    return (*term_stages(step_inputs, gate), *step_families(step_inputs))


_general = general_step(step_inputs)


def _with_r(draw: Callable) -> Callable:
    def with_r(rng):
        drawn = draw(rng)
        r = rng.uniform(0.1, 0.9, drawn["h_prev"].shape)
        return {"x": drawn["x"], "h_prev": drawn["h_prev"], "r": r, "params": drawn["params"]}

    return with_r


def _candidate_probes() -> tuple[Probe, ...]:
    probes = tuple(Probe(p.name, _with_r(p.draw), p.part) for p in _gate_probes("h"))

    def open_reset(rng):
        drawn = _with_r(_general)(rng)
        drawn["r"] = np.ones_like(drawn["r"])
        return drawn

    def closed_reset(rng):
        drawn = _with_r(_general)(rng)
        drawn["r"] = np.zeros_like(drawn["r"])
        return drawn

    return (*probes, Probe("r = 1", open_reset), Probe("r = 0", closed_reset))


def _blend_alone(draw: Callable) -> Callable:
    def blend(rng):
        drawn = draw(rng)
        fix_gate(drawn["params"], "z", known_gate(rng, drawn["h_prev"].shape[1]))
        fix_gate(drawn["params"], "h", SATURATED)
        return drawn

    return blend


def _z_alone(draw: Callable) -> Callable:
    def z(rng):
        drawn = draw(rng)
        fix_gate(drawn["params"], "h", SATURATED)
        return drawn

    return z


def _candidate_alone(draw: Callable) -> Callable:
    def candidate(rng):
        drawn = draw(rng)
        fix_gate(drawn["params"], "z", 2.0)
        fix_gate(drawn["params"], "r", SATURATED)
        return drawn

    return candidate


def _r_alone(draw: Callable) -> Callable:
    def r(rng):
        drawn = draw(rng)
        fix_gate(drawn["params"], "z", 2.0)
        return drawn

    return r


def _stages(draw: Callable) -> tuple[Probe, ...]:
    """One probe per part of the cell, the other parts held at known values."""
    return (
        Probe("z and candidate known", _blend_alone(draw), part="state"),
        Probe("candidate held at 1", _z_alone(draw), part="z"),
        Probe("z known, r held at 1", _candidate_alone(draw), part="candidate"),
        Probe("z known", _r_alone(draw), part="r"),
    )


_STEP_PROBES = (*_stages(_general), *step_families(step_inputs))


def _sequence_inputs(rng, T: int, B: int, D: int, H: int) -> Inputs:
    return {
        "xs": drawing.inputs(rng, T, B, D),
        "h0": state(rng, B, H),
        "params": gated_params(rng, "zrh", D, H),
    }


def _torch_weights(rng, D: int, H: int) -> dict[str, np.ndarray]:
    return {
        "weight_ih": weights(rng, 3 * H, D),
        "weight_hh": weights(rng, 3 * H, H),
        "bias_ih": biases(rng, 3 * H),
        "bias_hh": biases(rng, 3 * H),
    }


def _torch_step(rng, B: int, D: int, H: int) -> Inputs:
    return {
        "x": drawing.inputs(rng, B, D),
        "h_prev": state(rng, B, H),
        **_torch_weights(rng, D, H),
    }


_torch_general = general_step(_torch_step)


def _fixed_torch(drawn: Inputs, gate: str, value: object) -> None:
    """Let the pre-activation of gate r, z or n be ``value``, whatever the input."""
    H = drawn["h_prev"].shape[1]
    rows = slice(H * "rzn".index(gate), H * ("rzn".index(gate) + 1))
    for name in ("weight_ih", "weight_hh", "bias_hh"):
        drawn[name][rows] = 0.0
    drawn["bias_ih"][rows] = value


def _torch_blend(rng) -> Inputs:
    drawn = _torch_general(rng)
    _fixed_torch(drawn, "z", known_gate(rng, drawn["h_prev"].shape[1]))
    _fixed_torch(drawn, "n", SATURATED)
    return drawn


def _torch_z(rng) -> Inputs:
    drawn = _torch_general(rng)
    _fixed_torch(drawn, "n", SATURATED)
    return drawn


def _torch_candidate(rng) -> Inputs:
    drawn = _torch_general(rng)
    _fixed_torch(drawn, "z", -2.0)
    _fixed_torch(drawn, "r", SATURATED)
    return drawn


def _torch_r(rng) -> Inputs:
    drawn = _torch_general(rng)
    _fixed_torch(drawn, "z", -2.0)
    return drawn


_TORCH_STEP_PROBES = (
    Probe("z and candidate known", _torch_blend, part="state"),
    Probe("candidate held at 1", _torch_z, part="z"),
    Probe("z known, r held at 1", _torch_candidate, part="candidate"),
    Probe("z known", _torch_r, part="r"),
    *step_families(_torch_step),
)


def _layer_inputs(
    rng, T: int, B: int, D: int, H: int, h0: bool = True, dtype="float64", device="cpu"
) -> Inputs:
    drawn = _torch_weights(rng, D, H)
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


def _layer_square(rng) -> Inputs:
    size = different_sizes(rng, 1, 3, 5)[0]
    return _layer_inputs(rng, size, size, size, size)


_LAYER_PROBES = (
    Probe("one time step", lambda rng: _layer_inputs(rng, 1, *different_sizes(rng, 3)), "step"),
    Probe("general", _layer_general, "carry"),
    Probe("no h0", lambda rng: _layer_general(rng, h0=False), "h0"),
    Probe(
        "one example",
        lambda rng: _layer_inputs(rng, *different_sizes(rng, 1), 1, *different_sizes(rng, 2)),
    ),
    Probe("T = B = D = H", _layer_square),
    Probe("twenty time steps", lambda rng: _layer_inputs(rng, 20, *different_sizes(rng, 3))),
    Probe("float32", lambda rng: _layer_general(rng, dtype="float32"), "dtype"),
    Probe("float32, no h0", lambda rng: _layer_general(rng, h0=False, dtype="float32"), "dtype"),
    Probe("another device", lambda rng: _layer_general(rng, device="accelerator"), "device"),
    Probe(
        "another device, no h0",
        lambda rng: _layer_general(rng, h0=False, device="accelerator"),
        "device",
    ),
)

LAYER_PARTS = (
    ("step", "a single step and its gradients"),
    ("carry", "several steps and their gradients"),
    ("h0", "a missing h0"),
    ("dtype", "following the layer's dtype"),
    ("device", "following the layer's device"),
)


def _sizes_probe(name: str, draw: Callable) -> Probe:
    def sizes(rng):
        input_size, hidden_size = draw(rng)
        return {"input_size": int(input_size), "hidden_size": int(hidden_size)}

    return Probe(name, sizes)


_COUNT_PROBES = (
    _sizes_probe("D < H", lambda rng: (rng.integers(2, 9), rng.integers(10, 40))),
    _sizes_probe("D > H", lambda rng: (rng.integers(40, 90), rng.integers(2, 30))),
    _sizes_probe("large", lambda rng: (rng.integers(300, 900), rng.integers(1000, 2000))),
    _sizes_probe("D = 1", lambda rng: (1, rng.integers(4, 20))),
    _sizes_probe("H = 1", lambda rng: (rng.integers(4, 20), 1)),
)


def _answer(output: str, function: str) -> Callable[[Mapping], Outputs]:
    def answer(inputs: Mapping) -> Outputs:
        from autograder.course import reference

        result = getattr(reference, function)(**tensors(inputs))
        return {output: result.numpy()}

    return answer


def _answer_flip(inputs: Mapping) -> Outputs:
    from autograder.course import reference

    flipped = reference.flip_update_gate(tensors(inputs)["params"])
    return {key: value.numpy() for key, value in flipped.items() if key in HOUSE_KEYS}


def _answer_torch_step(inputs: Mapping) -> Outputs:
    from autograder.course import reference

    given = tensors(inputs)
    x, h_prev = given.pop("x"), given.pop("h_prev")
    params = reference.params_from_torch(**given)
    return {"h": reference.gru_step(x, h_prev, params, "keep", "after").numpy()}


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

    outputs, _, _ = call_layer(Library, {**inputs, "device": "cpu"}, GRU_LAYER_RETURNS)
    return outputs


def _answer_count(inputs: Mapping) -> Outputs:
    import torch

    from autograder.course import reference

    with torch.device("meta"):
        layer = reference.GRU(inputs["input_size"], inputs["hidden_size"])
    return {"count": np.asarray(sum(p.numel() for p in layer.parameters()), dtype=np.int64)}


HOUSE_KEYS = ("W_z", "b_z", "W_r", "b_r", "W_h", "b_h")
GRU_LAYER_RETURNS = TensorPair(("hs", "h_last"))


def _update(x, h_prev, params):
    return sigmoid(affine(h_prev, x, params, "z"))


def _reset(x, h_prev, params):
    return sigmoid(affine(h_prev, x, params, "r"))


def _candidate(x, h_prev, r, params):
    return np.tanh(affine(r * h_prev, x, params, "h"))


def right_step(x, h_prev, params, update=_update, reset=_reset, candidate=_candidate):
    z = update(x, h_prev, params)
    r = reset(x, h_prev, params)
    return (1 - z) * h_prev + z * candidate(x, h_prev, r, params)


def _forward(xs, h0, params, step=right_step):
    return walk(xs, h0, params, step)


_UPDATE_MISTAKES = gate_mistakes(
    "z",
    UPDATE_GATE,
    others=(("the reset gate's", "r"), ("the candidate's", "h")),
    complement=TWO_CONVENTIONS,
)
_RESET_MISTAKES = gate_mistakes(
    "r", RESET_GATE, others=(("the update gate's", "z"), ("the candidate's", "h"))
)


def _reset_after(x, h_prev, r, params):
    W_hn, W_in = split(params, "h", h_prev)
    return np.tanh(x @ W_in.T + r * (h_prev @ W_hn.T) + params["b_h"])


def _reset_after_with_bias(x, h_prev, r, params):
    W_hn, W_in = split(params, "h", h_prev)
    return np.tanh(x @ W_in.T + r * (h_prev @ W_hn.T + params["b_h"]))


def _reset_on_input(x, h_prev, r, params):
    W_hn, W_in = split(params, "h", h_prev)
    return np.tanh(h_prev @ W_hn.T + r * (x @ W_in.T) + params["b_h"])


def _no_candidate_bias(x, h_prev, r, params):
    return np.tanh(join(r * h_prev, x) @ params["W_h"].T)


def _candidate_reshaped(x, h_prev, r, params):
    W_reshaped = params["W_h"].reshape(params["W_h"].shape[::-1])
    return np.tanh(join(r * h_prev, x) @ W_reshaped + params["b_h"])


def _candidate_mistake(name, says, wrong, where=CANDIDATE, part="candidate"):
    return Mistake(name, says, wrong, where, part)


_CANDIDATE_MISTAKES = (
    _candidate_mistake(
        "reset after the matrix product",
        "You multiply r into W_h h_prev, as PyTorch does; here r multiplies h_prev first. "
        "These are two different models.",
        _reset_after,
        TWO_RESETS,
        "r",
    ),
    _candidate_mistake(
        "reset after the matrix product, bias included",
        "You multiply r into W_h h_prev + b_h; here r multiplies h_prev before the product, "
        "and the bias stays outside.",
        _reset_after_with_bias,
        TWO_RESETS,
        "r",
    ),
    _candidate_mistake(
        "bias subtracted",
        "The bias b_h is subtracted; the equation adds it.",
        lambda x, h_prev, r, params: np.tanh(join(r * h_prev, x) @ params["W_h"].T - params["b_h"]),
    ),
    *(
        _candidate_mistake(
            f"{whose} bias",
            f"You add b_{key}; the candidate has a bias of its own, b_h. The weights are right.",
            lambda x, h_prev, r, params, key=key: np.tanh(
                join(r * h_prev, x) @ params["W_h"].T + params[f"b_{key}"]
            ),
        )
        for whose, key in (("the update gate's", "z"), ("the reset gate's", "r"))
    ),
    _candidate_mistake(
        "reset gate not applied",
        "r has no influence: the candidate sees the whole previous state.",
        lambda x, h_prev, r, params: np.tanh(affine(h_prev, x, params, "h")),
        part="r",
    ),
    _candidate_mistake(
        "reset gate applied to the input",
        "r multiplies the input's share; it decides about the previous state: r * h_prev.",
        _reset_on_input,
        part="r",
    ),
    _candidate_mistake(
        "reset gate applied to state and input",
        "r scales the whole weighted sum, input included; it multiplies only h_prev.",
        lambda x, h_prev, r, params: np.tanh(
            r * (join(h_prev, x) @ params["W_h"].T) + params["b_h"]
        ),
        part="r",
    ),
    _candidate_mistake(
        "reset gate applied after tanh",
        "r multiplies the finished candidate; it multiplies h_prev, inside tanh.",
        lambda x, h_prev, r, params: r * np.tanh(affine(h_prev, x, params, "h")),
        part="r",
    ),
    _candidate_mistake(
        "1 - r for r",
        "You multiply h_prev by 1 - r; r near 1 lets the state through.",
        lambda x, h_prev, r, params: _candidate(x, h_prev, 1 - r, params),
        part="r",
    ),
    _candidate_mistake(
        "reset gate added",
        "You add r to h_prev; a gate multiplies, element by element.",
        lambda x, h_prev, r, params: np.tanh(affine(r + h_prev, x, params, "h")),
        part="r",
    ),
    _candidate_mistake(
        "matrix product for the elementwise product",
        "`r @ h_prev` is a matrix product; the reset gate multiplies element by element: `*`.",
        lambda x, h_prev, r, params: np.tanh(affine(r @ h_prev, x, params, "h")),
        part="r",
    ),
    _candidate_mistake(
        "input and state in the wrong order",
        "You join [x, r * h_prev]; the columns of W_h expect the hidden part first.",
        lambda x, h_prev, r, params: np.tanh(join(x, r * h_prev) @ params["W_h"].T + params["b_h"]),
    ),
    _candidate_mistake(
        "bias missing", "The bias b_h is not added before tanh.", _no_candidate_bias
    ),
    _candidate_mistake(
        "bias outside tanh",
        "The bias b_h is added after tanh; it belongs inside.",
        lambda x, h_prev, r, params: _no_candidate_bias(x, h_prev, r, params) + params["b_h"],
    ),
    _candidate_mistake(
        "sigmoid for tanh",
        "You squash with the sigmoid; the candidate lies in (-1, 1) and needs tanh.",
        lambda x, h_prev, r, params: sigmoid(affine(r * h_prev, x, params, "h")),
    ),
    _candidate_mistake(
        "no tanh",
        "You return the weighted sum itself; the tanh around it is missing.",
        lambda x, h_prev, r, params: affine(r * h_prev, x, params, "h"),
    ),
    _candidate_mistake(
        "the reset gate's weights",
        "You use W_r and b_r; the candidate has its own, W_h and b_h.",
        lambda x, h_prev, r, params: np.tanh(affine(r * h_prev, x, params, "r")),
    ),
    _candidate_mistake(
        "the update gate's weights",
        "You use W_z and b_z; the candidate has its own, W_h and b_h.",
        lambda x, h_prev, r, params: np.tanh(affine(r * h_prev, x, params, "z")),
    ),
    _candidate_mistake(
        "reshape for transpose",
        "W_h is reshaped to (H + D, H); that scrambles its entries. Transpose it: W_h.T.",
        _candidate_reshaped,
    ),
    _candidate_mistake(
        "x ignored",
        "The input has no influence on your candidate.",
        lambda x, h_prev, r, params: np.tanh(
            (r * h_prev) @ split(params, "h", h_prev)[0].T + params["b_h"]
        ),
    ),
)


def _state_mistake(name, says, wrong, where=NEW_STATE, part="state"):
    return Mistake(name, says, wrong, where, part)


def _pieces(x, h_prev, params):
    z, r = _update(x, h_prev, params), _reset(x, h_prev, params)
    return z, r, _candidate(x, h_prev, r, params)


def _keep_convention(x, h_prev, params):
    z, _, candidate = _pieces(x, h_prev, params)
    return z * h_prev + (1 - z) * candidate


def _gates_swapped(x, h_prev, params):
    return right_step(x, h_prev, params, update=_reset, reset=_update)


def _candidate_as_state(x, h_prev, params):
    return _pieces(x, h_prev, params)[2]


def _not_blended(x, h_prev, params):
    z, _, candidate = _pieces(x, h_prev, params)
    return h_prev + z * candidate


def _only_new(x, h_prev, params):
    z, _, candidate = _pieces(x, h_prev, params)
    return z * candidate


def _squashed_again(x, h_prev, params):
    return np.tanh(right_step(x, h_prev, params))


def _blend_of_reset_state(x, h_prev, params):
    z, r, candidate = _pieces(x, h_prev, params)
    return (1 - z) * (r * h_prev) + z * candidate


def _update_sees_reset_state(x, h_prev, params):
    z, r, candidate = _pieces(x, h_prev, params)
    z = _update(x, r * h_prev, params)
    return (1 - z) * h_prev + z * candidate


def _update_as_matrix(x, h_prev, params):
    z, _, candidate = _pieces(x, h_prev, params)
    return (1 - z) @ h_prev + z @ candidate


def _torch_equations(x, h_prev, params):
    z, r = _update(x, h_prev, params), _reset(x, h_prev, params)
    return z * h_prev + (1 - z) * _reset_after(x, h_prev, r, params)


def _candidate_not_scaled(x, h_prev, params):
    z, _, candidate = _pieces(x, h_prev, params)
    return (1 - z) * h_prev + candidate


def _candidate_subtracted(x, h_prev, params):
    z, _, candidate = _pieces(x, h_prev, params)
    return (1 - z) * h_prev - z * candidate


def _kept_share_negative(x, h_prev, params):
    z, _, candidate = _pieces(x, h_prev, params)
    return (z - 1) * h_prev + z * candidate


def _same_share(x, h_prev, params):
    z, _, candidate = _pieces(x, h_prev, params)
    return z * h_prev + z * candidate


def _without_biases(x, h_prev, params):
    silent = {key: 0.0 * value if key[0] == "b" else value for key, value in params.items()}
    return right_step(x, h_prev, silent)


_OWN_STEP_MISTAKES = (
    _state_mistake(
        "z and 1 - z swapped",
        "Your step keeps where z is near 1, as Cho et al. and PyTorch do; here z near 1 "
        "replaces: (1 - z) * h_prev + z * candidate.",
        _keep_convention,
        TWO_CONVENTIONS,
    ),
    _state_mistake(
        "PyTorch's equations",
        "Your step computes PyTorch's GRU: z keeps, and r comes after the matrix product. "
        "Here z replaces, and r multiplies h_prev first.",
        _torch_equations,
        TWO_RESETS,
    ),
    _state_mistake(
        "update and reset gates exchanged",
        "z does the work of r and r the work of z: their weights, or their places, are swapped.",
        _gates_swapped,
        part="z",
    ),
    _state_mistake(
        "candidate returned as state",
        "You return the candidate; the new state blends it with h_prev by z.",
        _candidate_as_state,
    ),
    _state_mistake(
        "old state not scaled",
        "You add z * candidate to the whole h_prev; h_prev keeps only its share 1 - z.",
        _not_blended,
    ),
    _state_mistake(
        "old state missing",
        "Your new state is z * candidate; the kept share (1 - z) * h_prev is missing.",
        _only_new,
    ),
    _state_mistake(
        "candidate not scaled",
        "You add the whole candidate to (1 - z) * h_prev; the candidate's share is z.",
        _candidate_not_scaled,
    ),
    _state_mistake(
        "candidate subtracted",
        "You subtract z * candidate from the kept share; the two shares are added.",
        _candidate_subtracted,
    ),
    _state_mistake(
        "z - 1 for 1 - z",
        "You weight h_prev with z - 1, which is negative; its share is 1 - z.",
        _kept_share_negative,
    ),
    _state_mistake(
        "z for both shares",
        "h_prev and the candidate both get the share z; what h_prev keeps is 1 - z.",
        _same_share,
    ),
    _state_mistake(
        "all biases missing",
        "None of the three biases, b_z, b_r and b_h, is added.",
        _without_biases,
        part=None,
    ),
    _state_mistake(
        "tanh applied to the state",
        "The blend is squashed once more by tanh; it is the new state as it stands.",
        _squashed_again,
    ),
    _state_mistake(
        "reset state blended",
        "You blend r * h_prev; r only changes what the candidate sees, the blend takes h_prev.",
        _blend_of_reset_state,
    ),
    _state_mistake(
        "update gate reads the reset state",
        "z is computed from r * h_prev; both gates read h_prev itself.",
        _update_sees_reset_state,
        part="z",
    ),
    _state_mistake(
        "matrix product for the elementwise product",
        "`z @ candidate` is a matrix product; the blend multiplies element by element: `*`.",
        _update_as_matrix,
    ),
)

STEP_MISTAKES = (
    *_OWN_STEP_MISTAKES,
    # 1 - z in the update gate gives the same states as a swapped blend: one entry for both.
    *lift(
        _UPDATE_MISTAKES,
        "in the update gate",
        lambda wrong, **i: right_step(**i, update=wrong),
        skip=("z and 1 - z swapped",),
    ),
    # likewise 1 - r
    *lift(
        _RESET_MISTAKES,
        "in the reset gate",
        lambda wrong, **i: right_step(**i, reset=wrong),
        skip=("r and 1 - r swapped",),
    ),
    *lift(
        _CANDIDATE_MISTAKES, "in the candidate", lambda wrong, **i: right_step(**i, candidate=wrong)
    ),
)


_OWN_FORWARD_MISTAKES = time_mistakes(right_step, THROUGH_TIME)

_FORWARD_MISTAKES = (
    *_OWN_FORWARD_MISTAKES,
    *lift(STEP_MISTAKES, "in the step", lambda wrong, **i: _forward(**i, step=_named(wrong))),
)


def _named(step: Callable) -> Callable:
    return lambda x, h_prev, params: step(x=x, h_prev=h_prev, params=params)


def _negated(*keys: str) -> Callable:
    return lambda params: {
        key: -value if key in keys else value.copy() for key, value in params.items()
    }


def _one_minus(params):
    return {**params, "W_z": 1 - params["W_z"], "b_z": 1 - params["b_z"]}


def _swapped_entries(params):
    return {**params, "W_z": params["W_r"], "b_z": params["b_r"]}


def _flip_in_place(params):
    params["W_z"] *= -1
    params["b_z"] *= -1
    return params


def _only_flipped(params):
    return {"W_z": -params["W_z"], "b_z": -params["b_z"]}


def _flip_hidden_only(params):
    W = params["W_z"].copy()
    W[:, : W.shape[0]] *= -1
    return {**params, "W_z": W, "b_z": -params["b_z"]}


def _inverse_bias(params):
    return {**params, "W_z": -params["W_z"], "b_z": 1 - params["b_z"]}


def _flip_mistake(name, says, wrong):
    return Mistake(name, says, wrong, TWO_CONVENTIONS, part="z")


_FLIP_MISTAKES = (
    _flip_mistake(
        "bias not flipped",
        "W_z changes its sign but b_z does not; 1 - sigmoid(a) = sigmoid(-a) needs all of a.",
        _negated("W_z"),
    ),
    _flip_mistake(
        "weights not flipped",
        "b_z changes its sign but W_z does not; 1 - sigmoid(a) = sigmoid(-a) needs all of a.",
        _negated("b_z"),
    ),
    _flip_mistake("nothing flipped", "The parameters come back unchanged.", _negated()),
    _flip_mistake(
        "1 - W for -W",
        "You return 1 - W_z and 1 - b_z; it is the gate that becomes 1 - z, the weights change sign.",
        _one_minus,
    ),
    _flip_mistake(
        "1 - b for -b",
        "You return 1 - b_z; like W_z, the bias only changes its sign.",
        _inverse_bias,
    ),
    _flip_mistake(
        "reset gate flipped",
        "You change the sign of W_r and b_r; the update gate is W_z and b_z.",
        _negated("W_r", "b_r"),
    ),
    _flip_mistake(
        "both gates flipped",
        "The reset gate changes sign too; only the update gate differs between the conventions.",
        _negated("W_z", "b_z", "W_r", "b_r"),
    ),
    _flip_mistake(
        "candidate flipped too",
        "W_h and b_h change sign too; only the update gate differs between the conventions.",
        _negated("W_z", "b_z", "W_h", "b_h"),
    ),
    _flip_mistake(
        "all parameters flipped",
        "Everything changes sign; only the update gate differs between the conventions.",
        _negated(*HOUSE_KEYS),
    ),
    _flip_mistake(
        "update gate replaced by the reset gate",
        "W_z and b_z are filled with W_r and b_r; flip their sign instead.",
        _swapped_entries,
    ),
    _flip_mistake(
        "only the recurrent part flipped",
        "Only the columns of W_z that meet h_prev change sign; those that meet x must too.",
        _flip_hidden_only,
    ),
    _flip_mistake(
        "only the flipped entries returned",
        "The returned dict holds W_z and b_z alone; the other parameters belong in it too.",
        _only_flipped,
    ),
    _flip_mistake(
        "params modified in place",
        "The result is right, but the given dict was changed too; return a new one.",
        _flip_in_place,
    ),
)


def _torch_gates(x, h_prev, weight_ih, weight_hh, bias_ih, bias_hh, order="rzn"):
    """The six pre-activations, input and recurrent, by gate name."""
    from_x = np.split(x @ weight_ih.T + bias_ih, 3, axis=-1)
    from_h = np.split(h_prev @ weight_hh.T + bias_hh, 3, axis=-1)
    return dict(zip(order, from_x, strict=True)), dict(zip(order, from_h, strict=True))


def _torch_cell(
    x,
    h_prev,
    weight_ih,
    weight_hh,
    bias_ih,
    bias_hh,
    order="rzn",
    candidate=lambda i, h, r: np.tanh(i + r * h),
    blend=lambda z, n, h: (1 - z) * n + z * h,
    gate=sigmoid,
):
    i, h = _torch_gates(x, h_prev, weight_ih, weight_hh, bias_ih, bias_hh, order)
    r, z = gate(i["r"] + h["r"]), gate(i["z"] + h["z"])
    return blend(z, candidate(i["n"], h["n"], r), h_prev)


def _torch_cell_with(**changes) -> Callable:
    return lambda **inputs: _torch_cell(**inputs, **changes)


def _reset_before_torch(x, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    i, h = _torch_gates(x, h_prev, weight_ih, weight_hh, bias_ih, bias_hh)
    r, z = sigmoid(i["r"] + h["r"]), sigmoid(i["z"] + h["z"])
    H = h_prev.shape[-1]
    n = np.tanh(i["n"] + (r * h_prev) @ weight_hh[2 * H :].T + bias_hh[2 * H :])
    return (1 - z) * n + z * h_prev


def _own_step_in_torch(x, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    i, h = _torch_gates(x, h_prev, weight_ih, weight_hh, bias_ih, bias_hh)
    r, z = sigmoid(i["r"] + h["r"]), sigmoid(i["z"] + h["z"])
    H = h_prev.shape[-1]
    n = np.tanh(i["n"] + (r * h_prev) @ weight_hh[2 * H :].T + bias_hh[2 * H :])
    return (1 - z) * h_prev + z * n


def _bias_outside(x, h_prev, weight_ih, weight_hh, bias_ih, bias_hh):
    H = h_prev.shape[-1]
    b_hn = bias_hh[2 * H :]
    return _torch_cell(
        x,
        h_prev,
        weight_ih,
        weight_hh,
        bias_ih,
        bias_hh,
        candidate=lambda i, h, r: np.tanh(i + r * (h - b_hn) + b_hn),
    )


def _dropped(name: str, rows: slice | None = None) -> Callable:
    def without(**inputs):
        bias = inputs[name].copy()
        H = inputs["h_prev"].shape[-1]
        bias[slice(None) if rows is None else slice(rows.start * H, rows.stop * H)] = 0.0
        return _torch_cell(**{**inputs, name: bias})

    return without


def _no_biases(**inputs):
    zeros = np.zeros_like(inputs["bias_ih"])
    return _torch_cell(**{**inputs, "bias_ih": zeros, "bias_hh": zeros})


def _recurrent_not_transposed(**inputs):
    H = inputs["h_prev"].shape[-1]
    blocks = [inputs["weight_hh"][k * H : (k + 1) * H].T for k in range(3)]
    return _torch_cell(**{**inputs, "weight_hh": np.concatenate(blocks)})


def _biases_swapped(**inputs):
    swapped = {"bias_ih": inputs["bias_hh"], "bias_hh": inputs["bias_ih"]}
    return _torch_cell(**{**inputs, **swapped})


def _interleaved(**inputs):
    H = inputs["h_prev"].shape[-1]
    order = np.arange(3 * H).reshape(H, 3).T.ravel()
    rows = {k: inputs[k][order] for k in ("weight_ih", "weight_hh", "bias_ih", "bias_hh")}
    return _torch_cell(**{**inputs, **rows})


def _torch_mistake(name, says, wrong, where=LAYER, part=None):
    return Mistake(name, says, wrong, where, part)


def _keep_to_replace(z, n, h):
    return (1 - z) * h + z * n


_TORCH_CHANGES = (
    # name, diagnosis, section, part, changes to the cell
    (
        "z and 1 - z swapped",
        "Your z replaces, as in the course's own convention; in PyTorch z near 1 keeps: "
        "(1 - z) * n + z * h_prev.",
        TWO_CONVENTIONS,
        "state",
        {"blend": _keep_to_replace},
    ),
    (
        "gates read in the order z, r, n",
        "You read the rows as z, r, n (Keras's order); torch stacks them r, z, n.",
        LAYER,
        "z",
        {"order": "zrn"},
    ),
    (
        "gates read in the order r, n, z",
        "You read the rows as r, n, z; torch stacks them r, z, n.",
        LAYER,
        "z",
        {"order": "rnz"},
    ),
    (
        "gates read in the order z, n, r",
        "You read the rows as z, n, r; torch stacks them r, z, n.",
        LAYER,
        "z",
        {"order": "znr"},
    ),
    (
        "gates read in the order n, z, r",
        "You read the rows as n, z, r; torch stacks them r, z, n.",
        LAYER,
        "r",
        {"order": "nzr"},
    ),
    (
        "gates read in the order n, r, z",
        "You read the rows as n, r, z; torch stacks them r, z, n.",
        LAYER,
        "z",
        {"order": "nrz"},
    ),
    (
        "reset gate not applied",
        "r has no influence: in PyTorch it multiplies W_hn h_prev + b_hn.",
        TWO_RESETS,
        "r",
        {"candidate": lambda i, h, r: i + h},
    ),
    (
        "reset gate applied to the input",
        "r multiplies W_in x + b_in; it belongs to the recurrent part, W_hn h_prev + b_hn.",
        TWO_RESETS,
        "r",
        {"candidate": lambda i, h, r: r * i + h},
    ),
    (
        "reset gate applied to both parts",
        "r multiplies the whole sum; it belongs to the recurrent part alone.",
        TWO_RESETS,
        "r",
        {"candidate": lambda i, h, r: r * (i + h)},
    ),
    (
        "1 - r for r",
        "You multiply by 1 - r; r near 1 lets the recurrent part through.",
        TWO_RESETS,
        "r",
        {"candidate": lambda i, h, r: i + (1 - r) * h},
    ),
    (
        "candidate returned as state",
        "You return n; the new state is (1 - z) * n + z * h_prev.",
        LAYER,
        "state",
        {"blend": lambda z, n, h: n},
    ),
    (
        "old state not scaled",
        "You add (1 - z) * n to the whole h_prev; h_prev keeps only its share z.",
        LAYER,
        "state",
        {"blend": lambda z, n, h: (1 - z) * n + h},
    ),
    (
        "old state missing",
        "Your new state is (1 - z) * n; the kept share z * h_prev is missing.",
        LAYER,
        "state",
        {"blend": lambda z, n, h: (1 - z) * n},
    ),
)


def _numpy_candidate(changes: dict) -> dict:
    """Wrap the candidate's argument in NumPy's tanh; the layers use torch's."""
    if "candidate" not in changes:
        return changes
    inside = changes["candidate"]
    return {"candidate": lambda i, h, r: np.tanh(inside(i, h, r))}


_TORCH_STEP_MISTAKES = (
    *(
        _torch_mistake(name, says, _torch_cell_with(**_numpy_candidate(changes)), where, part)
        for name, says, where, part, changes in _TORCH_CHANGES
    ),
    _torch_mistake(
        "reset before the matrix product",
        "You multiply r * h_prev before the product, as in the course's own step; PyTorch "
        "multiplies r into W_hn h_prev + b_hn. These are two different models.",
        _reset_before_torch,
        TWO_RESETS,
        "r",
    ),
    _torch_mistake(
        "b_hn outside the reset product",
        "r multiplies W_hn h_prev only; b_hn stands inside the bracket with it.",
        _bias_outside,
        TWO_RESETS,
        "r",
    ),
    _torch_mistake("bias_ih dropped", "bias_ih has no influence.", _dropped("bias_ih")),
    _torch_mistake("bias_hh dropped", "bias_hh has no influence.", _dropped("bias_hh")),
    _torch_mistake(
        "both biases dropped",
        "Neither bias_ih nor bias_hh has an influence.",
        _no_biases,
    ),
    _torch_mistake(
        "the course's own step",
        "Your z replaces and r comes before the matrix product, as in the course's own step; in "
        "PyTorch z keeps, and r multiplies W_hn h_prev + b_hn.",
        _own_step_in_torch,
        TWO_RESETS,
        "state",
    ),
    _torch_mistake(
        "gates read in the order z, r, n, and z and 1 - z swapped",
        "Two things at once: you read the rows as z, r, n, but torch stacks them r, z, n; and "
        "your z replaces, but in PyTorch z near 1 keeps.",
        _torch_cell_with(order="zrn", blend=_keep_to_replace),
        part="z",
    ),
    _torch_mistake(
        "b_hn dropped",
        "The last third of bias_hh, b_hn, has no influence.",
        _dropped("bias_hh", slice(2, 3)),
        part="candidate",
    ),
    _torch_mistake(
        "b_in dropped",
        "The last third of bias_ih, b_in, has no influence.",
        _dropped("bias_ih", slice(2, 3)),
        part="candidate",
    ),
    _torch_mistake(
        "the two biases exchanged",
        "bias_ih and bias_hh are exchanged; for n that matters, since r multiplies only b_hn.",
        _biases_swapped,
        part="candidate",
    ),
    _torch_mistake(
        "recurrent weights not transposed",
        "Each H × H block of weight_hh is used without its transpose; it is square, so no shape "
        "complains. Use h_prev @ weight_hh.T.",
        _recurrent_not_transposed,
    ),
    _torch_mistake(
        "rows read interleaved",
        "You take every third row; the gates are stacked in blocks of H rows.",
        _interleaved,
    ),
    _torch_mistake(
        "sigmoid for tanh",
        "The candidate n is squashed with the sigmoid; it needs tanh.",
        _torch_cell_with(candidate=lambda i, h, r: sigmoid(i + r * h)),
        part="candidate",
    ),
    _torch_mistake(
        "no tanh",
        "The tanh around the candidate n is missing.",
        _torch_cell_with(candidate=lambda i, h, r: i + r * h),
        part="candidate",
    ),
    _torch_mistake(
        "tanh for sigmoid",
        "The gates are squashed with tanh; they need the sigmoid.",
        _torch_cell_with(gate=np.tanh),
        part="z",
    ),
    *contract_mistakes(_torch_cell, None, LAYER, "h_prev"),
)


def _wrong_layer(kind: str, **options) -> Callable:
    """A factory that stands for a wrong GRULayer class; torch loads when it is first called."""

    def build(input_size, hidden_size):
        from autograder.course.exercises.gru_layers import WRONG

        return WRONG[kind](input_size, hidden_size, **options)

    return build


def _layer_mistake(name, says, wrong, section=LAYER, part=None):
    return Mistake(name, says, wrong, section, part)


_LAYER_MISTAKES = (
    *(
        _layer_mistake(name, says, _wrong_layer("cell", **changes), where, part)
        for name, says, where, part, changes in _TORCH_CHANGES
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


def _count_mistake(name, says, wrong):
    return Mistake(name, says, wrong, COUNTING)


_COUNT_MISTAKES = (
    _count_mistake(
        "four gates",
        "You count four blocks, as in an LSTM; a GRU has three.",
        lambda input_size, hidden_size: (
            4 * (input_size * hidden_size + hidden_size**2 + hidden_size)
        ),
    ),
    _count_mistake(
        "candidate forgotten",
        "You count the two gates; the candidate has weights and a bias of its own.",
        lambda input_size, hidden_size: (
            2 * (input_size * hidden_size + hidden_size**2 + hidden_size)
        ),
    ),
    _count_mistake(
        "two biases per gate",
        "That is what PyTorch allocates; the formula has one bias per gate.",
        lambda input_size, hidden_size: (
            3 * (input_size * hidden_size + hidden_size**2 + 2 * hidden_size)
        ),
    ),
    _count_mistake(
        "biases forgotten",
        "The three biases of H entries each are missing.",
        lambda input_size, hidden_size: 3 * (input_size * hidden_size + hidden_size**2),
    ),
    _count_mistake(
        "one bias entry per gate",
        "A bias has one entry per unit, H of them, not one per gate.",
        lambda input_size, hidden_size: 3 * (input_size * hidden_size + hidden_size**2 + 1),
    ),
    _count_mistake(
        "input and hidden size exchanged",
        "The recurrent block is H × H, not D × D: the two sizes are exchanged.",
        lambda input_size, hidden_size: 3 * (input_size * hidden_size + input_size**2 + input_size),
    ),
    _count_mistake(
        "recurrent weights forgotten",
        "The H × H recurrent weights are missing.",
        lambda input_size, hidden_size: 3 * (input_size * hidden_size + hidden_size),
    ),
    _count_mistake(
        "input weights forgotten",
        "The H × D input weights are missing.",
        lambda input_size, hidden_size: 3 * (hidden_size**2 + hidden_size),
    ),
    _count_mistake(
        "only one gate",
        "You count one block; the GRU has three: z, r and the candidate.",
        lambda input_size, hidden_size: input_size * hidden_size + hidden_size**2 + hidden_size,
    ),
    _count_mistake(
        "count as a float",
        "The number is right, but a count is an int.",
        lambda input_size, hidden_size: (
            3.0 * (input_size * hidden_size + hidden_size**2 + hidden_size)
        ),
    ),
)


EXERCISES = (
    gru_exercise(
        name="update_gate",
        assignment="gru",
        signature="update_gate(x, h_prev, params) -> z",
        points=2,
        section=UPDATE_GATE,
        equation="z = σ([h_prev, x] W_zᵀ + b_z)",
        hints=(
            "Join h_prev and x along the last axis, the hidden part first.",
            "W_z is (H, H + D), so the joined (B, H + D) meets its transpose.",
        ),
        returns=Array("z"),
        probes=_gate_probes("z"),
        answer=_answer("z", "update_gate"),
        mistakes=(
            *_UPDATE_MISTAKES,
            *contract_mistakes(_update, "z", UPDATE_GATE, "x", "h_prev"),
        ),
        parts=TERMS,
        part="z",
    ),
    gru_exercise(
        name="reset_gate",
        assignment="gru",
        signature="reset_gate(x, h_prev, params) -> r",
        points=2,
        section=RESET_GATE,
        equation="r = σ([h_prev, x] W_rᵀ + b_r)",
        hints=(
            "The reset gate is built like the update gate, from weights of its own.",
            "W_r is (H, H + D), so the joined (B, H + D) meets its transpose.",
        ),
        returns=Array("r"),
        probes=_gate_probes("r"),
        answer=_answer("r", "reset_gate"),
        mistakes=(
            *_RESET_MISTAKES,
            *contract_mistakes(_reset, "r", RESET_GATE, "x", "h_prev"),
        ),
        parts=TERMS,
        part="r",
    ),
    gru_exercise(
        name="candidate_state",
        assignment="gru",
        signature="candidate_state(x, h_prev, r, params) -> h_cand",
        points=3,
        section=CANDIDATE,
        equation="h̃ = tanh([r ∗ h_prev, x] W_hᵀ + b_h)",
        hints=(
            "r multiplies h_prev element by element, before anything else happens.",
            "Then the same three moves as in a gate: join, multiply by W_hᵀ, add b_h.",
        ),
        returns=Array("h_cand"),
        probes=_candidate_probes(),
        answer=_answer("h_cand", "candidate_state"),
        mistakes=(
            *_CANDIDATE_MISTAKES,
            *contract_mistakes(_candidate, "candidate", CANDIDATE, "h_prev", "r"),
        ),
        parts=TERMS,
        part="candidate",
    ),
    gru_exercise(
        name="gru_step",
        assignment="gru",
        signature="gru_step(x, h_prev, params) -> h",
        points=3,
        section=NEW_STATE,
        equation="h = (1 − z) ∗ h_prev + z ∗ h̃",
        hints=(
            "Compute z, r and the candidate with the functions you have written.",
            "z near 1 replaces: the candidate gets z, the old state what is left.",
        ),
        returns=Array("h"),
        probes=_STEP_PROBES,
        answer=_answer("h", "gru_step"),
        mistakes=(*STEP_MISTAKES, *contract_mistakes(right_step, "state", NEW_STATE, "h_prev")),
        parts=PARTS,
        builds_on=("update_gate", "reset_gate", "candidate_state"),
    ),
    gru_exercise(
        name="gru_forward",
        assignment="gru",
        signature="gru_forward(xs, h0, params) -> hs",
        points=3,
        section=THROUGH_TIME,
        equation="h_t = gru_step(x_t, h_(t−1)), for t = 1 … T, from h_0",
        hints=(
            "One step per entry of xs; each starts from the state the last one returned.",
            "Collect the states in a list and stack them along a new first axis.",
        ),
        returns=Array("hs"),
        probes=sequence_families(_sequence_inputs),
        answer=_answer("hs", "gru_forward"),
        mistakes=(
            *_FORWARD_MISTAKES,
            *contract_mistakes(_forward, "carry", THROUGH_TIME, "xs", "h0"),
        ),
        parts=FORWARD_PARTS,
        builds_on=("gru_step",),
    ),
    gru_exercise(
        name="flip_update_gate",
        assignment="gru",
        signature="flip_update_gate(params) -> params",
        points=2,
        section=TWO_CONVENTIONS,
        equation="1 − σ(a) = σ(−a), with a = [h_prev, x] W_zᵀ + b_z",
        hints=(
            "Which parameters make up a? All of them change sign, no others do.",
            "Start from a new dict, for instance dict(params), and replace entries in it.",
        ),
        returns=Params(HOUSE_KEYS),
        probes=(
            Probe(
                "H ≠ D", lambda rng: {"params": gated_params(rng, "zrh", *different_sizes(rng, 2))}
            ),
            Probe(
                "H = D",
                lambda rng: {
                    "params": gated_params(rng, "zrh", *different_sizes(rng, 1, 3, 5) * 2)
                },
            ),
            Probe(
                "an extra entry",
                lambda rng: {
                    "params": gated_params(rng, "zrh", *different_sizes(rng, 2))
                    | {"b_hn": biases(rng, 3)}
                },
            ),
        ),
        answer=_answer_flip,
        mistakes=_FLIP_MISTAKES,
        tolerance=1e-15,
        why_tolerance="a change of sign is exact",
    ),
    gru_exercise(
        name="gru_step_torch",
        assignment="gru",
        signature="gru_step_torch(x, h_prev, weight_ih, weight_hh, bias_ih, bias_hh) -> h",
        points=4,
        section=LAYER,
        equation="n = tanh(W_in x + b_in + r ∗ (W_hn h_prev + b_hn)),  h = (1 − z) ∗ n + z ∗ h_prev",
        hints=(
            "np.split(…, 3) cuts the stacked rows into r, z and n.",
            "For r and z the two biases simply add; for n, b_hn stays with the recurrent part.",
        ),
        returns=Array("h"),
        probes=_TORCH_STEP_PROBES,
        answer=_answer_torch_step,
        mistakes=_TORCH_STEP_MISTAKES,
        parts=PARTS,
    ),
    gru_exercise(
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
        returns=GRU_LAYER_RETURNS,
        probes=_LAYER_PROBES,
        answer=_answer_layer,
        mistakes=_LAYER_MISTAKES,
        parts=LAYER_PARTS,
        call=call_layer,
        needs_torch=True,
        reference="torch.nn.GRU, torch {torch}, float64 on the CPU",
    ),
    gru_exercise(
        name="count_gru_parameters",
        assignment="gru",
        signature="count_gru_parameters(input_size, hidden_size) -> int",
        points=1,
        section=COUNTING,
        equation="3 (D H + H H + H)",
        hints=(
            "One block has W of shape (H, H + D) and b of shape (H,).",
            "How many blocks does a GRU have, counting the candidate?",
        ),
        returns=Integer("count"),
        probes=_COUNT_PROBES,
        answer=_answer_count,
        mistakes=_COUNT_MISTAKES,
        tolerance=0.0,
        why_tolerance="a count is exact",
    ),
)
