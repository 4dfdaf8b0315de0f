"""Kill a rotation before and after each of its system calls, in children, and print what each left behind.

Run as a program by `test_file_store`, with the path of a keyring that is to be made. Prints a JSON list of
`[call, whether after it, exit status, versions that open, whether the next rotation works]`.
"""

import contextlib
import fcntl
import json
import os
import shutil
import sys
from pathlib import Path

from privkit.keys import Keyring

KILLED = 9
CALLS = ("open", "write", "fsync", "fchmod", "replace", "unlink", "close")


def kill_at(step: int, *, half: bool) -> None:
    """Let this process end at its call of that number: before it; or, with `half`, after it, a write in its middle."""
    passed = [0]

    def deadly(module, name):
        real = getattr(module, name)

        def call(*arguments, **options):
            passed[0] += 1
            if passed[0] == step:
                with contextlib.suppress(OSError):
                    if half and name == "write":
                        real(arguments[0], arguments[1][: len(arguments[1]) // 2])
                    elif half:
                        real(*arguments, **options)
                os._exit(KILLED)
            return real(*arguments, **options)

        setattr(module, name, call)

    for name in CALLS:
        deadly(os, name)
    deadly(fcntl, "flock")


def main(path: Path) -> None:
    report = []
    for half in (False, True):
        for step in range(1, 100):
            folder = path / f"{step}-{half}"
            folder.mkdir()
            file = folder / "keyring.json"
            keys = Keyring.create(file)
            child = os.fork()
            if child == 0:
                kill_at(step, half=half)
                keys.rotate()
                os._exit(0)
            status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            opened = Keyring.open(file)
            versions = len(opened.versions)
            opened.rotate()
            report.append([step, half, status, versions, len(Keyring.open(file).versions) == versions + 1])
            shutil.rmtree(folder)
            if status == 0:
                break
    sys.stdout.write(json.dumps(report))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
