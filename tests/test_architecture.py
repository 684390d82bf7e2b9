"""The house rules: floors, walls, sizes; see documentation/architecture.md."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
import source
from source import BY_NAME, FLOORS, MODULES, Module, inside

every_module = pytest.mark.parametrize("module", MODULES, ids=lambda module: module.name)
rooms = sorted({module.room for module in MODULES} - {"door", "ground", "workspace"})


def test_there_is_a_house() -> None:
    assert len(MODULES) > 15
    assert {"core", "imaging", "ground"} <= {module.room for module in MODULES}


@every_module
def test_every_room_has_a_floor(module: Module) -> None:
    assert module.room in FLOORS


@every_module
def test_imports_go_down_and_never_sideways(module: Module) -> None:
    for name in inside(module):
        room = source.room_of(name)
        if room != module.room:
            assert FLOORS[room] < FLOORS[module.room], (
                f"{module.name} ({module.room}) imports {name} ({room})"
            )


@every_module
def test_everything_imported_from_the_package_exists(module: Module) -> None:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("kneecascade"):
            assert node.module in BY_NAME, f"{module.name}:{node.lineno}: no module {node.module}"


def test_no_circle_of_imports() -> None:
    finished: set[str] = set()

    def walk(name: str, above: tuple[str, ...]) -> None:
        assert name not in above, " -> ".join((*above[above.index(name) :], name))
        if name not in finished:
            for below in sorted(inside(BY_NAME[name])):
                walk(below, (*above, name))
            finished.add(name)

    for name in BY_NAME:
        walk(name, ())
    assert len(finished) == len(BY_NAME)


def test_the_circle_finder_finds_circles(monkeypatch: pytest.MonkeyPatch) -> None:
    pair = {name: Module(name, Path(name)) for name in ("kneecascade.core.a", "kneecascade.core.b")}
    a, b = pair.values()
    a.__dict__["imported"], b.__dict__["imported"] = frozenset({b.name}), frozenset({a.name})
    monkeypatch.setattr(source, "BY_NAME", pair)
    monkeypatch.setitem(globals(), "BY_NAME", pair)
    with pytest.raises(AssertionError, match=r"core\.a -> kneecascade\.core\.b -> kneecascade\.core\.a"):
        test_no_circle_of_imports()


@pytest.mark.parametrize("room", rooms)
def test_init_of_rooms_is_empty(room: str) -> None:
    folder = source.ROOT / ("dataset_conversion" if room == "dataset_conversion" else f"kneecascade/{room}")
    assert (folder / "__init__.py").read_text("utf-8").strip() == ""


@every_module
def test_walls(module: Module) -> None:
    if "torch" in module.top_names:
        # these run in nnU-Net's environment, as scripts that nothing here imports
        peers = {"speed_peer", "accuracy_peer"}
        assert module.room in {"network", "training", "inference"} or module.path.stem in peers
    if "SimpleITK" in module.top_names:
        assert module.room == "imaging"
    if "matplotlib" in module.top_names:
        assert module.path.stem.rpartition("_")[2] in {"picture", "pictures", "history"}, (
            "matplotlib belongs to files that draw"
        )
    if re.search(r"\bos\.(environ|getenv|putenv)\b", module.text) or "os.environ" in module.imported:
        assert module.name == "kneecascade.workspace", "the environment is read in workspace.py alone"


@every_module
def test_inference_needs_nothing_of_training(module: Module) -> None:
    if module.room == "inference":
        assert not any(source.room_of(name) == "training" for name in inside(module))


@every_module
def test_no_hidden_import_no_print_no_pickle(module: Module) -> None:
    for line, called in module.calls():
        where = f"{module.path.name}:{line}: {called}"
        assert called not in {"print", "__import__", "importlib.import_module", "import_module"}, where
        assert not re.match(r"(sys\.(stdout|stderr)\.write|pickle\.|joblib\.load)", called), where
    if "torch" in module.top_names:
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
                safe = [k for k in node.keywords if k.arg == "weights_only"]
                assert safe, f"{module.path.name}:{node.lineno}: torch.load without weights_only"
                assert ast.unparse(safe[0].value) == "True", f"{module.path.name}:{node.lineno}"


@every_module
def test_no_path_of_one_machine(module: Module) -> None:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert not re.search(r"(^|[\s'\"])/(work|root|tmp|home|Users)\b", node.value), node.value


@every_module
def test_sizes(module: Module) -> None:
    lines = module.text.count("\n")
    assert lines <= 300, f"{module.path.name}: {lines} lines"
    for name, length in module.functions():
        assert length <= 40, f"{module.path.name}: {name} has {length} lines"


@every_module
def test_names_say_something(module: Module) -> None:
    words = set(re.split(r"[._]", module.name.lower()))
    assert not words & {"util", "utils", "common", "helper", "helpers", "base", "manager", "misc"}


@every_module
def test_every_file_says_what_it_is(module: Module) -> None:
    if module.text.strip():
        assert ast.get_docstring(module.tree), f"{module.path.name}: no docstring"


@pytest.mark.parametrize("module", [m for m in MODULES if m.room == "cli"], ids=lambda m: m.name)
def test_commands_are_thin(module: Module) -> None:
    assert module.text.count("\n") < 120
    if module.path.stem not in {"__init__", "run", "arguments", "benchmark_accuracy", "benchmark_reproduce"}:
        assert re.search(r"^def main\(argv: list\[str\] \| None = None\) -> int:", module.text, re.M)


@every_module
def test_every_file_is_reached_by_a_test(module: Module) -> None:
    if not module.text.strip() or module.room in {"ground", "core"}:
        return
    mentioned = r"\b" + re.escape(module.name.removeprefix("kneecascade.")) + r"\b"
    package, _, stem = module.name.rpartition(".")
    imported = rf"from {re.escape(package)} import [^\n]*\b{stem}\b"
    tests = [p for p in Path(__file__).parent.glob("test_*.py") if p.name != Path(__file__).name]
    assert any(re.search(f"{mentioned}|{imported}", p.read_text("utf-8")) for p in tests), module.name


def test_every_dependency_is_used(repository: Path) -> None:
    imported_as = {
        "scikit-image": "skimage",
        "acvl-utils": "acvl_utils",
        "connected-components-3d": "cc3d",
        "pillow": "PIL",
    }
    text = (repository / "setup.py").read_text("utf-8")
    listed = re.findall(r'"([A-Za-z0-9-]+)[^"]*"', text.split("install_requires=[")[1].split("]")[0])
    used = set().union(*(module.top_names for module in MODULES))
    assert len(listed) >= 10
    for name in listed:
        assert imported_as.get(name, name) in used, f"{name} is required but nothing imports it"
