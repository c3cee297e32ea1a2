"""The example worked on paper agrees with the reference, line by line."""

import pytest

from autograder.course import hand_example

torch = pytest.importorskip("torch")


def test_every_worked_line_is_what_the_reference_computes():
    from autograder.course import reference

    x, h_prev, params = hand_example.arrays()
    x, h_prev = torch.tensor(x), torch.tensor(h_prev)
    params = {name: torch.tensor(value) for name, value in params.items()}
    z = reference.update_gate(x, h_prev, params)
    r = reference.reset_gate(x, h_prev, params)
    candidate = reference.candidate_state(x, h_prev, r, params)
    lines = {
        "sum_z": torch.logit(z),
        "z": z,
        "sum_r": torch.logit(r),
        "r": r,
        "reset_state": r * h_prev,
        "sum_candidate": torch.atanh(candidate),
        "candidate": candidate,
        "h": reference.gru_step(x, h_prev, params),
    }
    assert lines.keys() == hand_example.WORKED.keys()
    for name, value in lines.items():
        worked = torch.tensor(hand_example.WORKED[name], dtype=torch.float64)
        error = (worked - value).abs().max().item()
        assert error < hand_example.WORKED_TOLERANCE, (name, error)


def test_the_sums_of_the_gates_are_whole_numbers():
    for name in ("sum_z", "sum_r"):
        for value in hand_example.WORKED[name][0]:
            assert value == int(value)
