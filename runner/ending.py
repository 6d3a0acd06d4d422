"""The end of the process: its exit status, and no time spent on taking the interpreter apart."""

import atexit
import os
import sys
import threading
from collections.abc import Callable
from errno import EDQUOT, EFBIG, EIO, ENOSPC
from typing import NoReturn

UNWRITABLE = {EDQUOT, EFBIG, EIO, ENOSPC}
UNWRITTEN = "Error: the output cannot be written ({}); free space, or write elsewhere"


def run(main: Callable[[], object]) -> NoReturn:
    """Run a command line in a process of its own, and end the process.

    Where standard output cannot be written, the command ends with one line and status 1.
    """
    try:
        main()
    except OSError as error:
        if error.errno not in UNWRITABLE:
            raise
        # what is still in the buffer would fail once more at the end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.stderr.write(UNWRITTEN.format(error.strerror) + "\n")
        leave(1)
    except SystemExit as end:
        leave(end.code)
    leave(0)


def leave(code: str | int | None) -> NoReturn:
    """End the process: at once where nothing is left to do, otherwise as Python does.

    Freeing every object of NumPy and ONNX Runtime one by one takes 0.05 s or more, a fifth of
    what painting one photo takes. What is registered for the end of the program runs either way.
    """
    status = 0 if code is None else code
    if isinstance(status, int) and not is_awaited():
        atexit._run_exitfuncs()  # noqa: SLF001 - the only door to them
        if flush():
            os._exit(status)
    sys.exit(code)


def is_awaited() -> bool:
    """Tell whether somebody needs the usual end: another thread, a profiler or a debugger."""
    watched = sys.getprofile() is not None or sys.gettrace() is not None
    return watched or threading.active_count() > 1


def flush() -> bool:
    """Write out what is buffered; False where that fails, which Python's own end will tell."""
    try:
        for stream in (sys.stdout, sys.stderr):
            if stream is not None:
                stream.flush()
    except (OSError, ValueError):
        return False
    return True
