"""Texts as tests spell them."""


def plain(text: str) -> str:
    """With common spaces for those at which no line breaks."""
    return text.replace("\N{NO-BREAK SPACE}", " ")
