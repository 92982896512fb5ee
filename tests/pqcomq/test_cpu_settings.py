from __future__ import annotations

import os
import subprocess
import sys

import pytest

from pqcomq.cpu_settings import keep_freed_memory


def setting(name, **environment):
    ours = ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "THP_MEM_ALLOC_ENABLE")
    code = f"import pqcomq, os; print(os.environ.get({name!r}))"
    clean = {each: value for each, value in os.environ.items() if each not in ours}
    ran = subprocess.run(
        [sys.executable, "-c", code], env=clean | environment, capture_output=True, text=True, check=True
    )
    return ran.stdout.strip()


def test_waiting_threads_sleep_unless_the_user_said_otherwise():
    assert setting("OMP_WAIT_POLICY") == "PASSIVE"
    assert setting("GOMP_SPINCOUNT") == "2000"
    assert setting("OMP_WAIT_POLICY", OMP_WAIT_POLICY="ACTIVE") == "ACTIVE"
    assert setting("GOMP_SPINCOUNT", OMP_WAIT_POLICY="ACTIVE") == "None"


def test_large_tensors_get_huge_pages_unless_the_user_said_otherwise():
    assert setting("THP_MEM_ALLOC_ENABLE") == "1"
    assert setting("THP_MEM_ALLOC_ENABLE", THP_MEM_ALLOC_ENABLE="0") == "0"


@pytest.mark.skipif("linux" not in sys.platform, reason="glibc's allocator is Linux's")
def test_freed_memory_is_kept_on_linux():
    assert keep_freed_memory()


def test_elsewhere_the_allocator_is_left_alone(monkeypatch):
    monkeypatch.setattr(sys, "platform", "win32")
    assert not keep_freed_memory()


def test_importing_the_package_does_not_import_torch():
    code = "import pqcomq, sys; print('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
