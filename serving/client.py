"""A program's side of the HTTP interface: submit photos, wait, download. It needs urllib3 alone (`deep3d[client]`)."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import urllib3

from deep3d.files.whole_file import kept_if_used, written_whole
from serving.errors import ServingError

TIMEOUT_SECONDS = 60.0
POLL_SECONDS = 0.5  # between two looks at a job, at least
POLL_SHARE = 0.25  # of the wait that the server foretells, until it is worth while to look again
LONGEST_POLL_SECONDS = 2.0  # no longer, since a foretold wait may be too long


class Declined(ServingError):
    """The server refused or failed."""


@dataclass(frozen=True)
class Answer:
    """An answer of the server."""

    status: int
    body: bytes
    seconds: float

    def json(self) -> Any:
        """The body as values.

        Raises: Declined if the server refused, with its reason.
        """
        self.require()
        return json.loads(self.body)

    def require(self) -> None:
        """Raises: Declined if the server refused."""
        if self.status >= 400:
            raise Declined(f"the server answers {self.status}: {self.problem()}")

    def problem(self) -> str:
        """What the server says is wrong."""
        try:
            return str(json.loads(self.body)["detail"])
        except (ValueError, KeyError, TypeError):
            return "no reason given"


class Client:
    """Talks to one site."""

    def __init__(self, server: str, key: str = "", connections: int = 8) -> None:
        self.server = server.rstrip("/")
        headers = {"Authorization": f"Bearer {key}"} if key else {}
        self._pool = urllib3.PoolManager(
            maxsize=connections, block=False, headers=headers, retries=False, timeout=TIMEOUT_SECONDS
        )

    def request(self, method: str, path: str, **arguments: Any) -> Answer:
        """One request.

        Raises: Declined if there is no answer.
        """
        start = time.perf_counter()
        try:
            response = self._pool.request(method, self.server + path, **arguments)
        except urllib3.exceptions.HTTPError as error:
            raise Declined(f"{self.server}: no answer ({type(error).__name__}); check the address") from error
        return Answer(response.status, response.data, time.perf_counter() - start)

    def submit(self, photos: Sequence[str | Path], **fields: str) -> dict[str, Any]:
        """Submit photos; the answer of the API.

        Raises: Declined.
        """
        try:
            files = [("photo", (path.name, path.read_bytes())) for path in map(Path, photos)]
        except OSError as error:
            raise Declined(f"{error.filename}: cannot be read ({error.strerror}); check the path") from error
        return self.request("POST", "/api/v1/jobs", fields=[*files, *fields.items()]).json()

    def wait(self, job: dict[str, Any]) -> dict[str, Any]:
        """Wait until the job ends; the job.

        Raises: Declined.
        """
        while True:
            state = self.request("GET", job["links"]["self"]).json()
            if is_over(state):
                return state
            time.sleep(pause(state))

    def delete(self, job: dict[str, Any]) -> None:
        """Delete everything of a job.

        Raises: Declined.
        """
        self.request("DELETE", job["links"]["self"]).require()

    def download(self, links: dict[str, str], names: Sequence[str], folder: Path) -> None:
        """Write files of a face into a folder, each whole; none before all of them are here.

        Raises: Declined.
        """
        answers = {links[name].rpartition("/")[2]: self.request("GET", links[name]) for name in names}
        for answer in answers.values():
            answer.require()
        try:
            with kept_if_used(folder):
                for name, answer in answers.items():
                    with written_whole(folder / name) as partial:
                        partial.write_bytes(answer.body)
        except OSError as error:
            raise Declined(f"{folder}: cannot be written ({error.strerror}); choose another folder") from error


class AsyncClient:
    """The same for asyncio: each request runs in a thread of its own."""

    def __init__(self, server: str, key: str = "", connections: int = 8) -> None:
        self._client = Client(server, key, connections)

    async def submit(self, photos: Sequence[str | Path], **fields: str) -> dict[str, Any]:
        """As `Client.submit`."""
        return await asyncio.to_thread(self._client.submit, photos, **fields)

    async def wait(self, job: dict[str, Any]) -> dict[str, Any]:
        """As `Client.wait`, without a thread that waits."""
        while True:
            state = (await asyncio.to_thread(self._client.request, "GET", job["links"]["self"])).json()
            if is_over(state):
                return state
            await asyncio.sleep(pause(state))

    async def delete(self, job: dict[str, Any]) -> None:
        """As `Client.delete`."""
        await asyncio.to_thread(self._client.delete, job)

    async def download(self, links: dict[str, str], names: Sequence[str], folder: Path) -> None:
        """As `Client.download`."""
        await asyncio.to_thread(self._client.download, links, names, folder)


def is_over(state: dict[str, Any]) -> bool:
    """Whether a job, as the API gives it, has ended."""
    return state["status"] not in ("submitted", "queued", "running")


def pause(state: dict[str, Any]) -> float:
    """Seconds to wait before asking for the job again."""
    return min(max(POLL_SECONDS, POLL_SHARE * state["wait_seconds"]), LONGEST_POLL_SECONDS)
