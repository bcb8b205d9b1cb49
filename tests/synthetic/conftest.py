"""What the tests of made-up people share with those of training."""

from tests.training.conftest import one_thread

__all__ = ["one_thread"]
