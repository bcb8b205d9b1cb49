"""One tree of errors for people: each message is one line naming the file or field, what is wrong, what to do."""

from __future__ import annotations


class Deep3DError(Exception):
    """Base class of all errors that this package raises deliberately."""


class ShapeError(Deep3DError, ValueError):
    """An array does not have the shape that the function documents."""


class PhotoError(Deep3DError):
    """A photo cannot be used."""


class PhotoUnreadable(PhotoError):
    """Not an image, or truncated, or of a kind that cannot be decoded."""


class PhotoTooLarge(PhotoError):
    """More pixels than are safe to decode, or than memory has room for."""


class PhotoTooSmall(PhotoError):
    """Fewer pixels than a face needs."""


class PhotoMissing(PhotoError):
    """No photo at that path, or a folder without photos."""


class PhotoFailed(PhotoError):
    """Memory ran out for a photo, or something unexpected failed."""


class NoFaceFound(PhotoError):
    """The detector sees no face in the photo."""

    @classmethod
    def in_photo(cls, name: str) -> NoFaceFound:
        """The error for a photo of that name or path."""
        return cls(f"{name}: no face found; use a photo in which a face is larger or less covered")


class AlignmentFailed(PhotoError):
    """Five points that cannot be those of a face in the photo."""


class LandmarksInvalid(PhotoError):
    """Landmarks that are not 68 points of a face, or not of the face in this photo."""


class DepthInvalid(Deep3DError, ValueError):
    """A depth map without a surface, or a camera that cannot have seen it."""


class EnvironmentInvalid(Deep3DError):
    """A light to put a face in: no preset, or a file that is no Radiance picture."""


class MaterialMissing(Deep3DError):
    """A folder of results without the maps that another light needs."""


class VideoError(Deep3DError):
    """A video cannot be used."""


class VideoUnreadable(VideoError):
    """No video at that path, or not a video, or of a kind that cannot be decoded."""


class CameraUnavailable(VideoError):
    """There is no such camera, another program holds it, or it has stopped giving pictures."""


class NoFaceInVideo(VideoError):
    """No frame of the video shows a face."""


class FaceModelError(Deep3DError):
    """A face model file cannot be used."""


class FaceModelMissing(FaceModelError):
    """No face model file at that path."""


class FaceModelInvalid(FaceModelError):
    """The file is not a face model of this project, or is damaged."""


class CheckpointError(Deep3DError):
    """A checkpoint cannot be used."""


class CheckpointMissing(CheckpointError):
    """No checkpoint at that path."""


class CheckpointInvalid(CheckpointError):
    """The file is not a checkpoint of this project, or is damaged."""


class CheckpointMismatch(CheckpointError):
    """The checkpoint was trained for another face model."""


class RuntimeUnavailable(Deep3DError):
    """The chosen runtime is not installed or does not work on this processor."""


class ExtraMissing(Deep3DError):
    """A package is missing that an optional extra installs, or that has to be installed separately."""


class CoefficientsInvalid(Deep3DError):
    """A file of coefficients cannot be read, or contains something else."""


class OutputNotWritable(Deep3DError):
    """Results cannot be written to the chosen folder."""


class DatasetError(Deep3DError):
    """An evaluation or training data set is missing or incomplete."""


class ConfigError(Deep3DError):
    """A configuration file has a missing, unknown or impossible value."""


class TrainingError(Deep3DError):
    """A training run cannot continue."""


class TrainingStopped(TrainingError):
    """The run was stopped; the same command continues it."""
