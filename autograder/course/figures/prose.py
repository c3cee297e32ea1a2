"""Numbers on their way from a cell into the prose of a page."""


def say(**texts: str) -> None:
    """Hand texts to the prose, which quotes them with the role ``glue:text``."""
    from myst_nb import glue

    for name, text in texts.items():
        glue(name, text, display=False)


def power_of_ten(value: float, digits: int = 1) -> str:
    """A number the way one writes it: 2.2e-16 as 2.2 × 10⁻¹⁶."""
    if value == 0:
        return "0"
    mantissa, exponent = f"{value:.{digits}e}".split("e")
    raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    if digits == 0 and mantissa in ("1", "-1"):
        return f"{mantissa[:-1].replace('-', '−')}10{raised}"
    return f"{mantissa.replace('-', '−')} × 10{raised}"


def minus(text: str) -> str:
    """The text with minus signs where it has hyphens."""
    return text.replace("-", "−")
