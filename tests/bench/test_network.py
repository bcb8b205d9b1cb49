"""The network in every runtime."""

from deep3d.bench import network


def test_what_cannot_run_is_named(monkeypatch, toy_checkpoint):
    monkeypatch.setattr(network, "PRECISIONS", {"onnx": ("fp32",), "openvino": ("int8",)})
    section = network.network_section(toy_checkpoint, rounds=1)
    assert [figure.name for figure in section.figures] == ["onnx fp32, batch 1", "onnx fp32, batch 16"]
    (reason,) = section.skipped
    assert reason.startswith("openvino int8 (")
    assert section.base is None and section.figures[0].ratio is None


def test_ratios_refer_to_eager_torch_where_it_is(monkeypatch, toy_checkpoint):
    monkeypatch.setattr(network, "PRECISIONS", {"eager": ("fp32",)})
    section = network.network_section(toy_checkpoint, rounds=1)
    assert section.base == section.figures[0].name == "eager fp32, batch 1"
    assert section.figures[0].ratio == 1
