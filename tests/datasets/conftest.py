"""The folders that the tests of data sets read are those of the evaluation."""

from tests.evaluation.conftest import heads_folder, portraits_folder

__all__ = ["heads_folder", "portraits_folder"]
