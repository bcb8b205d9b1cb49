"""What goes over the wire: the models that requests are checked against and that the OpenAPI document is made of."""

from __future__ import annotations

from typing import Annotated, Literal

from flask import url_for
from pydantic import BaseModel, ConfigDict, Field

from serving.jobs import reasons, verdicts
from serving.jobs.lookup import JobState
from serving.pictures.views import BACKGROUNDS, LARGEST, MOST_VIEWS, SMALLEST, Look
from serving.store.storage import Storage
from serving.store.tables import Face, Status, Upload

FILES = {
    "glb": "face.glb",
    "obj": "face.obj",
    "mtl": "face.mtl",
    "texture": "texture.png",
    "ply": "face.ply",
    "json": "face.json",
    "overlay": "overlay.jpg",
    "albedo": "albedo.png",
}
"""The files of a face, by the name of their link."""

HAIR_FILES = {"hair_obj": "hair.obj", "hair_mtl": "hair.mtl", "hair_texture": "hair.png"}
"""Further files of a face that has hair, by the name of their link."""

VIEWER_FILES = {"web": "face.web.glb", "preview": "preview.jpg"}
"""What the viewer shows first, by the name of its link."""

DOWNLOADS = (*FILES.values(), *HAIR_FILES.values(), *VIEWER_FILES.values())
"""All files of a face that have an address of their own."""


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")


def _is_none(value: object) -> bool:
    """Whether an answer leaves a field out."""
    return value is None


class _Request(BaseModel):
    model_config = ConfigDict(extra="ignore")


class JobForm(_Request):
    """The fields of a submission, beside its photos."""

    email: str = Field("", description="Email address to notify when the job is done.", examples=["anna@example.org"])
    webhook: str = Field(
        "",
        description="https address that gets a signed POST when it is done.",
        examples=["https://example.org/hooks/deep3d"],
    )
    faces: Literal["largest", "all"] = Field("largest", description="Which faces of a photo.", examples=["all"])
    same_person: bool = Field(False, description="All photos show one person: they give one face together.")
    quality: Literal["fast", "normal", "best"] = Field(
        "normal",
        description="fast: a first impression; normal: fitted to landmarks and colours; best: a finer shape, slower.",
        examples=["best"],
    )
    language: Literal["", "en", "de", "es", "zh"] = Field(
        "", description="Of the mail; by default as Accept-Language says.", examples=["de"]
    )


class SubmissionHeaders(_Request):
    """Headers of a submission."""

    idempotency_key: str = Field(
        "",
        alias="Idempotency-Key",
        max_length=200,
        description="Any text of yours: sent again with the same photos and fields, it leads to the same job.",
        examples=["holiday-17"],
    )


class LookQuery(_Request):
    """What the surface of a face shows."""

    look: Annotated[
        Literal["photo", "clay", "skin", "normals", "relit"],
        Field(description="What the surface shows; relit takes the photo's light off first.", examples=["relit"]),
    ] = "photo"
    light: Annotated[
        Literal["studio", "overcast", "window", "sunset", "night"],
        Field(description="That a relit face stands in.", examples=["window"]),
    ] = "studio"

    def dress(self) -> Look:
        """The same as pictures have it; the light counts where it falls."""
        return Look(self.look, self.light) if self.look == "relit" else Look(self.look)


class SnapshotQuery(LookQuery):
    """The angles, size, background and look of pictures; every yaw is combined with every pitch."""

    yaw: str = Field(
        "0", description="Degrees, several separated by commas; positive: turned to the right.", examples=["-40,0,40"]
    )
    pitch: str = Field("0", description="Degrees, several separated by commas; positive: looking up.", examples=["0"])
    size: Annotated[int, Field(ge=SMALLEST, le=LARGEST, description="Pixels on each side.")] = 1024
    background: str = Field(
        "white", description=f"{', '.join(BACKGROUNDS)}, or six hexadecimal digits.", examples=["grey"]
    )

    def views(self) -> list[tuple[float, float]]:
        """Pairs of yaw and pitch.

        Raises: ValueError, with a line for people.
        """
        views = [(yaw, pitch) for pitch in _angles("pitch", self.pitch, 90) for yaw in _angles("yaw", self.yaw, 180)]
        if len(views) > MOST_VIEWS:
            raise ValueError(f"yaw: {len(views)} pictures are too many; ask for at most {MOST_VIEWS}")
        return views


class SubmittedLinks(_Answer):
    """Links of a submitted job."""

    self: str
    page: str
    events: str


class SubmittedAnswer(_Answer):
    """An accepted job."""

    id: str
    status: Status
    links: SubmittedLinks


class PhotoAnswer(_Answer):
    """The result for one photo."""

    name: str
    error: str | None = Field(description="Why it gave no face.")
    warning: str | None = Field(
        None, description="Why it did not give all its faces; only there if so.", exclude_if=_is_none
    )


class FaceLinks(_Answer):
    """The files of a face."""

    glb: str
    obj: str
    mtl: str
    texture: str
    ply: str
    json_: str = Field(serialization_alias="json")
    overlay: str
    albedo: str
    web: str = Field(description="The mesh as the viewer takes it: small, in the expression of the photo.")
    preview: str = Field(description="The photo around the face.")
    photo: str
    snapshots: str
    snapshot: str
    turntable: str
    turntable_gif: str
    material: str = Field(description="The face without the photo's light, for 3D programs: a GLB with lit materials.")
    material_web: str = Field(description="The same as the viewer takes it.")
    zip: str = Field(description="All files together.")
    hair_obj: str | None = Field(
        None, description="The hair beside the mesh; its three links only where there is any.", exclude_if=_is_none
    )
    hair_mtl: str | None = Field(None, description="Its material.", exclude_if=_is_none)
    hair_texture: str | None = Field(None, description="Its colours and opacity.", exclude_if=_is_none)


class FaceAnswer(_Answer):
    """A face that was found."""

    photo: int = Field(description="Number of its photo, from 0.")
    expected_error: float | None = Field(
        description="Percent of the face's size: nine of ten such faces have a smaller mean error of their landmarks."
    )
    warnings: list[str] = Field(description="What is to be known of the result, the gravest first.")
    links: FaceLinks


class JobAnswer(_Answer):
    """The state of a job."""

    id: str
    status: Status
    progress: float = Field(ge=0, le=1)
    stage: str
    position: int = Field(description="Jobs before it, while it waits.")
    wait_seconds: float = Field(description="Until it is done, a guess.")
    photos: list[PhotoAnswer]
    faces: list[FaceAnswer]
    error: str | None
    expires_at: float = Field(description="Seconds since 1970.")


class WaitingAnswer(_Answer):
    """Pictures that are not ready yet. Ask again after the seconds in Retry-After."""

    status: Literal["waiting"] = "waiting"


class FieldProblem(_Answer):
    """What is wrong with one field."""

    field: str
    message: str


class Problem(_Answer):
    """Why a request was refused (RFC 9457)."""

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    errors: list[FieldProblem] = []


def job_answer(storage: Storage, secret: str, state: JobState) -> JobAnswer:
    """The state of a job, for whoever holds its id."""
    job = state.job
    return JobAnswer(
        id=secret,
        status=state.status,
        progress=1.0 if state.over else round(job.progress, 3),
        stage=job.stage if state.status is Status.RUNNING else "",
        position=state.position,
        wait_seconds=round(state.wait_seconds, 1),
        photos=[_photo_answer(upload, {face.photo for face in job.faces}) for upload in job.uploads],
        faces=[_face_answer(storage, secret, number, face) for number, face in enumerate(job.faces)],
        error=reasons.of_job(job),
        expires_at=round(job.expires_at, 3),
    )


def _face_answer(storage: Storage, secret: str, number: int, face: Face) -> FaceAnswer:
    verdict = verdicts.of_face(storage, face.folder)
    return FaceAnswer(
        photo=face.photo,
        expected_error=verdict.expected_error,
        warnings=list(verdict.warnings),
        links=_face_links(secret, number, hair=storage.exists(f"{face.folder}/{HAIR_FILES['hair_obj']}")),
    )


def _photo_answer(upload: Upload, with_faces: set[int]) -> PhotoAnswer:
    told = reasons.of_photo(upload)
    if upload.number in with_faces:
        return PhotoAnswer(name=upload.name, error=None, warning=told)
    return PhotoAnswer(name=upload.name, error=told, warning=None)


def _face_links(secret: str, number: int, hair: bool) -> FaceLinks:
    names = FILES | VIEWER_FILES | (HAIR_FILES if hair else {})
    files = {key: url_for("api.face_file", secret=secret, number=number, name=name) for key, name in names.items()}
    files["json_"] = files.pop("json")
    return FaceLinks(
        **files,
        photo=url_for("api.photo", secret=secret, number=number),
        snapshots=url_for("api.snapshots_zip", secret=secret, number=number),
        snapshot=url_for("api.snapshot", secret=secret, number=number),
        turntable=url_for("api.turntable", secret=secret, number=number, kind="mp4"),
        turntable_gif=url_for("api.turntable", secret=secret, number=number, kind="gif"),
        material=url_for("api.material", secret=secret, number=number, form="glb"),
        material_web=url_for("api.material", secret=secret, number=number, form="web.glb"),
        zip=url_for("api.zip_of_files", secret=secret, number=number),
    )


def _angles(name: str, text: str, most: float) -> list[float]:
    try:
        angles = [float(each) for each in text.split(",")]
    except ValueError:
        raise ValueError(f"{name}: {text[:40]!r} is not a list of numbers such as -30,0,30") from None
    if not all(abs(each) <= most for each in angles):  # NaN is refused too
        raise ValueError(f"{name}: give degrees from {-most:g} to {most:g}")
    return angles
