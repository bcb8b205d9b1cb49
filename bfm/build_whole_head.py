"""Build what the open face model lacks of a whole head: neck, shoulders and tongueOut, from the ICT Face Model Light.

    python bfm/build_whole_head.py SOURCE --out bfm/whole_head.safetensors

SOURCE is ict_facekit.npz (packed) or the folder FaceXModel of ICT-FaceKit as published. Vertices are appended to those
of the model, which keep their numbers.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from deep3d.face_model import default_face_model
from deep3d.files.tensor_file import write_tensors
from recipe.bust import build_bust
from recipe.source import read_source
from recipe.tongue import tongue_out


def main() -> None:
    """Read the command line, build, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("source", type=Path)
    parser.add_argument("--out", type=Path, default=Path(__file__).with_name("whole_head.safetensors"))
    arguments = parser.parse_args()
    model = default_face_model()
    metadata = {
        "name": "deep3d whole head",
        "version": "1",
        "licence": "MIT",
        "source": "ICT Face Model Light (USC ICT, Vision and Graphics Lab, MIT licence)",
        "face_model": model.info.sha256,
    }
    arrays = build_bust(read_source(arguments.source), model) | tongue_out(model)
    write_tensors(arguments.out, arrays, metadata)


if __name__ == "__main__":
    main()
