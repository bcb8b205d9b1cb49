"""The light of a photo taken off its face, from the files of a finished job."""

from __future__ import annotations

import io

import numpy as np
from sqlalchemy import select

from deep3d import default_face_model, material_glb, read_hair, read_photo, reopen_face, separate, small_material_glb
from serving.site import Site
from serving.store.tables import Face, Upload


def lit_face(site: Site, folder: str, kind: str) -> bytes:
    """The GLB of one of `orders.MATERIALS`, of the face in a folder of the storage; takes seconds.

    Raises: FileNotFoundError if the job has been deleted.
    """
    content = site.storage.read(f"{folder}/face.json")
    photo = read_photo(site.storage.read(_photo(site, folder)))
    moved = f"{folder}/displacement.npy"
    displacement = np.load(io.BytesIO(site.storage.read(moved))) if site.storage.exists(moved) else None
    face = reopen_face(content, photo, default_face_model(), displacement)
    material = separate(face)
    if kind == "material_web":
        return small_material_glb(face, material)
    web = f"{folder}/face.web.glb"
    hair = read_hair(site.storage.read(web)) if site.storage.exists(web) else None
    return material_glb(face, material, hair)


def _photo(site: Site, folder: str) -> str:
    """Where the photo of the face in a folder lies."""
    own = (Upload.job_id == Face.job_id) & (Upload.number == Face.photo)
    with site.database.reading() as session:
        path = session.scalar(select(Upload.path).join(Face, own).where(Face.folder == folder))
    if path is None:
        raise FileNotFoundError(folder)
    return path
