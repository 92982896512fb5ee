"""What the store lets go of when another comparison comes."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace


def test_another_comparison_drops_what_belonged_to_the_one_before(store, result):
    store.set_result(result)
    store.set_jitters({1: object()})
    store.reading = SimpleNamespace(is_finished=False)
    assert store.is_being_read
    assert store.finished_reading is None
    store.set_result(replace(result))
    assert (store.jitters, store.reading) == ({}, None)
    assert not store.is_being_read
