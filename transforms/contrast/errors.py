"""Errors of the contrast. They stand apart from the warehouse's: these modules work on any data frame, alone."""


class ContrastError(ValueError):
    """The frame cannot be read as a contrast: a wrong column, a missing value, a protocol that contradicts itself."""


class NotEstimable(ContrastError):
    """The data, though well formed, do not identify the effect; the message says what is lacking."""
