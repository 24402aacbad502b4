"""A greeting."""


def greeting(name: str) -> str:
    """Return what is said to somebody."""
    return f"hello from Python, {name}"
