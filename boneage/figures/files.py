"""Tables and charts as files for a paper: CSV, LaTeX, and all of them in one ZIP file."""

import io
import re
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

CHART_FORMATS = {"svg": "image/svg+xml", "pdf": "application/pdf", "png": "image/png"}
TABLE_FORMATS = {"csv": "text/csv", "tex": "application/x-tex"}
# What LaTeX's default fonts lack, or take for something else.
_LATEX = {"−": "$-$", "<": "$<$", ">": "$>$", "≤": r"$\leq$", "≥": r"$\geq$", "±": r"$\pm$"}
_LATEX |= {
    "×": r"$\times$",
    "÷": r"$\div$",
    "²": r"$^2$",
    "✓": "",
    "–": "--",
    "\N{NO-BREAK SPACE}": "~",
}


@dataclass(frozen=True, eq=False)
class ExportedTable:
    """A table for export.

    Attributes:
        caption: one sentence.
        data: numbers as they were computed, for CSV.
        texts: as people read them, for LaTeX.
    """

    caption: str
    data: pd.DataFrame
    texts: pd.DataFrame

    def as_csv(self) -> bytes:
        """CSV with a byte order mark, which Excel needs to read UTF-8."""
        return self.data.to_csv(index=False, float_format="%.6g").encode("utf-8-sig")

    def as_latex(self) -> bytes:
        """A floating table with rules of the LaTeX package booktabs."""
        texts = self.texts.map(lambda value: _in_latex("" if pd.isna(value) else str(value)))
        texts.columns = [_in_latex(str(name)) for name in texts.columns]
        label = f"tab:{stem_of(self.caption)[:40].strip('-')}"
        return texts.to_latex(
            index=False, caption=_in_latex(self.caption), label=label, position="htbp",
            column_format="l" + "r" * (len(texts.columns) - 1),
        ).encode()  # fmt: skip

    def written(self, kind: str) -> bytes:
        """The file of a kind of `TABLE_FORMATS`."""
        return self.as_csv() if kind == "csv" else self.as_latex()


def stem_of(title: str) -> str:
    """A title as the name of a file: "Metrics (95% CI)" -> "metrics-95-ci"."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Files as one ZIP file.

    Args:
        files: name -> content.
    """
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return packed.getvalue()


def _in_latex(text: str) -> str:
    escaped = re.sub(r"([&%$#_{}])", r"\\\1", text.replace("\\", "/"))
    escaped = escaped.replace("~", r"\textasciitilde{}").replace("^", r"\textasciicircum{}")
    return "".join(_LATEX.get(letter, letter) for letter in escaped)
