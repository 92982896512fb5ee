"""What the commands print comes out as it is."""

from __future__ import annotations

from pqcomq.cli.terminal.output import print_table


def test_square_brackets_stay_in_tables(capsys):
    print_table("scan [red]", ["[b]", "value"], [["a[1]", "2"]], 'pip install "napari-pqcomq[openvino]"')
    told = capsys.readouterr().out.replace("\n", "")  # a caption is wrapped to the table
    for text in ("scan [red]", "[b]", "a[1]", '"napari-pqcomq[openvino]"'):
        assert text in told
