"""Write mtcnn.safetensors from the weights that the package facenet-pytorch carries: python convert_mtcnn.py."""

from __future__ import annotations

from pathlib import Path

from facenet_pytorch.models.mtcnn import ONet, PNet, RNet

from deep3d.files.tensor_file import write_tensors

METADATA = {
    "schema": "deep3d.mtcnn/1",
    "name": "MTCNN",
    "source": "facenet-pytorch 2.5.3, converted from David Sandberg's facenet; Zhang et al., 2016",
    "licence": "MIT",
}


def main() -> None:
    """Write the file beside this script."""
    arrays = {
        f"{name}.{key}": value.numpy()
        for name, network in (("pnet", PNet()), ("rnet", RNet()), ("onet", ONet()))
        for key, value in network.state_dict().items()
    }
    write_tensors(Path(__file__).with_name("mtcnn.safetensors"), arrays, METADATA)


if __name__ == "__main__":
    main()
