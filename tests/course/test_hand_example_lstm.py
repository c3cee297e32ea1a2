"""The LSTM step worked on paper agrees with the reference, line by line."""

import pytest

from autograder.course import hand_example_lstm as example

torch = pytest.importorskip("torch")


def test_every_worked_line_is_what_the_reference_computes():
    from autograder.course import reference

    x, h_prev, c_prev, params = example.arrays()
    x, h_prev, c_prev = map(torch.tensor, (x, h_prev, c_prev))
    params = {name: torch.tensor(value) for name, value in params.items()}
    f, i, o = (
        gate(x, h_prev, params)
        for gate in (reference.forget_gate, reference.input_gate, reference.output_gate)
    )
    candidate = reference.candidate_cell(x, h_prev, params)
    h, c = reference.lstm_step(x, h_prev, c_prev, params)
    lines = {
        "sum_f": torch.logit(f),
        "f": f,
        "sum_i": torch.logit(i),
        "i": i,
        "sum_candidate": torch.atanh(candidate),
        "candidate": candidate,
        "c": c,
        "sum_o": torch.logit(o),
        "o": o,
        "tanh_c": torch.tanh(c),
        "h": h,
    }
    assert lines.keys() == example.WORKED.keys()
    for name, value in lines.items():
        worked = torch.tensor(example.WORKED[name], dtype=torch.float64)
        error = (worked - value).abs().max().item()
        assert error < example.WORKED_TOLERANCE, (name, error)


def test_every_sum_is_a_whole_number_and_the_state_can_belong_to_its_cell():
    for name, (row,) in example.WORKED.items():
        if name.startswith("sum_"):
            assert row == [int(value) for value in row], name
    x, h_prev, c_prev, params = example.arrays()
    assert (abs(h_prev) < abs(torch.tanh(torch.tensor(c_prev)).numpy())).all()
    assert (params["b_f"] == 1).all()
