"""Choosing and keeping the best way to run the network on one machine."""

import json
import time
from functools import partial
from types import SimpleNamespace
from typing import Any

import pytest

from deep3d.errors import RuntimeUnavailable
from deep3d.pipeline.reconstructor import Reconstructor
from deep3d.runtime import tuning
from deep3d.runtime.plan import Plan, Plans, plan_path, read_plan, write_plans
from deep3d.runtime.tuning import Trial, best, trials, tune


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    monkeypatch.setattr("deep3d.runtime.plan.cache_folder", lambda: tmp_path / "cache")


def _plan(**values) -> Plan:
    return Plan(
        **{
            "runtime": "onnx",
            "precision": "fp32",
            "threads": 2,
            "processes": 1,
            "batch_size": 1,
            "images_per_second": 50.0,
            "milliseconds": 20.0,
        }
        | values
    )


def test_cores_are_shared_among_threads_and_processes(monkeypatch):
    monkeypatch.setattr(tuning, "available_runtimes", lambda: ["onnx"])
    assert [(trial.threads, trial.processes) for trial in trials(6)] == [(6, 1), (3, 2), (1, 6)]


def test_the_best_for_one_photo_and_for_many():
    alone = _plan(milliseconds=10.0, images_per_second=100.0)
    many = _plan(threads=1, processes=2, batch_size=16, images_per_second=200.0, milliseconds=160.0)
    quick_but_shared = _plan(threads=1, processes=2, milliseconds=9.0, images_per_second=150.0)
    assert best([_plan(), alone, quick_but_shared, many]) == Plans(latency=alone, throughput=many)


def test_nothing_measured_is_told():
    with pytest.raises(
        RuntimeUnavailable, match="nothing could be measured in that time; give it more time with --seconds"
    ):
        best([])


def test_a_measurement_leaves_out_what_cannot_run(monkeypatch, toy_checkpoint):
    # given int8 without a calibration beside a runtime that works
    planned = [Trial("openvino", "int8", 1, 2), Trial("onnx", "fp32", 1, 2)]
    monkeypatch.setattr(tuning, "trials", lambda cores: iter(planned))
    monkeypatch.setattr(tuning, "_SECONDS", 0.01)
    told = []
    # when
    measured = tune(toy_checkpoint, 600, lambda *progress: told.append(progress))
    # then
    assert {(plan.runtime, plan.batch_size) for plan in measured} == {("onnx", size) for size in tuning.BATCHES}
    assert all(plan.processes == 2 and plan.images_per_second > 0 for plan in measured)
    assert told == [(planned[0], 0, 2), (planned[1], 1, 2)]


def test_no_trial_begins_after_the_time_is_over(monkeypatch, toy_checkpoint):
    monkeypatch.setattr(tuning, "_measure", lambda checkpoint, trial, end: [_plan()])
    monkeypatch.setattr(tuning, "time", SimpleNamespace(monotonic=iter([0.0, 1.0, 5.0, 11.0, 12.0]).__next__))
    monkeypatch.setattr(tuning, "trials", lambda cores: iter([Trial("onnx", "fp32", 1, 1)] * 4))
    assert len(tune(toy_checkpoint, 10, lambda *progress: None)) == 2


def test_a_trial_that_the_end_interrupts_is_broken_off(monkeypatch, toy_checkpoint):
    monkeypatch.setattr(tuning, "_SECONDS", 0.01)
    assert tuning._measure(toy_checkpoint, Trial("onnx", "fp32", 1, 1), end=time.monotonic()) == []


def test_plans_are_followed(toy_checkpoint, toy_model_path):
    assert read_plan(toy_checkpoint, "latency") is None
    write_plans(toy_checkpoint, Plans(latency=_plan(threads=1), throughput=_plan(runtime="eager")))
    assert read_plan(toy_checkpoint, "latency") == _plan(threads=1)

    load = partial(Reconstructor.load, toy_checkpoint.path, toy_model_path)
    chosen: Any = [load(), load(goal="throughput"), load(runtime="openvino", goal="throughput")]
    assert [each.networks.regressor.runtime.name for each in chosen] == ["onnx", "eager", "openvino"]


def test_a_plan_that_cannot_be_followed_is_refused_by_name(toy_checkpoint):
    path = write_plans(toy_checkpoint, Plans(latency=_plan(), throughput=_plan()))
    assert path == plan_path(toy_checkpoint)
    content = json.loads(path.read_text())
    for change, message in [
        ({"machine": content["machine"] | {"processor": "another"}}, "this plan is for another machine"),
        ({"schema": "deep3d.plan/0"}, "not a plan of this version"),
        ({"latency": {"runtime": "onnx"}}, "'latency' is not a complete plan"),
        ({"latency": content["latency"] | {"threads": 0}}, "'latency' cannot be followed"),
    ]:
        path.write_text(json.dumps(content | change))
        with pytest.raises(RuntimeUnavailable, match=message) as raised:
            read_plan(toy_checkpoint, "latency")
        assert str(path) in str(raised.value)
    path.write_text("{")
    with pytest.raises(RuntimeUnavailable, match="cannot read a plan"):
        read_plan(toy_checkpoint, "latency")
