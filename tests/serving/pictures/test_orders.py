"""Slow pictures are made by workers, one at a time, and kept; asking for them never takes long."""

import io
import zipfile
from dataclasses import replace

import pytest
from PIL import Image
from sqlalchemy import delete, select

from serving.app import create_app
from serving.errors import Refused, RenderingFailed
from serving.jobs import erasure, heartbeats, recovery, runs, submission
from serving.jobs.runs import PhotoOutcome
from serving.jobs.submission import Submission
from serving.pictures import drawing, kept, making, orders
from serving.pictures.orders import MOST_ATTEMPTS, MOST_OF_A_JOB, Wanted
from serving.store.tables import Rendering, WorkerRow
from tests.serving.conftest import write_mean_face

VIDEO = Wanted("mp4")


@pytest.fixture
def worker(site):
    return heartbeats.register(site)


@pytest.fixture
def quick_video(monkeypatch):
    """Films of five small frames."""
    monkeypatch.setattr(drawing, "VIDEO_FRAMES", 5)
    monkeypatch.setattr(drawing, "VIDEO_PIXELS", 64)


@pytest.fixture
def face(site, clean_photo, worker):
    """The folder of the mean face, and its job."""
    job = submission.submit(site, Submission([clean_photo]))
    run = runs.claim(site, job.id, worker, alone=False)
    assert run is not None
    folder = f"{run.folder}/face"
    write_mean_face(site.storage, folder)
    runs.finish(site, run, [PhotoOutcome((folder,))])
    return folder, job


def ask(site, face, wanted=VIDEO):
    folder, job = face
    return orders.ask(site, job.id, folder, wanted)


def make_due(site):
    with site.database.session() as session:
        for row in session.scalars(select(Rendering)):
            row.due_at = 0.0


def test_a_video_is_made_once_it_was_asked_for_and_then_kept(site, face, worker, quick_video, monkeypatch):
    assert not making.make_next(site, worker)
    assert ask(site, face) is None
    assert making.make_next(site, worker)
    video = ask(site, face)
    assert video is not None
    assert video[4:8] == b"ftyp"
    assert not making.make_next(site, worker)
    assert ask(site, face) == video


def test_a_video_that_is_gone_from_the_storage_is_made_again(site, face, worker, quick_video):
    assert ask(site, face) is None
    assert making.make_next(site, worker)
    kept.forget(site.storage, face[0], VIDEO.file)
    assert ask(site, face) is None
    make_due(site)
    assert making.make_next(site, worker)
    assert ask(site, face) is not None


def test_everyone_who_asks_meanwhile_gets_the_same(site, face, worker, quick_video):
    assert [ask(site, face, Wanted("gif")) for _ in range(3)] == [None] * 3
    assert [making.make_next(site, worker) for _ in range(2)] == [True, False]


def test_a_large_set_is_a_zip_of_its_views(site, face, worker):
    wanted = Wanted("zip", [(0, 0), (30, 10)], 64, "black")
    assert ask(site, face, wanted) is None
    making.make_next(site, worker)
    with zipfile.ZipFile(io.BytesIO(ask(site, face, wanted) or b"")) as archive:
        assert archive.namelist() == ["face_yaw+0_pitch+0.jpg", "face_yaw+30_pitch+10.jpg"]
        with Image.open(archive.open("face_yaw+0_pitch+0.jpg")) as picture:
            assert picture.size == (64, 64)


def test_what_cannot_be_made_is_told_after_some_attempts_and_can_be_asked_for_again(site, face, worker, monkeypatch):
    ask(site, face)

    def broken(*arguments):
        raise ZeroDivisionError

    with monkeypatch.context() as context:
        context.setattr(drawing, "turntable", broken)
        for _ in range(MOST_ATTEMPTS):
            make_due(site)
            assert making.make_next(site, worker)
    make_due(site)
    assert not making.make_next(site, worker)
    with pytest.raises(RenderingFailed):
        ask(site, face)
    assert ask(site, face) is None


def test_a_worker_that_dies_over_a_video_leaves_it_to_the_next(site, face, worker, monkeypatch, quick_video):
    ask(site, face)
    dying = heartbeats.register(site)
    assert making._take(site, dying) is not None
    assert not making.make_next(site, worker)
    with site.database.session() as session:
        session.execute(delete(WorkerRow).where(WorkerRow.id == dying))
    recovery.take_from_dead(site, worker)
    assert making.make_next(site, worker)


def test_nothing_is_left_of_a_video_whose_job_was_deleted_while_it_was_made(site, face, worker, monkeypatch):
    _folder, job = face
    ask(site, face)

    def deleted_meanwhile(*arguments):
        erasure.delete(site, str(job.secret))
        return b"video"

    monkeypatch.setattr(drawing, "turntable", deleted_meanwhile)
    assert making.make_next(site, worker)
    assert not site.storage.exists("jobs/1/pictures/run-1-face/turntable.mp4")


def test_a_job_has_so_many_large_sets_and_no_more(site, face):
    for size in range(64, 64 + MOST_OF_A_JOB):
        ask(site, face, Wanted("zip", [(0, 0)], size))
    with pytest.raises(Refused):
        ask(site, face, Wanted("zip", [(0, 0)], 1024))
    assert ask(site, face, Wanted("zip", [(0, 0)], 64)) is None


def test_a_job_keeps_so_many_bytes_and_no_more(site, face, worker, monkeypatch):
    ask(site, face, Wanted("zip", [(0, 0)], 64))
    making.make_next(site, worker)
    monkeypatch.setattr(kept, "MOST_BYTES_OF_A_JOB", 10)
    with pytest.raises(Refused):
        ask(site, face, Wanted("zip", [(0, 0)], 65))
    assert ask(site, face, Wanted("zip", [(0, 0)], 64)) is not None


def test_large_sets_of_one_job_do_not_hold_up_those_of_others(site, face, worker, clean_photo):
    folder, job = face
    other = submission.submit(site, Submission([clean_photo]))
    other_folder = f"jobs/{other.id}/face"
    write_mean_face(site.storage, other_folder)
    for size in (64, 65, 66):
        orders.ask(site, job.id, folder, Wanted("zip", [(0, 0)], size))
    for size in (64, 65):
        orders.ask(site, other.id, other_folder, Wanted("zip", [(0, 0)], size))
    served = []
    while making.make_next(site, worker):
        with site.database.reading() as session:
            last = select(Rendering.job_id).where(Rendering.made_at.is_not(None)).order_by(Rendering.made_at.desc())
            served.append(session.scalars(last).first())
    assert served == [job.id, other.id, job.id, other.id, job.id]


def test_programs_are_told_to_ask_again(settings, face, worker, quick_video):
    _, job = face
    client = create_app(replace(settings)).test_client()
    link = f"/api/v1/jobs/{job.secret}/faces/0"
    waiting = client.get(f"{link}/turntable.gif")
    assert (waiting.status_code, waiting.json) == (202, {"status": "waiting"})
    assert int(waiting.headers["Retry-After"]) > 0
    site = client.application.extensions["site"]
    making.make_next(site, worker)
    assert client.get(f"{link}/turntable.gif").data.startswith(b"GIF89a")
    yaws = ",".join(map(str, range(-20, 0)))
    assert client.get(f"{link}/snapshots.zip?yaw={yaws}&size=1024").status_code == 202
    assert client.get(f"{link}/snapshots.zip?yaw=-30,0,30&size=64").status_code == 200
    site.close()


def test_the_light_is_taken_off_when_somebody_asks(settings, face, worker, monkeypatch):
    folder, job = face
    made = []
    monkeypatch.setattr(making, "lit_face", lambda site, folder, kind: made.append((folder, kind)) or b"glTF")
    client = create_app(replace(settings)).test_client()
    links = client.get(f"/api/v1/jobs/{job.secret}").get_json(force=True)["faces"][0]["links"]
    assert client.get(links["material"]).status_code == 202
    site = client.application.extensions["site"]
    making.make_next(site, worker)
    answer = client.get(links["material"])
    assert (answer.data, answer.mimetype) == (b"glTF", "model/gltf-binary")
    assert client.get(links["material_web"]).status_code == 202
    making.make_next(site, worker)
    assert made == [(folder, "material"), (folder, "material_web")]
    site.close()


def test_pictures_in_another_light_wait_until_the_light_of_the_photo_is_off(
    settings, face, worker, quick_video, monkeypatch
):
    monkeypatch.setattr(making, "lit_face", lambda site, folder, kind: b"glTF")
    monkeypatch.setattr(drawing, "turntable", lambda files, kind, look: f"{kind} {look.label}".encode() + files.surface)
    _, job = face
    client = create_app(replace(settings)).test_client()
    site, link = client.application.extensions["site"], f"/api/v1/jobs/{job.secret}/faces/0"
    asked = f"{link}/turntable.mp4?look=relit&light=night"
    assert client.get(f"{link}/snapshot.jpg?look=relit&size=64").status_code == 202
    assert client.get(asked).status_code == 202
    assert making.make_next(site, worker), "the light is taken off, once for all that wait"
    assert not making.make_next(site, worker)
    assert client.get(asked).status_code == 202
    assert making.make_next(site, worker)
    answer = client.get(asked)
    assert answer.data == b"mp4 relit-nightglTF"
    assert 'filename="turntable_relit-night.mp4"' in answer.headers["Content-Disposition"]
    assert client.get(f"{link}/turntable.mp4").status_code == 202, "that of the photo is another"
    for query in ("look=marble", "look=relit&light=moon"):
        for name in ("snapshot.jpg", "snapshots.zip", "turntable.gif"):
            assert client.get(f"{link}/{name}?{query}").status_code == 422
    site.close()
