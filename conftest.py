"""Run the examples of the documentation and of the docstrings.

Each document runs in a folder of its own that is empty when it starts. In documents, blocks of Python run, blocks of
TOML that hold a policy are loaded, and the `privkit` commands in blocks of `sh` run. Docstring examples find the
front door's names, and `directory`, a path to their folder.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, settings
from sybil import Sybil
from sybil.document import PythonDocStringDocument
from sybil.parsers.doctest import DocTestParser
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser, SkipParser

if TYPE_CHECKING:
    from sybil.example import Example


# What decides whether a change lands looks at the same examples each time; everybody else's runs look for new ones.
settings.register_profile("ci", derandomize=True, deadline=None, suppress_health_check=[HealthCheck.too_slow])
if os.environ.get("CI"):
    settings.load_profile("ci")


def _enter(namespace: dict[str, Any]) -> None:
    namespace["_home"] = Path.cwd()
    namespace["_folder"] = tempfile.TemporaryDirectory()
    namespace["directory"] = Path(namespace["_folder"].name)
    os.chdir(namespace["directory"])


def _leave(namespace: dict[str, Any]) -> None:
    os.chdir(namespace["_home"])
    namespace["_folder"].cleanup()


def _enter_docstring(namespace: dict[str, Any]) -> None:
    import privkit

    _enter(namespace)
    namespace.update({name: getattr(privkit, name) for name in privkit.__all__})


def _load_policy(example: Example) -> None:
    from privkit.policy import Policy

    text = str(example.parsed)
    if "[fields" in text:
        Policy.loads(text)


def _run_commands(example: Example) -> None:
    """Run the lines of a block that call privkit; set-up lines are run by whoever tests the set-up."""
    for line in str(example.parsed).replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        if words and words[0] == "privkit":
            command = [sys.executable, "-m", "privkit", *words[1:]]
            done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603 - our own examples
            assert done.returncode == 0, f"{line}\n{done.stderr}"


pytest_collect_file = (
    Sybil(
        name="documents",
        parsers=[
            PythonCodeBlockParser(),
            CodeBlockParser(language="toml", evaluator=_load_policy),
            CodeBlockParser(language="sh", evaluator=_run_commands),
            SkipParser(),
        ],
        patterns=["*.md"],
        excludes=[".venv/**"],
        setup=_enter,
        teardown=_leave,
    )
    + Sybil(
        name="docstrings",
        parsers=[DocTestParser()],
        patterns=["src/privkit/*.py", "src/privkit/*/*.py", "src/privkit/*/*/*.py"],
        excludes=[".venv/**"],
        document_types={".py": PythonDocStringDocument},
        setup=_enter_docstring,
        teardown=_leave,
    )
).pytest()
