"""`deep3d model import`, `deep3d checkpoint import` and `rebind`, `deep3d decode`: files of models and weights."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from deep3d.cli.options import ModelOption
from deep3d.cli.output import require_writable, say


class ModelKind(StrEnum):
    """The face models that can be imported."""

    BFM2009 = "bfm2009"
    BFM2017 = "bfm2017"
    BFM2019 = "bfm2019"
    SURREY = "surrey"


def import_model(
    kind: Annotated[ModelKind, typer.Argument(help="Which model.")],
    source: Annotated[Path, typer.Argument(help="Folder with the original files, or the file itself.")],
    out: Annotated[Path, typer.Option(help="Face model file to write, .safetensors.")],
) -> None:
    """Import a licensed face model that you have. bfm/README.md says where to get it.

    Takes up to a minute, most of it for the UV atlas.
    """
    from deep3d.face_model.importers import import_face_model

    require_writable(out)
    import_face_model(kind.value, source, out)
    say(f"{out}: face model written")


def import_weights(
    source: Annotated[Path, typer.Argument(help="A .pth file of Deep3DFaceRecon_pytorch, such as epoch_20.pth.")],
    face_model: Annotated[
        Path, typer.Option("--model", help="The imported face model that the weights were trained for.")
    ],
    out: Annotated[Path, typer.Option(help="Checkpoint file to write, .safetensors.")],
) -> None:
    """Import trained weights as a checkpoint. Code in the file is never run."""
    from deep3d.face_model import read_face_model
    from deep3d.network.foreign import import_checkpoint

    require_writable(out)
    import_checkpoint(source, read_face_model(face_model), out)
    say(f"{out}: checkpoint written")


def rebind_weights(
    checkpoint: Annotated[Path, typer.Argument(help="Checkpoint file, .safetensors.")],
    trained_for: Annotated[
        Path, typer.Option("--trained-for", help="The face model that the checkpoint was trained for.")
    ],
    face_model: Annotated[Path, typer.Option("--model", help="The changed face model to use it with.")],
) -> None:
    """Allow a checkpoint to be used with a changed face model, if the change does not affect its predictions.

    Checks that every prediction keeps its meaning, and writes a record beside the checkpoint. The checkpoint itself
    does not change.
    """
    from deep3d.face_model import read_face_model
    from deep3d.network.binding import rebind, write_binding
    from deep3d.network.checkpoints import read_checkpoint

    weights, old = read_checkpoint(checkpoint), read_face_model(trained_for)
    weights.require_trained_for(old.info)
    new = read_face_model(face_model)
    written = write_binding(checkpoint, rebind(weights.sha256, weights.dense_vertices, old, new))
    say(f"{written}: {checkpoint.name} now works with {new.info.name} {new.info.version}")


def decode(
    coefficients: Annotated[Path, typer.Argument(help="N x 257 coefficients: .npy, .mat or .json, such as face.json.")],
    out: Annotated[Path, typer.Option(help="File to write: .npz or .mat.")],
    face_model: ModelOption = None,
) -> None:
    """Turn coefficients into vertices, normals, colours, projections and landmarks, in Deep3DFaceRecon's layout."""
    from deep3d.decoding.coefficient_files import read_coefficients
    from deep3d.decoding.decode import decode as decoded
    from deep3d.decoding.decode import write_decoded
    from deep3d.face_model import read_face_model

    require_writable(out)
    faces = read_coefficients(coefficients)
    write_decoded(out, decoded(read_face_model(face_model), faces))
    say(f"{out}: {len(faces)} faces written")
