"""The page: it stands by itself, names nobody, and its tables sort in a real browser."""

from __future__ import annotations

import asyncio
import json
import math
import re
import shutil
import subprocess
import threading
import urllib.request
from dataclasses import replace

import numpy as np
import pytest

from pqcomq.cli.terminal import cohort_output
from pqcomq.cohort.cases.case import Case, CaseList
from pqcomq.cohort.cohort_result import CohortResult
from pqcomq.cohort.cohort_store import CohortStore
from pqcomq.cohort.report import page, report_pictures
from pqcomq.cohort.report.card_figures import card_figures
from pqcomq.cohort.report.files import write_results
from pqcomq.cohort.scoring.loaded_models import FULL_PRECISION, MOVED_BOX, QUANTIZED, ModelInfo
from pqcomq.cohort.scoring.score_rows import CaseResult, ModelCost, WorstPicture, score_row
from pqcomq.cohort.settings import CohortSettings, ModelFile
from pqcomq.cohort.statistics.cohort_statistics import CohortStatistics
from pqcomq.comparison.measures.metrics import scores
from pqcomq.errors import InputError

pd = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")
pytest.importorskip("statsmodels")

pytestmark = pytest.mark.slow  # all of its plots, as a reader sees them

BROWSER = shutil.which("chromium") or shutil.which("google-chrome")
MODELS = [
    ModelInfo("FP32", FULL_PRECISION, "LiteMedSAM", 32.0, 32.0, 39_000_000, False, "torch"),
    ModelInfo("2-bit test", QUANTIZED, "LiteMedSAM", 2.0, 2.6, 3_700_000, True, "torch"),
]


def disc(radius, shape=(1, 64, 64)):
    _, y, x = np.indices(shape)
    return (y - 32) ** 2 + (x - 32) ** 2 < radius**2


def result_of(case, seed):
    """What a case of discs would have led to."""
    rows, generator = [], np.random.default_rng(seed)
    truth, full, low = disc(20), disc(19), disc(17 - int(generator.integers(0, 6)))
    doubt = {"stability": 0.9, "moved_boxes": 0.9, "certainty": 0.9}
    for protocol, z in (("slice", 3), ("organ", -1)):
        for name, role, mask, told in (
            ("FP32", FULL_PRECISION, full, None),
            ("FP32, box moved", MOVED_BOX, disc(18), None),
            ("2-bit test", QUANTIZED, low, doubt if z > 0 else None),
        ):
            between = None if role == FULL_PRECISION else scores(full, mask, (5, 2, 2))
            against = scores(truth, mask, (5, 2, 2))
            rows.append(score_row(case, "CT", protocol, 1, z, name, role, against, between, told, empty=False))
    pixels = generator.integers(0, 255, (64, 64), dtype=np.uint8)
    picture = WorstPicture(
        "2-bit test", "liver", 3, pixels, truth[0], full[0], low[0], (10.0, 10.0, 54.0, 54.0), 0.2, (2.0, 2.0)
    )
    costs = tuple(ModelCost(each.name, 4, 4, 800.0, 4, 90.0, 50.0, each.simulated) for each in MODELS)
    return CaseResult(case, tuple(rows), (), costs, (picture,), "CT", "ab" * 32, "", ("a note",), 0.1, 2.0, 10**9)


@pytest.fixture(scope="module")
def judged(tmp_path_factory):
    """A cohort's result and its statistics."""
    folder = tmp_path_factory.mktemp("cohort") / "out"
    names = [f"Zwetschge^Kunigunde {number}" for number in range(12)]
    cases = [
        Case(name, folder / "secret" / f"{name}.nii", folder / "labels.nii", label_names={1: "liver"}) for name in names
    ]
    settings = CohortSettings("lite-medsam", "", "ab", (ModelFile("/secret/two.safetensors", "cd"),), "torch")
    store = CohortStore(folder)
    store.begin(settings, CaseList(tuple(cases)), MODELS)
    for seed, case in enumerate(cases[:-1]):
        store.write(result_of(case, seed))
    store.write_fault(cases[-1], "not scored", "its labels lie on another grid")
    result = CohortResult.at(folder)
    return result, CohortStatistics.of(result, 0.01)


@pytest.fixture(scope="module")
def written(judged):
    """Its folder and the files in it."""
    result, _statistics = judged
    return result.store.folder, write_results(*judged)


@pytest.mark.slow
def test_a_model_s_card_gets_means_with_their_worst_cases(judged):
    result, statistics = judged
    quantized = result.models[1]
    lines = card_figures(result, statistics, "cd")
    full, own = (
        next(each for each in statistics.prompts if each.model == model.name and each.protocol == "slice")
        for model in result.models[:2]
    )
    row = next(line for line in lines if line.startswith("| slice |"))
    assert f"| {full.dice:.3f} ({full.worst_dice:.2f}) | {own.dice:.3f} ({own.worst_dice:.2f}) |" in row
    assert (
        f"{own.dice_between:.3f} ({own.worst_between:.2f}) | {own.worst_decile:.3f} | {100 * own.losing:.1f} % |" in row
    )
    right = own.strata[0]
    assert f"| slice | right | {right.prompts} | {right.dice:.3f} ({right.worst_dice:.2f}) |" in "\n".join(lines)
    assert "A cohort of 11 cases of 11 patients" in lines[0]
    assert lines[-1].endswith("fail.")
    assert not any("Zwetschge" in line for line in lines)
    with pytest.raises(InputError, match=rf"did not run the weights of this file, but {quantized.name} with"):
        card_figures(result, statistics, "of a file with the same bits")


@pytest.mark.slow
def test_all_files_are_written(written):
    folder, paths = written
    assert [path.name for path in paths] == [
        *("report.html", "scores.parquet", "scores.csv", "cases.csv", "differences.csv", "summary.json")
    ]
    summary = json.loads((folder / "summary.json").read_text(encoding="utf-8"))
    assert (summary["cases"], summary["scored"]) == (12, 11)
    together = summary["differences"][0]
    assert (together["label"], together["patients"], together["outcome"]) == ("all labels", 11, "fail")


def test_the_page_names_nobody_and_no_place(written):
    text = written[0].joinpath("report.html").read_text(encoding="utf-8")
    plain = re.sub(r"data:image/[^\"]+", "", text)
    assert "Zwetschge" not in plain and "secret" not in plain and str(written[0]) not in plain
    assert "http:" not in plain and "https:" not in plain
    assert "its labels lie on another grid" in plain
    assert plain.index("May the quantized model stand in?") < plain.index("Methods, ready to paste")
    assert 'class="verdict fail"' in plain
    assert re.search(r"Of 11 prompts \d+\.\d % lose more than \.1 Dice, and the worst loses 0\.\d{3}\.", plain)
    assert "<td>&lt;0.001</td>" in plain and "<td>0.000</td><td>0.000</td>" not in plain  # no test proves p = 0
    assert "on 11 cases of 11 patients (11 CT)." in plain
    assert "Small first, big when in doubt" in plain
    tables = [each.split("</thead>")[0] for each in plain.split("<table")[1:]]
    for head in (each for each in tables if "mean Dice vs truth" in each):
        assert all(words in head for words in ("worst tenth", "worst", "lose more than .1")), "a mean hides them"
    assert plain.count("right: prompts") == 1, (
        "the cascade's strata; a single label and modality have none of their own"
    )
    assert "simulated" in plain and "prefers-color-scheme: dark" in plain


async def visited(page, port):
    """Sort a table and filter rows in the browser; gives what was seen and all that the page said or asked for."""
    from tornado.websocket import websocket_connect

    with urllib.request.urlopen(f"http://127.0.0.1:{port}/json/list") as answer:
        target = next(each for each in json.load(answer) if each["type"] == "page")
    socket = await websocket_connect(target["webSocketDebuggerUrl"])
    events, count = [], 0

    async def call(method, **parameters):
        nonlocal count
        count += 1
        await socket.write_message(json.dumps({"id": count, "method": method, "params": parameters}))
        while True:
            message = json.loads(await socket.read_message())
            if message.get("id") == count:
                return message.get("result", {})
            events.append(message)

    async def evaluate(expression):
        told = await call("Runtime.evaluate", expression=expression, returnByValue=True)
        return told["result"].get("value")

    for domain in ("Log", "Runtime", "Network", "Page"):
        await call(f"{domain}.enable")
    await call("Page.navigate", url=page.as_uri())
    while await evaluate("document.readyState") != "complete" or not await evaluate(
        "document.querySelectorAll('th button').length"
    ):
        await asyncio.sleep(0.05)
    cells = (
        "Array.from(document.querySelectorAll('table.sorts')).find(t => t.textContent.includes('full precision is'))"
    )
    column = f"Array.from({cells}.tBodies[0].rows).filter(r => !r.hidden).map(r => parseFloat(r.cells[6].textContent))"
    await evaluate(f"{cells}.tHead.rows[0].cells[6].querySelector('button').click()")
    rising = await evaluate(column)
    await evaluate(f"{cells}.tHead.rows[0].cells[6].querySelector('button').click()")
    falling = await evaluate(column)
    await evaluate(
        f"f = {cells}.previousElementSibling; f.value = 'nothing like this'; f.dispatchEvent(new Event('input'))"
    )
    left = await evaluate(column)
    socket.close()
    return rising, falling, left, events


@pytest.mark.slow
@pytest.mark.skipif(BROWSER is None, reason="no Chromium on this machine")
def test_tables_sort_in_a_browser_and_nothing_is_asked_for(written, tmp_path):
    pytest.importorskip("tornado")
    command = [BROWSER, "--headless=new", "--no-sandbox", "--disable-gpu", "--remote-debugging-port=0"]
    process = subprocess.Popen(
        [*command, f"--user-data-dir={tmp_path}", "about:blank"],
        stderr=subprocess.PIPE,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    try:
        lines = iter(process.stderr.readline, "")
        port = next(
            found[1] for found in (re.search(r"listening on ws://[^:]+:(\d+)/", line) for line in lines) if found
        )
        rising, falling, left, events = asyncio.run(visited(written[0] / "report.html", port))
    finally:
        process.kill()
        process.wait()
        process.stderr.close()
    assert len(rising) == 11
    assert rising == sorted(rising) and falling == rising[::-1] and len(set(rising)) > 1
    assert left == []
    asked = [
        event["params"]["request"]["url"] for event in events if event.get("method") == "Network.requestWillBeSent"
    ]
    assert all(url.startswith(("file:", "data:")) for url in asked)
    told = [event for event in events if event.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown")]
    assert told == []


def test_a_case_s_dot_is_the_difference_that_the_table_tells_of_it(judged):
    result, _statistics = judged
    scores, own = result.scores, {"label": "spleen", "label_number": 2, "dice_against_ground_truth": 0.5}
    more = scores[(scores["protocol"] == "slice") & (scores["case"] != scores["case"].max())].assign(**own)
    further = more.assign(slice=more["slice"] + 1)  # two slices of one label, one of the other
    both = CohortResult(result.store)
    both.__dict__["scores"] = pd.concat([scores, more, further], ignore_index=True)
    told = CohortStatistics.of(both, 0.01)
    dots = next(plot for plot in report_pictures.cohort_plots(both, told) if plot.text == "Every case")
    ((_name, values),) = dots.draw.keywords["losses"]
    assert -values.min() == pytest.approx(told.differences[0].worst_case)
    assert values.mean() == pytest.approx(told.differences[0].difference)


@pytest.mark.parametrize(
    ("names", "short"),
    [
        (["8-bit COMQ, openvino", "4-bit COMQ, openvino"], ["8-bit", "4-bit"]),
        (["4-bit COMQ, openvino", "4-bit Round to nearest, openvino"], ["4-bit COMQ", "4-bit Round to nearest"]),
        (["4-bit COMQ, openvino", "4-bit COMQ, torch"], ["4-bit COMQ, openvino", "4-bit COMQ, torch"]),
        (["4-bit COMQ", "4-bit COMQ, own volume"], ["4-bit COMQ", "4-bit COMQ, own volume"]),
    ],
)
def test_no_two_models_have_one_short_name(judged, names, short):
    result = CohortResult(judged[0].store)
    result.__dict__["models"] = [MODELS[0], *(replace(MODELS[1], name=name) for name in names)]
    found = report_pictures.cohort_names(result)
    assert [found[name] for name in names] == short


def test_an_infinite_distance_is_no_missing_number():
    assert [page._places(each, 1, "+") for each in (2.04, math.inf, math.nan)] == ["+2.0", "∞", "–"]


@pytest.mark.parametrize(
    ("loss", "told"), [(0.1234, "loses 0.123"), (-0.0002, "loses nothing"), (-0.2, "loses nothing")]
)
def test_a_picture_tells_what_its_prompt_loses(monkeypatch, loss, told):
    titles = []
    monkeypatch.setattr(report_pictures, "draw_comparison", lambda *_, title, **__: titles.append(title))
    masks = dict.fromkeys(("pixels", "truth", "full", "quantized"), disc(9)[0])
    head = {
        "model": "2-bit",
        "loss": loss,
        "label": "liver",
        "z": 3,
        "box": (1, 2, 3, 4),
        "spacing_yx": (1, 1),
        **masks,
    }
    report_pictures._worst(head, 4, {"2-bit": "2"})
    assert titles[0].startswith(f"case 4 · liver · slice 3 · {told} · ")


def test_of_jobs_that_end_together_the_last_one_writes_of_all_cases(tmp_path, monkeypatch):
    cases = [Case(name, tmp_path / name, tmp_path / "labels.nii") for name in ("anna", "bert")]
    store = CohortStore(tmp_path / "out")
    settings = CohortSettings("lite-medsam", "", "ab", (ModelFile("/two.safetensors", "cd"),), "torch")
    store.begin(settings, CaseList(tuple(cases)), MODELS)
    store.write(result_of(cases[0], 0))
    reads, written = threading.Event(), threading.Event()

    def write(result, _statistics):
        count = result.scored
        if not reads.is_set():  # the first to end is slow to write what it has read
            reads.set()
            written.wait(2)
        (store.folder / "scores.csv").write_text(str(count))
        return []

    monkeypatch.setattr(cohort_output, "write_results", write)

    def end():
        cohort_output.print_cohort(CohortResult.at(store.folder), 0.01, json=True)

    first = threading.Thread(target=end)
    first.start()
    while first.is_alive() and not reads.wait(0.1):
        pass
    store.write(result_of(cases[1], 1))
    end()
    written.set()
    first.join()
    assert (store.folder / "scores.csv").read_text() == "2"
    assert not list(store.folder.glob(".*.lock"))


@pytest.mark.slow
def test_the_published_table_beside_the_cohort_s(written, capsys):
    from pqcomq.cli import main

    with pytest.raises(SystemExit) as end:
        main(["reproduce", str(written[0]), "--json"])
    assert not end.value.code
    told = json.loads(capsys.readouterr().out)
    by_model = {(row["bits"], row["method"]): row for row in told["rows"]}
    assert len(by_model) == 10
    full, low = by_model[32, "full precision"], by_model[2, "Permutation-COMQ"]
    assert (full["paper_dice"], low["paper_dice"]) == (93.51, 86.94)
    assert full["dice"] > 90 and low["dice"] is None and low["strata"] == []
    assert full["losing"] == 0
    assert full["worst_decile"] <= full["dice"] + 1e-9, "the same where all prompts are alike, but for rounding"
    assert [each["name"] for each in full["strata"]] == ["right", "doubtful", "wrong"]
    with pytest.raises(SystemExit):
        main(["reproduce", str(written[0])])
    assert "Here, where full precision is right, doubtful or wrong" in capsys.readouterr().out
    assert any("LiteMedSAM" in sentence for sentence in told["differs"])
