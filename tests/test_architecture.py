"""The rules that the tree itself has to keep."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "src" / "privkit"

LAYERS = (
    "cli",
    "demo",
    "integrations",
    "policy",
    "anonymity",
    "transforms",
    "fields",
    "keys",
    "lowlevel",
    "columns",
    "_kernels",
    "suggest",
    "errors",
)
"""From the top down: a module imports from its own layer and from those below it."""

MODULES = sorted(SOURCE.rglob("*.py"))


def layer_of(path: Path) -> str:
    parts = path.relative_to(SOURCE).with_suffix("").parts
    return parts[0]


def imported(path: Path) -> list[str]:
    """The privkit layers that a module imports, wherever in it the import stands."""
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports are absolute"
            module = node.module or ""
            names = [f"{module}.{alias.name}" for alias in node.names] if module == "privkit" else [module]
        else:
            continue
        found += [name.split(".")[1] for name in names if name.startswith("privkit.")]
    return found


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(SOURCE)))
def test_imports_go_down(path):
    layer = layer_of(path)
    if layer in {"__init__", "__main__"}:
        return
    below = LAYERS[LAYERS.index(layer) :]
    assert [name for name in imported(path) if name not in below] == []


WITHIN_ANONYMITY = ("front", "measuring", "recoding", "models", "hierarchies", "counting")
"""From the top down, as the layers; `front` are the modules in no package, and measuring imports no recoding."""


def part_of(path: Path) -> str:
    parts = path.relative_to(SOURCE / "anonymity").with_suffix("").parts
    return parts[0] if len(parts) > 1 else "front"


@pytest.mark.parametrize("path", sorted((SOURCE / "anonymity").rglob("*.py")), ids=lambda path: path.stem)
def test_imports_within_anonymity_go_down(path):
    packages = set(WITHIN_ANONYMITY[1:])
    modules = [
        node.module.split(".")[2:]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("privkit.anonymity")
    ]
    parts = [module[0] if module and module[0] in packages else "front" for module in modules]
    below = WITHIN_ANONYMITY[WITHIN_ANONYMITY.index(part_of(path)) :]
    assert [part for part in parts if part not in below] == []
    assert part_of(path) != "measuring" or "recoding" not in parts


def test_the_rule_would_be_noticed_if_broken():
    assert "transforms" in imported(SOURCE / "__init__.py")
    assert {layer_of(path) for path in MODULES} - {"__init__", "__main__"} <= set(LAYERS)


def test_the_front_door_only_re_exports():
    tree = ast.parse((SOURCE / "__init__.py").read_text(encoding="utf-8"))
    kinds = {type(node).__name__ for node in tree.body}
    assert kinds <= {"Expr", "Import", "ImportFrom", "Assign", "If"}
    functions = [node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)]
    assert functions == ["__getattr__", "__dir__"]  # which import a name when it is asked for


def test_only_the_command_line_prints():
    printing = [
        path
        for path in MODULES
        if layer_of(path) not in {"cli", "__main__"}
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"
    ]
    assert printing == []


def test_the_core_needs_only_numpy_and_cryptography():
    code = (
        "import sys, privkit, privkit.lowlevel\n"
        "from privkit import *\n"
        "allowed = set(sys.stdlib_module_names) | {'privkit', 'numpy', 'cryptography', 'cffi', '_cffi_backend'}\n"
        "print(sorted({m.split('.')[0] for m in sys.modules} - allowed - set(sys.builtin_module_names)))"
    )
    clean = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    extra = [name for name in ast.literal_eval(clean.stdout) if not name.startswith(("_", "distutils"))]
    assert extra == []


def test_the_front_door_opens_what_is_asked_for():
    code = (
        "import sys, privkit\n"
        "before = sorted({'numpy', 'privkit.keys', 'privkit.policy'} & set(sys.modules))\n"
        "names = [name for name in privkit.__all__ if not hasattr(privkit, name) or name not in dir(privkit)]\n"
        "print((before, names, privkit.keys.Keyring is privkit.Keyring, hasattr(privkit, 'encrypt')))"
    )
    clean = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert ast.literal_eval(clean.stdout) == ([], [], True, False)


PAGES = sorted(path for path in (*SOURCE.parents[1].glob("*.md"), *SOURCE.parents[1].glob("docs/*.md")))


@pytest.mark.parametrize("page", PAGES, ids=lambda path: path.name)
def test_links_between_pages_lead_somewhere(page):
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [target for target in targets if not (page.parent / target).exists()] == []
