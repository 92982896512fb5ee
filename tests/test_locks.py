"""The locks hold what setup.cfg asks for, in versions that it allows, each with a hash."""

from __future__ import annotations

import configparser
import re
from pathlib import Path

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).parents[1]
LOCKS = {"engine": (), "window": ("napari", "openvino")}


def asked(extras):
    """The requirements of setup.cfg."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    blocks = [config["options"]["install_requires"], *(config["options.extras_require"][extra] for extra in extras)]
    lines = [line.strip() for block in blocks for line in block.splitlines()]
    return [Requirement(line) for line in lines if line and not line.startswith("#")]


@pytest.mark.parametrize("name", LOCKS)
def test_a_lock_fits_what_is_asked_for(name):
    text = (ROOT / ".ci" / "locks" / f"{name}.txt").read_text(encoding="utf-8")
    pinned = re.findall(r"^([\w.-]+)==([\w.+!-]+)", text, re.MULTILINE)
    versions: dict[str, list[str]] = {}
    for package, version in pinned:
        versions.setdefault(package.lower().replace("_", "-"), []).append(version)
    for each in asked(LOCKS[name]):
        found = versions.get(each.name.lower().replace("_", "-"))
        assert found, f"{each.name} is not in the lock; run .ci/locks/update"
        assert any(each.specifier.contains(version) for version in found), f"{each} is not met by {found}"


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_has_a_hash_and_no_host_is_named(name):
    text = (ROOT / ".ci" / "locks" / f"{name}.txt").read_text(encoding="utf-8")
    blocks = re.split(r"\n(?=[\w.-]+==)", text)[1:]
    assert len(blocks) > 80
    assert all("--hash=sha256:" in block for block in blocks)
    assert "://" not in text
