"""A drawing of the packages and their imports, read from the code: ``python docs/package_drawing.py > packages.svg``.

The order is that of the import contracts in ``pyproject.toml``; a box is a package or module, an arrow an import. An
arrow that follows from others (A → B → C makes A → C) is left out.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from html import escape
from pathlib import Path
from textwrap import shorten

Graph = dict[str, set[str]]

_WIDTH, _ROW, _MARGIN, _BOX_LEFT, _BOX_WIDTH, _BOX_HEIGHT = 900, 30, 12, 180, 118, 22
_TEXT_LEFT = _BOX_LEFT + _BOX_WIDTH + 12
_COLOURS = {"napari_pqcomq": "#2f6f9f", "pqcomq": "#a85a1e"}


def drawing(checkout: Path) -> str:
    """The packages of a checkout as an SVG."""
    names = [name for row in _rows(checkout) for name in row]
    graph = _reduced(_imports(checkout, names))
    middles = {name: _MARGIN + (number + 0.5) * _ROW for number, name in enumerate(names)}
    arrows = [_arrow(middles[source], middles[target]) for source in names for target in sorted(graph[source])]
    boxes = [_box(name, middles[name], _summary(checkout, name)) for name in names]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {len(names) * _ROW + 2 * _MARGIN}" role="img" '
        'aria-label="Packages and their imports" font-family="sans-serif" font-size="12">'
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#8a8f98"/></marker></defs>' + "".join(arrows + boxes) + "</svg>"
    )


def _rows(checkout: Path) -> Iterator[list[str]]:
    """The layers of the contracts, the plugin's above the engine's."""
    settings = tomllib.loads((checkout / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = settings["tool"]["importlinter"]["contracts"]
    # Contracts with containers are about the inside of one package.
    layered = [each for each in contracts if each["type"] == "layers" and "containers" not in each]
    for contract in sorted(layered, key=lambda each: not each["layers"][0].startswith("napari_pqcomq")):
        for layer in contract["layers"]:
            yield [name.strip() for name in layer.split("|")]


def _imports(checkout: Path, names: list[str]) -> Graph:
    """Which of the packages imports which, by the import statements of their modules."""
    graph: Graph = {name: set() for name in names}
    for name in names:
        for module in _modules(_place(checkout, name)):
            for imported in _imported(module):
                owner = next((each for each in names if f"{imported}.".startswith(f"{each}.")), None)
                if owner is not None and owner != name:
                    graph[name].add(owner)
    return graph


def _modules(place: Path) -> list[Path]:
    return sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]


def _place(checkout: Path, name: str) -> Path:
    root = checkout / "src" if name.startswith("pqcomq") else checkout
    return root.joinpath(*name.split("."))


def _imported(module: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(module.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (each.name for each in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            yield from (f"{node.module}.{each.name}" for each in node.names)


def _reachable(graph: Graph, start: str) -> set[str]:
    found: set[str] = set()
    waiting = [start]
    while waiting:
        for each in graph[waiting.pop()] - found:
            found.add(each)
            waiting.append(each)
    return found


def _reduced(graph: Graph) -> Graph:
    """Without the arrows that follow from others."""
    return {
        name: {each for each in targets if not any(each in _reachable(graph, other) for other in targets - {each})}
        for name, targets in graph.items()
    }


def _arrow(start: float, end: float) -> str:
    """From the lower left of one box round to the upper left of one further down, the wider the longer."""
    reach = _BOX_LEFT - 24 - min((end - start) * 0.45, _BOX_LEFT - 28)
    out, into, left = start + 5, end - 5, _BOX_LEFT
    curve = f"M{left} {out:.0f}C{reach:.0f} {out:.0f} {reach:.0f} {into:.0f} {left} {into:.0f}"
    return f'<path d="{curve}" fill="none" stroke="#8a8f98" marker-end="url(#tip)"/>'


def _box(name: str, middle: float, summary: str) -> str:
    root, _dot, short = name.partition(".")
    return (
        f'<rect x="{_BOX_LEFT}" y="{middle - _BOX_HEIGHT / 2:.0f}" width="{_BOX_WIDTH}" height="{_BOX_HEIGHT}" rx="5" '
        f'fill="{_COLOURS[root]}"/><text x="{_BOX_LEFT + _BOX_WIDTH / 2:.0f}" y="{middle + 4:.0f}" fill="#fff" '
        f'text-anchor="middle">{escape(short)}</text>'
        f'<text x="{_TEXT_LEFT}" y="{middle + 4:.0f}" fill="currentColor">{escape(summary)}</text>'
    )


def _summary(checkout: Path, name: str) -> str:
    """The first sentence of a package's or module's docstring, shortened to fit."""
    place = _place(checkout, name)
    module = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    text = ast.get_docstring(ast.parse(module.read_text(encoding="utf-8"))) or ""
    sentence, *_others = text.replace("``", "").split("\n\n")[0].split(". ")
    return shorten(sentence.rstrip("."), 88, placeholder=" …")


if __name__ == "__main__":
    sys.stdout.write(drawing(Path(__file__).resolve().parent.parent))
