"""The live process from the outside: who may come, what is answered, and how whoever means harm is sent away."""

# pyright: reportArgumentType=false

import asyncio
import io
import json
import struct
import threading
from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest
from PIL import Image
from websockets.asyncio import client
from websockets.exceptions import ConnectionClosed, InvalidStatus

from serving.live import session as session_module
from serving.live.engine import Camera
from serving.live.protocol import MOST_BYTES, SUBPROTOCOL, GarbageError, answer, decode, read_frame
from serving.live.server import LiveServer, own_page
from serving.live.session import Allowance, Close
from serving.settings import LIVE_PATH, Settings

connect = partial(client.connect, subprotocols=[SUBPROTOCOL])


def jpeg(width=64, height=48, **options):
    content = io.BytesIO()
    Image.new("RGB", (width, height), "peru").save(content, "JPEG", **options)
    return content.getvalue()


def frame(number, milliseconds=0, content=None):
    return struct.pack("<II", number, milliseconds) + (jpeg() if content is None else content)


def face(number=1, fitted=1):
    ones = {"angles": 3, "place": 2, "expression": 64}
    track = SimpleNamespace(**{name: np.ones((1, width)) for name, width in ones.items()})
    track.scale = track.perspective = track.error = np.ones(1)
    track.person = SimpleNamespace(number=number, identity=np.full(80, float(fitted)))
    return SimpleNamespace(track=track, fitted=fitted, weights=np.zeros(52), eyes=np.zeros((2, 2)))


class QuickEngine:
    """Finds a face in every frame, as fast or slowly as a test wishes."""

    def __init__(self):
        self.seen, self.go_on, self.busy = [], threading.Event(), threading.Event()
        self.go_on.set()

    async def begin(self):
        def follow(pixels, now):
            self.seen.append((pixels.shape, now))
            self.busy.set()
            assert self.go_on.wait(10)
            return [face()]

        return Camera(64 * "0", follow)

    async def run(self, work):
        return await asyncio.to_thread(work)


@pytest.fixture
def visit():
    """A function that runs a visit (engine, address) -> coroutine at a live server."""

    def run(visitor, **settings):
        async def all_of_it():
            engine = QuickEngine()
            server = LiveServer(Settings(live_port=1, **settings), engine)
            object.__setattr__(server._settings, "live_port", 0)  # any that is free
            running = await server.start()
            port = next(iter(running.sockets)).getsockname()[1]
            try:
                return await asyncio.wait_for(visitor(engine, f"ws://127.0.0.1:{port}"), 30)
            finally:
                engine.go_on.set()
                running.close()
                await running.wait_closed()

        return asyncio.run(all_of_it())

    return run


async def ended(socket):
    """The code and reason with which a connection is closed."""
    with pytest.raises(ConnectionClosed) as closed:
        while True:
            await socket.recv()
    received = closed.value.rcvd
    assert received is not None
    return received.code, received.reason


def test_frames_are_answered_in_numbers(visit):
    async def visitor(engine, address):
        async with connect(address + LIVE_PATH) as socket:
            hello = json.loads(await socket.recv())
            answers = []
            for number in (1, 2, 3):
                await socket.send(frame(number, 40 * number))
                answers.append(await socket.recv())
            return hello, answers, engine.seen

    hello, answers, seen = visit(visitor)
    assert len(hello["model"]) == 64
    assert [struct.unpack_from("<IBB", each) for each in answers] == [(1, 1, 1), (2, 1, 1), (3, 1, 1)]
    with_identity = 8 + 4 * (8 + 64 + 52 + 4 + 80)
    assert [len(each) for each in answers] == [with_identity, with_identity - 320, with_identity - 320]
    assert [shape for shape, _ in seen] == [(48, 64, 3)] * 3
    assert np.diff([now for _, now in seen]) == pytest.approx([0.04, 0.04])


def test_of_frames_that_come_while_one_is_looked_at_only_the_newest_is(visit):
    async def visitor(engine, address):
        async with connect(address + LIVE_PATH) as socket:
            await socket.recv()
            engine.go_on.clear()
            await socket.send(frame(1, 10))
            await asyncio.to_thread(engine.busy.wait, 5)
            for number in range(2, 12):
                await socket.send(frame(number, 10 * number))
            await asyncio.sleep(1)  # until they have arrived
            engine.go_on.set()
            return [struct.unpack_from("<I", await socket.recv())[0] for _ in range(2)], len(engine.seen)

    assert visit(visitor) == ([1, 11], 2)


def test_times_always_grow(visit):
    async def visitor(engine, address):
        async with connect(address + LIVE_PATH) as socket:
            await socket.recv()
            for number, milliseconds in enumerate((100, 50, 4_000_000_000, 200)):
                await socket.send(frame(number, milliseconds))
                await socket.recv()
        return [now for _, now in engine.seen]

    times = visit(visitor)
    assert (np.diff(times) > 0).all() and times[-1] < 1000


@pytest.mark.parametrize(
    "garbage",
    [
        "text",
        b"",
        b"short",
        frame(1, content=b"no picture at all" * 9),
        frame(1, content=jpeg(progressive=True)),
        frame(1, content=jpeg()[:200]),
        frame(1, content=jpeg(2000, 40)),
        frame(1, content=jpeg(16, 16)),
        frame(1, content=jpeg() + b"\xff\xda" * 9),
    ],
)
def test_garbage_ends_the_session_with_a_word(visit, garbage):
    async def visitor(engine, address):
        async with connect(address + LIVE_PATH) as socket:
            await socket.recv()
            await socket.send(garbage)
            code, reason = await ended(socket)
        async with connect(address + LIVE_PATH) as socket:  # others are not harmed
            await socket.recv()
            await socket.send(frame(7))
            return code, reason, struct.unpack_from("<I", await socket.recv())

    code, reason, other = visit(visitor)
    assert code == Close.GARBAGE and reason and other == (7,)


def test_a_message_that_is_too_large_ends_the_session(visit):
    async def visitor(engine, address):
        async with connect(address + LIVE_PATH) as socket:
            await socket.recv()
            await socket.send(bytes(MOST_BYTES + 1))
            return await ended(socket)

    assert visit(visitor)[0] == 1009  # RFC 6455: too big


def test_a_flood_ends_the_session(visit):
    async def visitor(engine, address):
        async with connect(address + LIVE_PATH) as socket:
            await socket.recv()
            engine.go_on.clear()
            try:
                for number in range(1000):
                    await socket.send(frame(number, number))
            except ConnectionClosed:
                pass
            engine.go_on.set()
            return await ended(socket)

    code, reason = visit(visitor)
    assert code == Close.FLOOD and "frames a second" in reason


def test_an_allowance_comes_back_with_time():
    now = [0.0]
    allowance = Allowance(rate=10, most=3, clock=lambda: now[0])
    assert [allowance.take() for _ in range(4)] == [True, True, True, False]
    now[0] = 0.5
    assert allowance.take()


async def served(address):
    """Wait until a place is free."""
    for _ in range(200):
        async with connect(address + LIVE_PATH) as socket:
            try:
                await socket.recv()
                return
            except ConnectionClosed:
                await asyncio.sleep(0.05)
    pytest.fail("no place gets free")


def test_only_so_many_may_come_and_a_place_is_free_again(visit):
    async def visitor(engine, address):
        async with connect(address + LIVE_PATH) as first:
            await first.recv()
            async with connect(address + LIVE_PATH) as second:
                refused = await ended(second)
        await served(address)
        return refused

    assert visit(visitor, live_sessions=1) == (Close.BUSY, "all places are taken")


def test_whoever_sends_nothing_does_not_hold_a_place(visit, monkeypatch):
    monkeypatch.setattr(session_module, "IDLE_SECONDS", 0.1)

    async def visitor(engine, address):
        async with connect(address + LIVE_PATH) as socket:
            return await ended(socket)

    assert visit(visitor)[0] == Close.IDLE


def test_a_session_does_not_last_for_ever(visit, monkeypatch):
    monkeypatch.setattr(session_module, "LONGEST_SECONDS", 0.1)

    async def visitor(engine, address):
        async with connect(address + LIVE_PATH) as socket:
            return await ended(socket)

    assert visit(visitor)[0] == Close.TIME_IS_UP


def test_what_fails_here_is_told_and_gives_the_place_back(visit, caplog):
    async def visitor(engine, address):
        begin = engine.begin

        async def failing():
            engine.begin = begin
            raise RuntimeError("networks")

        engine.begin = failing
        async with connect(address + LIVE_PATH) as socket:
            code = await ended(socket)
        await served(address)
        return code

    assert visit(visitor, live_sessions=1)[0] == Close.BROKEN
    assert "a session failed" in caplog.text


def test_pages_of_other_sites_and_other_paths_are_refused(visit):
    async def visitor(engine, address):
        answers = []
        for path, origin in [(LIVE_PATH, "https://evil.example"), ("/other", None), ("/healthz", None)]:
            with pytest.raises(InvalidStatus) as refused:
                async with connect(address + path, origin=origin):
                    pass
            answers.append(refused.value.response.status_code)
        async with connect(address + LIVE_PATH, origin="http://127.0.0.1:8000") as socket:
            await socket.recv()
        return answers

    assert visit(visitor) == [403, 404, 200]


@pytest.mark.parametrize(
    ("origin", "host", "own"),
    [
        (None, "faces.example:8001", True),  # a program
        ("https://faces.example", "faces.example", True),  # behind the proxy
        ("http://127.0.0.1:8000", "127.0.0.1:8001", True),  # beside `deep3d serve`
        ("http://192.168.1.5:8000", "192.168.1.5:8001", True),
        ("http://127.0.0.1:9999", "127.0.0.1:8001", False),  # another program of the same host
        ("https://evil.example", "faces.example", False),
        ("https://faces.example.evil.example", "faces.example", False),
        ("null", "faces.example", False),
        ("http://x:port", "faces.example", False),
    ],
)
def test_own_pages_are_known_by_where_they_come_from(origin, host, own):
    assert own_page(origin, host, "http://127.0.0.1:8000") is own


def test_a_frame_is_what_the_page_sends():
    got = read_frame(frame(3, 1500))
    assert (got.number, got.time) == (3, 1.5) and decode(got).shape == (48, 64, 3)
    with pytest.raises(GarbageError, match="baseline"):
        read_frame(frame(1, content=b"GIF89a" + bytes(50)))


def test_the_identity_goes_only_when_it_has_changed():
    assert len(answer(1, None, (0, 0))) == 8
    lengths = [len(answer(1, face(number, fitted), (1, 2))) for number, fitted in [(1, 2), (1, 3), (2, 2)]]
    assert lengths == [520, 840, 840]


def test_nothing_of_a_frame_is_kept(visit, tmp_path, monkeypatch):
    """No file is written while frames are worked on."""
    monkeypatch.chdir(tmp_path)

    async def visitor(engine, address):
        async with connect(address + LIVE_PATH) as socket:
            await socket.recv()
            for number in range(5):
                await socket.send(frame(number, 30 * number))
                await socket.recv()

    monkeypatch.setenv("TMPDIR", str(tmp_path))
    visit(visitor)
    assert not [*tmp_path.iterdir()]
