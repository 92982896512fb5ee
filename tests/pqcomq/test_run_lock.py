"""Two runs do not write in one place at the same time, and a killed one holds nobody up."""

import subprocess
import sys
from contextlib import ExitStack

import pytest

from pqcomq.errors import InputError
from pqcomq.run_lock import only_run

HOLD = """
import sys
from pathlib import Path
from pqcomq.run_lock import only_run
with only_run(Path(sys.argv[1]), Path("w.safetensors")):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def other(tmp_path):
    """Another process that holds the lock."""
    command = [sys.executable, "-c", HOLD, str(tmp_path / ".lock")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8") as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_a_second_run_is_told(tmp_path, other):
    with pytest.raises(InputError) as caught, only_run(tmp_path / ".lock", "w.safetensors"):
        raise AssertionError
    told = "Another run is writing there; wait for its end, or choose another place (w.safetensors)."
    assert str(caught.value) == told
    assert (tmp_path / ".lock").exists()
    other.communicate("")
    with only_run(tmp_path / ".lock", "w.safetensors"):
        pass
    assert not list(tmp_path.iterdir())


def test_what_a_killed_run_leaves_holds_nobody_up(tmp_path, other):
    other.kill()
    other.wait()
    with only_run(tmp_path / ".lock", "w.safetensors"):
        pass
    assert not list(tmp_path.iterdir())


def test_within_a_process_too(tmp_path):
    with ExitStack() as held:
        held.enter_context(only_run(tmp_path / ".lock", "x"))
        with pytest.raises(InputError, match="Another run is writing there"):
            held.enter_context(only_run(tmp_path / ".lock", "x"))


def test_a_folder_that_cannot_be_written_is_told(tmp_path):
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="cannot be written to the folder"), only_run(tmp_path / "file" / ".lock", "x"):
        raise AssertionError
