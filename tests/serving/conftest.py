"""A site in a folder, the real servers round it, and workers whose network is made up and quick."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from flask import Flask
from flask.testing import FlaskClient
from PIL import Image

from deep3d import FaceCoefficients, Photo
from serving.app import create_app
from serving.confined import Pool
from serving.jobs.uploads import CleanPhoto, Reader
from serving.loadtest.servers import PostgresServer, RedisServer
from serving.pictures.gallery import Gallery
from serving.settings import Settings
from serving.site import Site
from serving.store.storage import Storage

REPOSITORY = Path(__file__).parents[2]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Those of the embedded mode."""
    return Settings(data_dir=tmp_path / "data", webhook_key="secret")


@pytest.fixture
def site(settings: Settings) -> Iterator[Site]:
    """A site on SQLite and a folder."""
    site = Site.open(settings)
    yield site
    site.close()


@pytest.fixture
def app(settings: Settings) -> Iterator[Flask]:
    """The web application of a site in the embedded mode."""
    app = create_app(settings)
    yield app
    app.extensions["site"].close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A program that talks to it."""
    return app.test_client()


class FindsNothing:
    """A reconstructor for photos without a face."""

    def with_quality(self, quality: str) -> FindsNothing:
        return self

    def one_by_one(self, photos: Sequence[Photo], faces: str = "largest", most: int | None = None) -> list[list]:
        return [[] for _ in photos]

    def same_person(self, photos: Sequence[Photo]) -> None:
        raise AssertionError("nobody asks for it")


@pytest.fixture
def finds_nothing() -> Any:
    """Takes the place of the networks."""
    return FindsNothing()


@pytest.fixture(scope="session")
def reader() -> Iterator[Reader]:
    """What reads photos."""
    reader = Reader()
    yield reader
    reader.pool.close()


@pytest.fixture(scope="session")
def drawing_pool(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pool]:
    """What draws pictures."""
    pool = Gallery(Storage(f"file://{tmp_path_factory.mktemp('nothing')}")).pool
    yield pool
    pool.close()


@pytest.fixture(autouse=True)
def same_processes(reader: Reader, drawing_pool: Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """All sites of the tests have the same beside them: they take a while to start."""
    monkeypatch.setattr("serving.app.Reader", lambda: reader)
    monkeypatch.setattr("serving.pictures.gallery.Pool", lambda *arguments, **options: drawing_pool)


@pytest.fixture(scope="session")
def photo_bytes() -> bytes:
    """A small JPEG of no face, with metadata."""
    rows, columns = np.mgrid[:60, :80]
    pixels = np.stack([rows * 4, columns * 3, (rows + columns) % 256], axis=2).astype(np.uint8)
    file = io.BytesIO()
    exif = Image.Exif()
    exif[0x010E] = "taken at home"
    Image.fromarray(pixels).save(file, "JPEG", exif=exif)
    return file.getvalue()


@pytest.fixture(scope="session")
def clean_photo(photo_bytes: bytes) -> CleanPhoto:
    """The same as the site keeps it."""
    return CleanPhoto("anna.jpg", photo_bytes, 80, 60)


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis server of our own."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server.url
    server.stop()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis server that the test may stop and start."""
    server = RedisServer(tmp_path / "redis")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server of our own."""
    server = PostgresServer()
    server.start()
    yield server
    server.close()


@pytest.fixture
def production(settings: Settings, redis_server: RedisServer, postgres_server: PostgresServer) -> Iterator[Site]:
    """A site on PostgreSQL and Redis, empty."""
    url = postgres_server.new_database()
    site = Site.open(replace(settings, database_url=url, broker_url=redis_server.url, worker_timeout=3.0))
    yield site
    site.close()


def write_mean_face(storage: Storage, folder: str) -> None:
    """Write what pictures of a face need: that of the mean face, in one colour."""
    mean = FaceCoefficients.from_vector(np.zeros((1, 257), np.float32))
    coefficients = {field.name: getattr(mean, field.name)[0].tolist() for field in fields(mean)}
    texture = io.BytesIO()
    Image.new("RGB", (8, 8), "peru").save(texture, "PNG")
    storage.write(f"{folder}/face.json", json.dumps({"coefficients": coefficients}).encode())
    storage.write(f"{folder}/texture.png", texture.getvalue())


def environ_of(settings: Settings, **more: str) -> dict[str, str]:
    """The environment of another process of the same site."""
    return {
        **os.environ,
        "DEEP3D_DATA_DIR": str(settings.data_dir),
        "DEEP3D_DATABASE_URL": settings.database_url,
        "DEEP3D_BROKER_URL": settings.broker_url,
        "DEEP3D_SMTP_URL": settings.smtp_url,
        "DEEP3D_WORKER_TIMEOUT": str(settings.worker_timeout),
        "DEEP3D_JOB_SECONDS": str(settings.job_seconds),
        **more,
    }


class WorkerProcess:
    """A worker whose network is that of quick_worker.py."""

    def __init__(self, settings: Settings, **environ: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("quick_worker.py"))],
            env=environ_of(settings, **environ),
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
        )

    def kill(self) -> None:
        """End it as a crash does."""
        self.process.kill()
        self.process.communicate()

    def stop(self) -> int:
        """End it as an operator does; its exit code."""
        self.process.terminate()
        self.process.communicate()
        return self.process.returncode
