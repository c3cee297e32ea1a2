"""Numbers as the prose writes them."""

import pytest

from autograder.course.figures import minus, power_of_ten


@pytest.mark.parametrize(
    ("value", "digits", "text"),
    [
        (2.2e-16, 1, "2.2 × 10⁻¹⁶"),
        (-1.5e3, 1, "−1.5 × 10³"),
        (0.0, 1, "0"),
        (1e-20, 0, "10⁻²⁰"),
        (3e4, 0, "3 × 10⁴"),
    ],
)
def test_powers_of_ten_are_written_with_raised_exponents(value, digits, text):
    assert power_of_ten(value, digits) == text


def test_hyphens_become_minus_signs():
    assert minus("-0.5 and -1") == "−0.5 and −1"
