"""Training computes in bfloat16 where the device does."""

import pytest
import torch

from deep3d.training.precision import fast_arithmetic


@pytest.mark.parametrize(("known", "dtype"), [(("fp32",), torch.float32), (("fp32", "bf16"), torch.bfloat16)])
def test_a_processor_without_bfloat16_computes_in_float32(known, dtype, monkeypatch):
    monkeypatch.setattr("deep3d.training.precision.processor_precisions", lambda: known)
    with fast_arithmetic(torch.device("cpu")):
        assert torch.nn.Linear(2, 2)(torch.ones(1, 2)).dtype == dtype
