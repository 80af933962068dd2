"""Numbers in words, rounded alike on all machines."""

TIE = 1 + 1e-9  # moves 0.125 off the middle between 0.12 and 0.13, so that all machines round it alike


def in_digits(x: float, digits: int) -> str:
    """The number with so many significant digits.

    Examples
    --------
    >>> in_digits(0.125, 2), in_digits(0.125 * (1 - 1e-15), 2)
    ('0.13', '0.13')
    """
    return f"{TIE * x:.{digits}g}"
