"""The face models that can be imported, by name."""

from __future__ import annotations

from pathlib import Path

from deep3d.face_model.bfm2009 import read_bfm2009
from deep3d.face_model.bfm2017 import read_bfm2017
from deep3d.face_model.bfm2019 import read_bfm2019
from deep3d.face_model.foreign import write_foreign_model
from deep3d.face_model.surrey import read_surrey

IMPORTERS = {
    "bfm2009": read_bfm2009,
    "bfm2017": read_bfm2017,
    "bfm2019": read_bfm2019,
    "surrey": read_surrey,
}
"""The reader of each model's files, which are a folder or one file."""


def import_face_model(kind: str, source: str | Path, out: str | Path) -> None:
    """Read a model from its owners' files and write it as a face model file of this project.

    `kind` is one of IMPORTERS. Nothing is written unless the source is complete and valid.

    Raises: FaceModelMissing, FaceModelInvalid, ExtraMissing.
    """
    write_foreign_model(out, IMPORTERS[kind](Path(source)))
