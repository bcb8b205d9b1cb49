import pytest

from deep3d.training.config import Schedule
from deep3d.training.refiner.config import RefinerConfig, RefinerLossWeights


@pytest.fixture
def config() -> RefinerConfig:
    """A run of four steps on few made-up heads."""
    return RefinerConfig(
        seed=3,
        weight_decay=0.01,
        average_decay=0.9,
        checkpoint_every=100,
        heads=64,
        workers=1,
        portrait_share=0.0,
        portrait_crops=0,
        loss=RefinerLossWeights(dense=0.6, certainty=0.8, portraits=0.25),
        schedule=Schedule(crop_size=224, batch_size=4, steps=4, learning_rate=1e-3, final_rate=0.1),
    )
