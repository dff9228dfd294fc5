"""The one error of this codec."""


class Mm7Error(ValueError):
    """An HTTP body that is no MM7 message, goes over a limit, or a value in it that is none of its type."""
