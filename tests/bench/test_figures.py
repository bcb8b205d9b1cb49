"""What figures say of measured seconds."""

import json

import pytest

from deep3d.bench.figures import BenchReport, Section, compared, figure

MACHINE = {"processor": "abacus", "cores": 2, "system": "Linux"}


def test_a_slow_spell_that_hits_all_alike_leaves_the_ratio_alone():
    calm, spell = [0.010, 0.011], [0.050, 0.055, 0.060]
    fast, slow = compared({"fast": calm + spell, "slow": [3 * t for t in calm + spell]}, "slow")
    assert fast.ratio == pytest.approx(3) and slow.ratio == 1
    assert (fast.value, fast.low, fast.high, fast.unit) == (50, 10, 60, "ms")


def test_a_batch_counts_by_its_share():
    one, many = compared({"one": [0.1], "many": [0.4]}, "one", {"many": 8})
    assert (one.value, many.value, many.ratio) == (100, 50, 2)


def test_without_a_base_there_are_no_ratios():
    (alone,) = compared({"alone": [0.1]}, None)
    assert alone.ratio is None


def test_the_report_is_a_table_with_what_was_left_out_and_plain_json():
    compared_with = Section("Race", tuple(compared({"a": [0.001], "b": [0.004]}, "b")), "b", ("c (not there)",))
    alone = Section("Size", (figure("face.glb", [3.5], "MB"),))
    report = BenchReport((compared_with, alone), MACHINE, "2026-01-31T00:00:00+00:00")
    text = report.to_markdown()
    assert text.startswith("Measured 2026-01-31 on abacus, 2 cores, Linux.\n\n### Race\n")
    assert "| a | 1 ms | 1 to 1 | 4.00 |" in text and "Not measured: c (not there)." in text
    assert "| face.glb | 3.5 MB | 3.5 to 3.5 |\n" in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    assert [row.count("|") for row in rows] == [5] * 4 + [4] * 3
    plain = json.loads(json.dumps(report.to_json()))
    assert plain["schema"] == "deep3d.bench/1" and plain["sections"][0]["figures"][0]["ratio"] == 4
