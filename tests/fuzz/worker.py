"""A process that opens inputs one after the other, with limits; its death is the parent's to see.

Lines of JSON in: ``{"format", "path", "role"}``. The role ``open`` reads as the program does, ``second`` as an
independent reader does. Lines of JSON out: what came of it.
"""

from __future__ import annotations

import json
import logging
import os
import sys
import tempfile
import traceback
import warnings
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))

import readers

LIMIT_BYTES = 1 << 30
"""Of memory beyond what the process has once everything is imported."""


def limit_memory() -> None:
    """No more than so much beyond what is taken now."""
    try:
        import resource
    except ImportError:
        return
    taken = int(Path("/proc/self/statm").read_text("ascii").split()[0]) * os.sysconf("SC_PAGE_SIZE")
    resource.setrlimit(resource.RLIMIT_AS, (taken + LIMIT_BYTES, resource.RLIM_INFINITY))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def answer(job: dict[str, str]) -> dict[str, Any]:
    from pqcomq.errors import InputError

    path = Path(job["path"])
    try:
        if job["role"] == "second":
            return {"outcome": "read", "told": readers.second(job["format"], path)}
        return {"outcome": "opened", "told": readers.OPENERS[job["format"]](path)}
    except InputError as problem:
        sentence = str(problem)
        lacks = "computer's memory" in sentence
        return {"outcome": "refused", "told": sentence, "memory": lacks} | ({"long": True} if "\n" in sentence else {})
    except MemoryError:
        return {"outcome": "out of memory", "told": ""}
    except Exception as problem:
        return {"outcome": "traceback", "told": f"{type(problem).__name__}: {problem}", "where": traceback.format_exc()}


def main() -> None:
    readers.seeds_folder = Path(sys.argv[1])
    warnings.simplefilter("ignore")
    logging.disable(logging.CRITICAL)
    out = os.fdopen(os.dup(1), "w")
    # What libraries print past Python is found in a file.
    heard = tempfile.TemporaryFile()  # noqa: SIM115 (it stays open as long as the process)
    for stream in (1, 2):
        os.dup2(heard.fileno(), stream)
    import nibabel
    import pydicom
    import SimpleITK
    import torch

    del nibabel, pydicom, SimpleITK
    torch.set_num_threads(1)
    limit_memory()
    out.write("ready\n")
    out.flush()
    for line in sys.stdin:
        found = answer(json.loads(line))
        heard.seek(0)
        if noise := heard.read(2000):
            found["noise"] = noise.decode(errors="replace")
            heard.truncate(0)
        out.write(json.dumps(found) + "\n")
        out.flush()


if __name__ == "__main__":
    main()
