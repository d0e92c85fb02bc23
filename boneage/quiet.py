"""Keep the start-up messages of C++ libraries off the terminal.

TensorFlow and MediaPipe write some dozen lines straight to file descriptor 2 when they load, in
ways that no setting of theirs turns off (google-ai-edge/mediapipe issue 5737).
"""

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager

# Abseil's own warnings, and its lines of level I and W: "W0000 00:00:1795791133.565677 ...".
# Of level E only what says that there is no GPU.
_NOISE = re.compile(
    rb"WARNING: (All log messages|Logging) before |INFO: Created TensorFlow Lite |"
    rb"INFO: \[\w+\.cc:\d+\] |[IW]\d{4} [\d:.]+ |E\d{4} [\d:.]+ .*cuda"
)
# Two threads that exchanged the descriptor at once would not give it back in order.
_LOCK = threading.RLock()


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Hold back what is written to file descriptor 2, and at the end write all but known noise."""
    with _LOCK, tempfile.TemporaryFile() as held:
        sys.stderr.flush()
        terminal = os.dup(2)
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            sys.stderr.flush()
            os.dup2(terminal, 2)
            os.close(terminal)
            held.seek(0)
            for line in held:
                if not _NOISE.match(line):
                    os.write(2, line)
