"""What readers meet first: short, with links that lead somewhere, and drawn from the code as it is."""

import re
import sys
from dataclasses import fields
from pathlib import Path

import pytest

import pqcomq
from pqcomq.comparison.gate import Tolerance, Verdict
from pqcomq.comparison.measures.slice_scores import SliceScores

CHECKOUT = Path(__file__).resolve().parent.parent
PAGES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")


@pytest.fixture
def scripts(monkeypatch):
    monkeypatch.syspath_prepend(str(CHECKOUT / "docs"))
    yield
    for name in ("hooks", "package_drawing"):
        sys.modules.pop(name, None)


def test_readme_is_short():
    assert len((CHECKOUT / "README.md").read_bytes()) <= 6000


@pytest.mark.parametrize("page", PAGES)
def test_relative_links_lead_to_files(page):
    links = re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", (CHECKOUT / page).read_text(encoding="utf-8"))
    missing = [link for link in links if "://" not in link and not (CHECKOUT / link).is_file()]
    assert missing == []


def test_citation_and_changes_name_the_version():
    citation = (CHECKOUT / "CITATION.cff").read_text(encoding="utf-8")
    assert f"\nversion: {pqcomq.__version__}\n" in citation
    changes = (CHECKOUT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert re.search(r"^## \[([\d.]+)\]", changes, re.MULTILINE)[1] == pqcomq.__version__


def test_columns_of_a_session_s_tables_are_told():
    text = (CHECKOUT / "docs" / "file_formats.md").read_text(encoding="utf-8")
    told = {name: re.split(r",\s+", columns) for name, columns in re.findall(r"^`(\w+\.csv)`: `([^`]+)`", text, re.M)}
    assert told["slices.csv"] == ["object", "precision", *(each.name for each in fields(SliceScores))]
    verdict = Verdict("liver", "4-bit", "pass", 1.0, 0.0, Tolerance(), (), "")
    assert told["gate.csv"] == list(verdict.to_dict())


def test_every_command_is_on_its_page(scripts):
    from hooks import command_pages

    commands = re.findall(r"^## `pqcomq (\w+)`$", command_pages(), re.MULTILINE)
    assert {"demo", "quantize", "segment", "compare", "evaluate", "report", "replay", "gate", "bench"} <= set(commands)


def test_drawing_shows_all_packages_and_downward_arrows_only(scripts):
    from package_drawing import drawing

    picture = drawing(CHECKOUT)
    packages = {
        place.parent.name
        for root in ("src/pqcomq", "napari_pqcomq")
        for place in (CHECKOUT / root).glob("*/__init__.py")
    }
    assert packages <= set(re.findall(r'fill="#fff" text-anchor="middle">(\w+)<', picture))
    ends = re.findall(r'd="M\d+ (\d+)C.*? \d+ (\d+)" fill="none"', picture)
    assert len(ends) > len(packages) / 2
    assert all(int(start) < int(end) for start, end in ends)
