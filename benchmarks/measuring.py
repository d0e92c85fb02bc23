"""Fresh processes and what each took; tables."""

import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from pkgutil import resolve_name
from statistics import median
from time import perf_counter
from typing import Any, NamedTuple

Row = dict[str, str]  # heading of the column -> cell
REPOSITORY = Path(__file__).resolve().parents[1]


class Run(NamedTuple):
    """Seconds from the start of a process to its first line and its end, and its peak memory.

    Linux starts the peak at that of the starting process, which must import nothing large.
    """

    first_line: float
    end: float
    megabytes: float
    lines: list[str]


def run(*arguments: str) -> Run:
    """Run `python -m` with these arguments.

    Raises:
        RuntimeError: the exit status is neither 0 nor 1, which says that some image was refused.
    """
    command = [sys.executable, "-m", *arguments]
    started = perf_counter()
    process = subprocess.Popen(command, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)  # noqa: S603
    lines = [process.stdout.readline()]
    first_line = perf_counter() - started
    lines += process.stdout.readlines()
    _, status, usage = os.wait4(process.pid, 0)
    end = perf_counter() - started
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 1):
        raise RuntimeError(f"Exit status {process.returncode} of {' '.join(command)}")
    return Run(first_line, end, _megabytes(usage), lines)


def in_own_process(name: str, *arguments: Any) -> Any:
    """Call the function "module:name", which this process need not import, in a new process."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        return process.submit(_call, name, arguments).result()


def _call(name: str, arguments: Sequence[Any]) -> Any:
    return resolve_name(name)(*arguments)


def peak_megabytes() -> float:
    """Peak memory of this process up to now."""
    return _megabytes(resource.getrusage(resource.RUSAGE_SELF))


def _megabytes(usage: resource.struct_rusage) -> float:
    return usage.ru_maxrss * 1024 / 1e6


def in_short(values: Sequence[float], digits: int = 0) -> str:
    """Minimum and, in brackets, median."""
    return f"{min(values):.{digits}f} ({median(values):.{digits}f})"


def markdown(rows: Sequence[Row]) -> str:
    """A Markdown table; all rows have the same columns."""
    cells = [list(rows[0]), ["---"] * len(rows[0]), *(list(row.values()) for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in cells)
