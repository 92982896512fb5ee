from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pqcomq.process import keep_freed_memory


def policy(**environment):
    code = "import pqcomq, os; print(os.environ['OMP_WAIT_POLICY'])"
    clean = {name: value for name, value in os.environ.items() if name != "OMP_WAIT_POLICY"}
    ran = subprocess.run(
        [sys.executable, "-c", code], env=clean | environment, capture_output=True, text=True, check=True
    )
    return ran.stdout.strip()


def test_waiting_threads_sleep_unless_the_user_said_otherwise():
    assert policy() == "PASSIVE"
    assert policy(OMP_WAIT_POLICY="ACTIVE") == "ACTIVE"


@pytest.mark.skipif("linux" not in sys.platform, reason="glibc's allocator is Linux's")
def test_freed_memory_is_kept_on_linux():
    assert keep_freed_memory()


def test_elsewhere_the_allocator_is_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    assert not keep_freed_memory()


def test_importing_the_package_does_not_import_torch():
    code = "import pqcomq, sys; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
