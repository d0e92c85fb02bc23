"""The sexes, as tables, arguments and models name them."""

SEXES = ("female", "male")
