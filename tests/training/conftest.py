"""What tests of training share: the smallest run that there is, and photos of made-up faces."""

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from deep3d.face_model import FaceModel
from deep3d.training.config import LossWeights, Stage, TrainingConfig
from deep3d.training.weak.drawn_faces import FaceDrawer

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


@pytest.fixture(scope="module", autouse=True)
def one_thread():
    """The same sums in the same order, whatever the machine."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture(scope="session")
def drawer(toy_face_model: FaceModel) -> FaceDrawer:
    """Draws the toy face model."""
    return FaceDrawer.on(torch.device("cpu"), toy_face_model)


@pytest.fixture(scope="session")
def toy_vectors() -> torch.Tensor:
    """Coefficients (4, 257) of faces turned this way and that, in white light."""
    vectors = torch.zeros(4, 257)
    vectors[:, 225] = torch.tensor([-0.2, -0.05, 0.1, 0.3])
    vectors[:, :80] = torch.randn(4, 80, generator=torch.Generator().manual_seed(1))
    return vectors


@pytest.fixture(scope="session")
def photo_list(tmp_path_factory: pytest.TempPathFactory, drawer: FaceDrawer, toy_vectors: torch.Tensor) -> Path:
    """Four drawn faces as photos, laid out as Deep3DFaceRecon's data preparation does; gives the list of masks."""
    root = tmp_path_factory.mktemp("deep3d")
    folder, lists = root / "datasets" / "toy", root / "datalist" / "train"
    for made in (folder / "landmarks", folder / "mask", lists):
        made.mkdir(parents=True)
    faces = drawer(toy_vectors)
    names: dict[str, list[str]] = {"images": [], "landmarks": [], "masks": []}
    for k in range(4):
        picture = (255 * faces.pictures[k].clamp(0, 1)).byte().numpy().transpose(1, 2, 0)
        Image.fromarray(np.pad(picture, ((20, 10), (0, 30), (0, 0)))).save(folder / f"{k}.png")
        mask = (255 * faces.skin[k].clamp(0, 1)).byte().numpy()
        Image.fromarray(np.pad(mask, ((20, 10), (0, 30)))).save(folder / "mask" / f"{k}.png")
        upward = faces.landmarks[k].numpy() * [1, -1] + [0, 224 + 30 - 1 - 20]
        np.savetxt(folder / "landmarks" / f"{k}.txt", upward)
        names["images"].append(f"datasets/toy/{k}.png")
        names["landmarks"].append(f"datasets/toy/landmarks/{k}.txt")
        names["masks"].append(f"datasets/toy/mask/{k}.png")
    for name, lines in names.items():
        (lists / f"{name}.txt").write_text("\n".join(lines) + "\n")
    return lists / "masks.txt"
