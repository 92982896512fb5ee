"""Every schema is one that the library can check, and a whole session fits its own."""

from __future__ import annotations

import contextlib
import importlib

import msgspec
import pytest

from pqcomq.session.session_schema import Latency

MODULES = (
    "pqcomq.session.session_schema",
    "pqcomq.quantization.files.manifest_schema",
    "pqcomq.quantization.files.resume_schema",
    "pqcomq.cohort.cohort_schema",
)


@pytest.mark.parametrize("name", MODULES)
def test_every_schema_can_be_checked(name):
    module = importlib.import_module(name)
    structs = [each for each in vars(module).values() if isinstance(each, type) and issubclass(each, msgspec.Struct)]
    assert structs
    for struct in structs:
        with contextlib.suppress(msgspec.ValidationError):  # it lacks something; any other error is the schema's
            msgspec.convert({}, struct)


def test_a_network_that_took_no_time_at_all_is_damaged():
    """Others are divided by it."""
    told = {"median_ms": 1.5, "p95_ms": 2.0, "passes": 1, "each_ms": [1.5]}
    msgspec.convert(told, Latency)
    for nothing in (0, 1e-320):
        with pytest.raises(msgspec.ValidationError):
            msgspec.convert(told | {"median_ms": nothing}, Latency)
