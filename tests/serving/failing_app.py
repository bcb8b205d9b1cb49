"""The application of a site whose files break off in the middle, for gunicorn."""

import io
import os

from serving.app import create_app_from_environment

app = create_app_from_environment()


class Broken(io.BytesIO):
    """A file that can be opened but not read."""

    def read(self, size: int | None = -1) -> bytes:
        raise OSError("the disk is gone, with " + os.environ["SECRET_IN_ERROR"])


app.extensions["site"].storage.open = lambda name: (Broken(), 100)
