"""``pqcomq models`` on a server of the tests' own."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from types import SimpleNamespace

import pytest
import torch
import typer

from pqcomq.models.catalogue.entries import ENTRIES
from pqcomq.models.mobile_sam import architecture

KEY = "mobile-sam"


@pytest.fixture
def offered(server, tmp_path, monkeypatch):
    """A checkpoint of MobileSAM's layout on the server, and the folder in which it will be kept."""
    torch.save(architecture().state_dict(), tmp_path / "mobile_sam.pt")
    server.content = (tmp_path / "mobile_sam.pt").read_bytes()
    md5 = hashlib.md5(server.content, usedforsecurity=False).hexdigest()
    entry = replace(ENTRIES[KEY], urls=(server.url,), size=len(server.content), checksum=f"md5:{md5}")
    monkeypatch.setitem(ENTRIES, KEY, entry)
    monkeypatch.setenv("PQCOMQ_MODELS", str(tmp_path / "models"))
    return tmp_path / "models"


def test_models_are_listed_with_what_is_known_of_them(run, offered):
    status, text, _ = run("models")
    assert status == 0
    assert all(key in text for key in ENTRIES)
    assert str(offered) in text.replace("\n", "")
    status, text, _ = run("models", "list", "medsam")
    assert "Nature Communications" in text
    content = json.loads(run("models", "list", "--json")[1])
    assert [each["key"] for each in content["models"]] == list(ENTRIES)
    assert [each["at_hand"] for each in content["models"]] == [True] + [False] * (len(ENTRIES) - 1)


def test_a_model_is_fetched_verified_and_removed(run, refused, offered, server):
    sentence = refused("models", "fetch", KEY).replace("\n", "")
    assert "licence of its weights was not accepted: Apache-2.0" in sentence
    status, text, _ = run("models", "fetch", KEY, "--accept-licence")
    assert status == 0
    assert "its checksum is the published one" in text
    assert "no SHA-256 is published" in text
    assert run("models", "fetch", KEY)[0] == 0, "accepted and at hand"
    verified = json.loads(run("models", "verify", KEY, "--json")[1])
    assert verified["sha256"] == hashlib.sha256(server.content).hexdigest()
    assert verified["published"]
    assert run("models", "remove", KEY)[0] == 0
    assert not list(offered.glob("*.pt"))
    assert "fetches it" in refused("models", "verify", KEY)


def test_a_file_is_taken_over(run, offered, tmp_path):
    status, _text, _ = run("models", "import", KEY, tmp_path / "mobile_sam.pt")
    assert status == 0
    assert (offered / "mobile_sam.pt").is_file()
    assert json.loads(run("models", "list", KEY, "--json")[1])["models"][0]["at_hand"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["fetch"], "name a model: lite-medsam, medsam"),
        (["import", KEY], "takes a model and its checkpoint file"),
        (["fetch", KEY, "file.pt"], "the other actions take no file"),
        (["remove", "lite-medsam"], "comes with the package"),
    ],
)
def test_what_cannot_be_done_is_told(refused, offered, arguments, words):
    assert words in refused("models", *arguments)


def test_the_question_of_the_licence_may_be_ended(run, offered, monkeypatch):
    def asked(*_given, **_named):
        raise typer.Abort

    monkeypatch.setattr("pqcomq.cli.models.typer.get_text_stream", lambda _name: SimpleNamespace(isatty=lambda: True))
    monkeypatch.setattr("pqcomq.cli.models.typer.confirm", asked)
    status, out, err = run("models", "fetch", KEY)
    assert (status, out) == (130, "")
    assert err.endswith("pqcomq: interrupted; nothing was written\n")
    assert not offered.exists() or not list(offered.iterdir())
