"""`python tests/emulator COMMAND ARGS…`: run a command beside an emulator, pointed to it."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path


def main() -> int:
    command = sys.argv[1:]
    if not command:
        print("usage: python tests/emulator COMMAND ARGS…", file=sys.stderr)  # noqa: T201 a command may print
        return 2
    # `python DIRECTORY` puts the directory itself on the path, where our `process` is nobody's package.
    sys.path[0] = str(Path(__file__).resolve().parents[1])
    from emulator.process import running_emulator

    with running_emulator() as emulator:
        try:
            return subprocess.run(command, env=os.environ | emulator.environ, check=False).returncode
        except FileNotFoundError as error:
            print(error, file=sys.stderr)  # noqa: T201
            return 127


if __name__ == "__main__":
    raise SystemExit(main())
