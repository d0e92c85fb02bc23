"""The Dask cluster that does the work: processes on this machine, or one that runs elsewhere."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import dask
from distributed import Client, LocalCluster

from boneage.archive.settings import ArchiveError

_CONNECT_SECONDS = 30
_DASHBOARD = "127.0.0.1:8787"  # or another port, where this one is taken
# A killed process is started again, which on a busy machine takes longer than the 15 seconds after
# which Dask gives it up for ever.
_PATIENCE = {"distributed.deploy.lost-worker-timeout": "1 hour"}


@contextmanager
def connect(scheduler: str | None, workers: int) -> Iterator[Client]:
    """Connect to a cluster, started here where no address is given.

    Args:
        scheduler: address of a Dask scheduler, such as "tcp://10.0.0.5:8786", or the path of its
            scheduler file, ending with .json; None to start processes on this machine.
        workers: processes to start here, one thread each. Nobody else on this machine can use
            them: their connections are encrypted with keys made for this run.

    Yields:
        The client; at the end, processes started here are ended.

    Raises:
        ArchiveError: there is no scheduler at this address.
    """
    # What it says of lost connections is said in the progress line and at the end.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with dask.config.set(_PATIENCE):
        if scheduler is None:
            with _processes_here(workers) as cluster, Client(cluster) as client:
                yield client
            return
        try:
            client = (
                Client(scheduler_file=scheduler, timeout=_CONNECT_SECONDS)
                if scheduler.endswith(".json")
                else Client(scheduler, timeout=_CONNECT_SECONDS)
            )
        except (OSError, ValueError) as error:
            raise ArchiveError(
                f"There is no Dask scheduler at {scheduler} ({error}); check the address, or leave "
                "out --scheduler to work on this machine."
            ) from error
        with client:
            yield client


def _processes_here(workers: int) -> LocalCluster:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Port .* is already in use")
        return LocalCluster(
            n_workers=workers,
            threads_per_worker=1,
            host="127.0.0.1",
            security=True,
            dashboard_address=_DASHBOARD,
            silence_logs=logging.CRITICAL,
        )


def threads_of(client: Client) -> int:
    """Threads of all workers that are there now."""
    return sum(client.nthreads().values())
