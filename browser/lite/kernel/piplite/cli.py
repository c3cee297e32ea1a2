"""What a line such as ``%pip install rich`` becomes."""

from piplite.piplite import WHY


async def get_transformed_code(argv: list[str]) -> str:
    """The code that takes the line's place."""
    return f"print({WHY!r})"
