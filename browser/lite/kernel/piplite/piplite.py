"""What the kernel asks of its installer."""

_PIPLITE_DISABLE_PYPI = True
_PIPLITE_URLS: list[str] = []

WHY = (
    "Nothing can be installed here: this Python has NumPy and the course's package, "
    "and asks no other site for more."
)


async def install(requirements, **options):
    """Install nothing, and say why."""
    print(WHY)
