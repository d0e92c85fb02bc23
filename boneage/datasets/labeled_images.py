"""One loop over radiographs: in order, several at a time where asked, what cannot be read named.

`rsna.labeled_cases` finds the image of each labeled case, and `labeled_images` reads them.
"""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from tqdm import tqdm

from boneage.radiographs.reading import UnreadableRadiograph, read_radiograph

if TYPE_CHECKING:
    import pandas as pd

logger = logging.getLogger(__name__)

BATCH = 32  # radiographs predicted in one pass; more is hardly faster and takes more memory
_AHEAD_PER_WORKER = 2
_MOST_NAMED = 10

Source = TypeVar("Source")
Image = TypeVar("Image")
# Works on sources and yields what the function returns, in their order; see `in_order`.
InOrder = Callable[[Iterable[Any], Callable[[Any], Any]], Generator[Any, None, None]]


def labeled_images(
    cases: pd.DataFrame,
    read: Callable[[Any], Any] = lambda case: read_radiograph(case.path),
    title: str | None = None,
    each: InOrder | None = None,
) -> Iterator[tuple[Any, Any]]:
    """Read the radiographs of cases, in their order.

    Cases without a readable image are left out; at the end they are counted and the first ones
    named, with the reasons, in a logged warning.

    Args:
        cases: columns id and path (None where there is no image), and any others.
        read: makes of a row of `cases`, as `itertuples` gives it, what is wanted; by default the
            `Radiograph`.
        title: of the progress bar; None for none.
        each: what works through the rows in order, by default `in_order`, one at a time.

    Yields:
        A row of `cases` with what was read.
    """
    present = cases["path"].notna()
    left_out = [f"{id_} (no image file)" for id_ in cases.loc[~present, "id"]]
    rows = list(cases[present].itertuples())
    found = (each or in_order)(rows, partial(_outcome, read))
    with tqdm(total=len(rows), desc=title, unit="image", disable=title is None) as bar:
        for row, image in zip(rows, found, strict=True):
            if isinstance(image, UnreadableRadiograph):
                left_out.append(f"{row.id} ({image})")
            else:
                yield row, image
            bar.update()
    if left_out:
        more = len(left_out) - _MOST_NAMED
        logger.warning(
            "%d of %d radiographs left out: %s%s",
            len(left_out),
            len(cases),
            "; ".join(left_out[:_MOST_NAMED]),
            f"; and {more:,} more" if more > 0 else "",
        )


def read_in_order(
    sources: Iterable[Source], read: Callable[[Source], Image], workers: int = 1
) -> Iterator[Image | UnreadableRadiograph]:
    """Read files, each once and in order, as `in_order`.

    Args:
        sources: paths, contents or whatever `read` takes.
        read: makes of one what is wanted.
        workers: see `in_order`.

    Yields:
        What `read` returned, or the `UnreadableRadiograph` that it raised.
    """
    return in_order(sources, partial(_outcome, read), workers)


def _outcome(read: Callable[[Source], Image], source: Source) -> Image | UnreadableRadiograph:
    try:
        return read(source)
    except UnreadableRadiograph as error:
        return error


def in_order(
    sources: Iterable[Source], work: Callable[[Source], Image], workers: int = 1
) -> Generator[Image, None, None]:
    """Work on sources, several at a time; memory does not grow with their number.

    Args:
        sources: any.
        work: makes of one what is wanted; with several workers, callable from several threads.
        workers: threads that go ahead, each with one source, while what was yielded is used; with
            1, nothing is done before it is asked for.

    Yields:
        What `work` returned, in the order of the sources.

    Example:
        >>> list(in_order("abc", str.upper, workers=2))
        ['A', 'B', 'C']
    """
    if workers == 1:
        yield from map(work, sources)
        return
    yield from on_pool(ThreadPoolExecutor(workers), sources, work, workers * _AHEAD_PER_WORKER)


def on_pool(
    pool: Executor, sources: Iterable[Source], work: Callable[[Source], Image], ahead: int
) -> Generator[Image, None, None]:
    """Work on sources in a pool, which is shut down at the end.

    Args:
        pool: of threads or processes.
        sources: any.
        work: makes of one what is wanted.
        ahead: sources given to the pool before the first is done, so that memory does not grow.

    Yields:
        What `work` returned, in the order of the sources.
    """
    tasks = (pool.submit(work, source) for source in sources)
    try:
        waiting = deque(islice(tasks, ahead))
        while waiting:
            done = waiting.popleft().result()
            waiting.extend(islice(tasks, 1))
            yield done
    finally:  # also when whoever asks has had enough
        pool.shutdown(cancel_futures=True)
