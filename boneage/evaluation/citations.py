"""What a paper that uses the results has to cite: the software with its versions, and the methods.

The sources of the methods stand in `references.bib`; a text cites them by key.
"""

import platform
import re
from importlib.metadata import version
from pathlib import Path

from boneage import __version__
from boneage.evaluation.intervals import NORMAL_FROM

SOFTWARE = "boneage"  # the key of the software itself
_FILE = Path(__file__).with_name("references.bib")
_CITE = re.compile(r"\[@([a-z0-9; @]+)\]")
_SOFTWARE_ENTRY = f"""@software{{{SOFTWARE},
  author  = {{{{The boneage authors}}}},
  title   = {{boneage: bone age from hand radiographs}},
  version = {{{__version__}}},
  year    = {{2026}},
  license = {{MIT}}
}}
"""


def versions_in_words() -> str:
    """One sentence on the software, with citations as `cited` reads them."""
    numpy, pandas, scipy, sklearn = map(version, ("numpy", "pandas", "scipy", "scikit-learn"))
    return (
        f"Analyses were performed with boneage {__version__} [@{SOFTWARE}], Python "
        f"{platform.python_version()}, NumPy {numpy} [@harris2020], pandas {pandas}, SciPy {scipy} "
        f"[@virtanen2020] and scikit-learn {sklearn} [@pedregosa2011]."
    )


def bootstrap_in_words(n: int, n_resamples: int) -> str:
    """How intervals of n cases were made, with a citation: see `evaluation.intervals`."""
    if n >= NORMAL_FROM:
        return "normal limit of the percentile bootstrap of radiographs [@efron1993]"
    return f"percentile bootstrap of radiographs ({n_resamples:,} resamples) [@efron1993]"


def cited(text: str) -> tuple[str, str]:
    """A text with its citations, and their BibTeX.

    Args:
        text: with citations "[@key]" or "[@key; @key]" of `references.bib`.

    Returns:
        The text with authors and years, "(Efron and Tibshirani 1993)", and the BibTeX entries in
        the order of the text.

    Example:
        >>> text, bibtex = cited("By bootstrap [@efron1993].")
        >>> text, bibtex.splitlines()[0]
        ('By bootstrap (Efron and Tibshirani 1993).', '@book{efron1993,')
    """
    entries = _entries()
    used: dict[str, str] = {}

    def replace(match: re.Match[str]) -> str:
        keys = [key.strip(" @") for key in match[1].split(";")]
        used.update((key, entries[key]) for key in keys)
        return f"({'; '.join(_short(entries[key]) for key in keys)})"

    return _CITE.sub(replace, text), "\n".join(used.values())


def _entries() -> dict[str, str]:
    """Key -> BibTeX entry, the software's first."""
    found = _FILE.read_text(encoding="utf-8").split("\n\n")
    entries = {re.findall(r"{(\w+),", entry)[0]: f"{entry.strip()}\n" for entry in found}
    return {SOFTWARE: _SOFTWARE_ENTRY} | entries


def _short(entry: str) -> str:
    """ "Bland and Altman 1986", "Halabi et al. 2019"."""
    (authors,) = re.findall(r"author\s*= {(.*)}", entry)
    (year,) = re.findall(r"year\s*= {(\d+)}", entry)
    if authors.startswith("{"):
        return f"{authors.strip('{}')} {year}"
    names = [author.split(",")[0] for author in authors.split(" and ")]
    if len(names) > 2:
        return f"{names[0]} et al. {year}"
    return f"{' and '.join(names)} {year}"
