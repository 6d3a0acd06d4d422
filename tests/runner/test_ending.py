"""How a process of the command line ends."""

import subprocess
import sys

import pytest

# A program that shows which parts of Python's usual end took place.
PROGRAM = """
import atexit, sys, threading, time
from runner.ending import run

class Late:
    def __del__(self):
        print("dismantled", flush=True)

late = Late()
atexit.register(print, "exit functions")

def main():
    print("output")
    {body}

run(main)
"""


def end(body: str) -> subprocess.CompletedProcess[str]:
    """Run a program whose command does ``body``."""
    command = [sys.executable, "-I", "-c", PROGRAM.format(body=body)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    ("body", "status"),
    [("pass", 0), ("sys.exit()", 0), ("sys.exit(0)", 0), ("sys.exit(1)", 1), ("sys.exit(2)", 2)],
)
def test_process_leaves_at_once_with_its_status(body: str, status: int) -> None:
    """What was printed and registered comes out; the interpreter is not taken apart."""
    done = end(body)
    assert (done.returncode, done.stdout, done.stderr) == (
        status,
        "output\nexit functions\n",
        "",
    )


def test_process_waits_for_its_threads() -> None:
    """A thread that is still at work finishes, and Python ends as it does."""
    done = end("threading.Thread(target=lambda: (time.sleep(0.2), print('thread'))).start()")
    assert (done.returncode, done.stdout) == (0, "output\nthread\nexit functions\ndismantled\n")


def test_profiler_sees_the_end() -> None:
    """Under a profiler nothing is cut short, or it could not write its report."""
    program = "import runner.ending; runner.ending.run(lambda: None)"
    code = f"import cProfile; cProfile.run({program!r})"
    command = [sys.executable, "-I", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert "function calls" in done.stdout


def test_exit_with_a_message_prints_it() -> None:
    """``sys.exit('text')`` writes the text to standard error and ends with status 1."""
    done = end("sys.exit('text')")
    assert (done.returncode, done.stderr) == (1, "text\n")


def test_exception_keeps_its_traceback() -> None:
    """A fault of the program is not hidden."""
    done = end("raise RuntimeError('fault')")
    assert done.returncode == 1
    assert "RuntimeError: fault" in done.stderr


@pytest.mark.parametrize("number", ["ENOSPC", "EIO", "EDQUOT", "EFBIG"])
def test_unwritable_output_is_one_line(number: str) -> None:
    """A full disk under standard output is told in one line, with status 1."""
    done = end(f"import errno, os; raise OSError(errno.{number}, os.strerror(errno.{number}))")
    assert done.returncode == 1
    assert done.stderr.startswith("Error: the output cannot be written (")
    assert len(done.stderr.splitlines()) == 1


def test_other_failures_of_the_system_are_not_called_unwritable() -> None:
    """Only what says that nothing more can be written is told in that way."""
    done = end("raise PermissionError(1, 'refused')")
    assert done.returncode == 1
    assert "PermissionError" in done.stderr


def test_the_end_costs_no_command_its_quick_start() -> None:
    """Every command imports it, also those of the other rooms."""
    heavy = "{'numpy', 'onnxruntime', 'PIL', 'torch'}"
    code = f"import sys, runner.ending; print({heavy} & {{*sys.modules}})"
    command = [sys.executable, "-I", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
