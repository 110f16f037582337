"""The house stands as CONTRIBUTING.md draws it: a room imports only from floors below its own."""

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "tfcourse"
DRAWING = re.search(r"```text\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text("utf-8"), re.DOTALL)


def floors():
    """The floor of each room, from the drawing: a number, the rooms, and after a gap what for."""
    found, floor = {}, None
    for line in DRAWING[1].splitlines():
        number, rooms = re.match(r"(\d?)\s+(\w+(?:  \w+)*)", line).groups()
        floor = int(number) if number else floor
        found |= dict.fromkeys(rooms.split(), floor)
    return found


def modules():
    """Every module by its dotted name within the package; the package itself is ''."""
    paths = {path: path.relative_to(PACKAGE).with_suffix("").parts for path in sources()}
    return {".".join(p for p in parts if p != "__init__"): path for path, parts in paths.items()}


def sources():
    return sorted(PACKAGE.rglob("*.py"))


def imports(path, known):
    """The modules of this package that a module names in its imports."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} imports by dots"
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            package, _, rest = name.partition(".")
            if package == "tfcourse":
                yield rest if rest in known else rest.rpartition(".")[0]


MODULES = modules()
EDGES = {name: set(imports(path, MODULES)) for name, path in MODULES.items() if name}


def test_every_room_is_drawn():
    assert set(floors()) == {name.partition(".")[0] for name in MODULES} - {"", "__main__"}


@pytest.mark.parametrize("room", sorted(floors()))
def test_a_room_imports_from_floors_below(room):
    level = floors()
    for name, targets in EDGES.items():
        if name.partition(".")[0] == room:
            assert "" not in targets, f"{name} goes out and comes in by the front door"
            for target in targets:
                other = target.partition(".")[0]
                assert other == room or level[other] < level[room], f"{name} imports {target}"


def test_no_room_has_a_circle_inside():
    left = {name: targets - {name} for name, targets in EDGES.items() if name in MODULES}
    # What a package's own front lists is not what its modules need.
    left = {name: t for name, t in left.items() if MODULES[name].name != "__init__.py"}
    while free := [name for name, targets in left.items() if not targets & left.keys()]:
        for name in free:
            del left[name]
    assert not left, f"these import each other in a circle: {sorted(left)}"
