"""A site whose pages are asked without a browser, and where jobs end as a test wishes."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from serving.app import create_app
from serving.jobs import submission
from serving.jobs.submission import Submission, Taken
from serving.jobs.uploads import Reader, clean_photos
from serving.settings import Settings
from serving.site import Site
from serving.store.tables import Face, Job, Status


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    """The application of a new site in the embedded mode, without the tokens of forms."""
    app = create_app(Settings(data_dir=tmp_path, secret_key="x" * 32, admin_password="open sesame", max_photos=3))
    app.config.update(TESTING=True, WTF_CSRF_ENABLED=False)
    yield app
    app.extensions["site"].close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A browser."""
    return app.test_client()


@pytest.fixture
def site(app: Flask) -> Site:
    """The site behind the application."""
    return app.extensions["site"]


@pytest.fixture
def photo() -> bytes:
    """A small JPEG."""
    content = io.BytesIO()
    Image.new("RGB", (64, 48), "peru").save(content, "JPEG")
    return content.getvalue()


@pytest.fixture
def ended_job(site: Site, photo: bytes, reader: Reader) -> Callable[..., Taken]:
    """A function that makes a job which is over, with so many faces."""

    def make(faces: int = 0, error: str | None = None) -> Taken:
        job = submission.submit(
            site, Submission(clean_photos([("anna.jpg", io.BytesIO(photo))], site.settings, reader))
        )
        with site.database.session() as session:
            row = session.get_one(Job, job.id)
            row.status = Status.DONE if faces else Status.FAILED
            row.error = error
            row.uploads[0].error = error
            row.faces = [Face(photo=0, number=number, folder=f"{row.folder}/{number}") for number in range(faces)]
        return job

    return make
