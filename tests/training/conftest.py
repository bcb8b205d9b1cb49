"""What tests of training share: the smallest run that there is."""

from deep3d.training.config import LossWeights, Stage, TrainingConfig

STAGE = Stage(crop_size=32, batch_size=4, steps=4, learning_rate=1e-3, final_rate=0.1, portrait_share=0.0)
CONFIG = TrainingConfig(
    trunk="resnet18",
    seed=1,
    reuse=2.0,
    buffer_mib=1,
    workers=1,
    weight_decay=0.01,
    average_decay=0.5,
    checkpoint_every=4,
    dense_landmarks=70,
    loss=LossWeights(1, 1, 1, 1, 1, 1, 1, 1, 1, 1),
    stages=(STAGE,),
)
