"""The HTTP interface as programs see it."""

import io
import json
import logging
import subprocess
import sys
import zipfile
from dataclasses import replace

import jsonschema
import numpy as np
import pytest
from PIL import Image, ImageOps
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from sqlalchemy import select, update
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from serving.api.models import FILES, HAIR_FILES
from serving.app import create_app
from serving.jobs import heartbeats, lookup, runs
from serving.jobs.runs import PhotoOutcome
from serving.places import Places
from serving.store.tables import Job, Status


def send(client, *photos, **fields):
    files = [(io.BytesIO(content), name) for content, name in photos]
    return client.post("/api/v1/jobs", data={"photo": files, **fields})


def finish(app, secret, files):
    """Do what a worker does."""
    site = app.extensions["site"]
    job = lookup.find(site, secret)
    run = runs.claim(site, job.id, heartbeats.register(site), alone=False)
    assert run is not None
    for name, content in files.items():
        site.storage.write(f"{run.folder}/face/{name}", content)
    assert runs.finish(site, run, [PhotoOutcome((f"{run.folder}/face",))]) is Status.DONE


def test_a_photo_goes_in_and_files_come_out(app, client, photo_bytes):
    taken = send(client, (photo_bytes, "../../Anna.jpg"))
    assert taken.status_code == 202
    assert set(taken.json) == {"id", "status", "links"}
    finish(app, taken.json["id"], {"face.glb": b"glTF"})
    state = client.get(taken.json["links"]["self"]).json
    assert (state["status"], state["error"], state["photos"]) == ("done", None, [{"name": "Anna.jpg", "error": None}])
    [face] = state["faces"]
    assert client.get(face["links"]["glb"]).data == b"glTF"
    assert client.get(face["links"]["ply"]).status_code == 404
    assert client.get(face["links"]["glb"]).mimetype == "model/gltf-binary"


@pytest.mark.parametrize("hair", [{}, HAIR_FILES])
def test_a_face_has_its_hair_if_any_in_one_file_with_all_others_and_alone(app, client, photo_bytes, hair):
    every = (FILES | hair).values()
    taken = send(client, (photo_bytes, "anna.jpg"))
    finish(app, taken.json["id"], {name: name.encode() for name in every})
    links = client.get(taken.json["links"]["self"]).json["faces"][0]["links"]
    with zipfile.ZipFile(io.BytesIO(client.get(links["zip"]).data)) as files:
        assert {name: files.read(name).decode() for name in files.namelist()} == {name: name for name in every}
    assert {name for name in links if name in HAIR_FILES} == set(hair)
    assert {client.get(links[name]).data.decode() for name in FILES | hair} == set(every)


def test_an_answer_is_as_the_document_says(app, client, photo_bytes):
    document = client.get("/api/v1/openapi.json").json
    registry = Registry().with_resource("urn:api", Resource(document, DRAFT202012))
    schema = {"$ref": "urn:api#/components/schemas/JobAnswer"}
    assert set(document["components"]["schemas"]["PhotoAnswer"]["properties"]) == {"name", "error", "warning"}
    for hair in ({}, HAIR_FILES):
        taken = send(client, (photo_bytes, "anna.jpg"))
        finish(app, taken.json["id"], {name: b"" for name in (FILES | hair).values()})
        answer = client.get(taken.json["links"]["self"]).json
        jsonschema.Draft202012Validator(schema, registry=registry).validate(answer)


def test_who_wants_one_download_too_many_is_told_to_come_again(app, client, photo_bytes):
    taken = send(client, (photo_bytes, "anna.jpg"))
    finish(app, taken.json["id"], {name: name.encode() for name in FILES.values()})
    link = client.get(taken.json["links"]["self"]).json["faces"][0]["links"]["zip"]
    places = app.extensions["zips"] = Places("downloads", 1, waiting=0, patience=60)
    with places.take():
        answer = client.get(link)
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert client.get(link).status_code == 200


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("SELECT 1", {}, Exception("the server closed the connection")),
        InternalError("UPDATE", {}, Exception("cannot execute UPDATE in a read-only transaction")),
        InterfaceError("SELECT 1", {}, Exception("connection already closed")),
        PoolTimeoutError("QueuePool limit reached"),
    ],
)
def test_a_database_that_is_away_is_told_as_such(client, monkeypatch, error):
    def fail(*_):
        raise error

    monkeypatch.setattr("serving.jobs.lookup.state", fail)
    answer = client.get("/api/v1/jobs/any")
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "30")


def test_jobs_that_are_gone_do_not_foretell_how_long_others_wait(app, client, photo_bytes):
    """The end of an expired job is the day on which it went."""
    first = send(client, (photo_bytes, "anna.jpg"))
    finish(app, first.json["id"], {"face.json": b"{}"})
    site = app.extensions["site"]
    with site.database.session() as session:
        [job] = session.scalars(select(Job))
        started = job.started_at
        assert started is not None
        job.finished_at = started + 4.0
        for number, status in enumerate((Status.EXPIRED, Status.DELETED)):
            session.add(
                Job(
                    digest=f"{number}",
                    status=status,
                    created_at=started,
                    started_at=started,
                    finished_at=started + 30 * 86400,
                    expires_at=started,
                )
            )
    waiting = send(client, (photo_bytes, "berta.jpg"))
    assert client.get(waiting.json["links"]["self"]).json["wait_seconds"] == 4


@pytest.mark.parametrize("turn", [0, 90, 180, 270])
def test_the_photo_of_a_face_that_lay_on_its_side_is_shown_upright(app, client, photo_bytes, turn):
    taken = send(client, (photo_bytes, "anna.jpg"))
    finish(app, taken.json["id"], {"face.json": json.dumps({"photo": {"turn": turn}}).encode()})
    answer = client.get(client.get(taken.json["links"]["self"]).json["faces"][0]["links"]["photo"])
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    shown = ImageOps.exif_transpose(Image.open(io.BytesIO(answer.data)))
    kept = np.asarray(Image.open(io.BytesIO(answer.data)))
    assert np.array_equal(np.asarray(shown), np.rot90(kept, -turn // 90))


def test_a_job_tells_how_many_are_before_it_and_how_long_it_will_take(app, client, photo_bytes):
    ids = [send(client, (photo_bytes, "anna.jpg")).json["id"] for _ in range(4)]
    finish(app, ids[0], {"face.glb": b"glTF"})
    states = [client.get(f"/api/v1/jobs/{each}").json for each in ids]
    assert [state["position"] for state in states] == [0, 0, 1, 2]
    assert states[0]["wait_seconds"] == 0
    with app.extensions["site"].database.session() as session:  # the only one that was done took four seconds
        session.execute(update(Job).where(Job.started_at.is_not(None)).values(started_at=Job.finished_at - 4))
    assert [client.get(f"/api/v1/jobs/{each}").json["wait_seconds"] for each in ids[1:]] == [4, 8, 12]


def test_everything_of_a_deleted_job_is_gone(app, client, photo_bytes):
    taken = send(client, (photo_bytes, "anna.jpg"), email="anna@example.com")
    finish(app, taken.json["id"], {"face.glb": b"glTF"})
    glb = client.get(taken.json["links"]["self"]).json["faces"][0]["links"]["glb"]
    assert client.delete(taken.json["links"]["self"]).status_code == 204
    for path in (taken.json["links"]["self"], taken.json["links"]["events"], glb):
        answer = client.get(path)
        assert (answer.status_code, answer.content_type) == (410, "application/problem+json")
    assert client.delete(taken.json["links"]["self"]).status_code == 410
    assert not app.extensions["site"].storage.exists("jobs/1")


def test_photos_are_kept_without_metadata(app, client, photo_bytes):
    taken = send(client, (photo_bytes, "anna.jpg"))
    site = app.extensions["site"]
    kept = site.storage.read(lookup.find(site, taken.json["id"]).uploads[0].path)
    with Image.open(io.BytesIO(photo_bytes)) as before, Image.open(io.BytesIO(kept)) as after:
        assert before.getexif()
        assert not after.getexif()
        assert after.size == before.size


@pytest.mark.parametrize(
    ("content", "status"), [(b"", 422), (b"GIF89a", 422), (b"\xff\xd8\xff\xe0 no photo", 422), (b"%PDF-1.7", 422)]
)
def test_what_is_no_photo_is_refused_in_plain_words(client, content, status):
    answer = send(client, (content, "x.jpg"))
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert answer.json["errors"][0]["field"] == "photo"
    assert answer.json["detail"].startswith("x.jpg: ")


def test_a_truncated_photo_is_refused(client, photo_bytes):
    assert send(client, (photo_bytes[: len(photo_bytes) // 2], "x.jpg")).status_code == 422


def test_a_picture_with_too_many_pixels_is_refused_before_it_is_decoded(client):
    bomb = io.BytesIO()
    Image.new("1", (30_000, 30_000)).save(bomb, "PNG")
    assert send(client, (bomb.getvalue(), "bomb.png")).status_code in (413, 422)


@pytest.mark.parametrize("email", ["anna", "a@b", "a@b.de\nBcc: c@d.de", "Anna <a@b.de>", "a@b.de, c@d.de"])
def test_an_address_that_is_none_is_refused(client, photo_bytes, email):
    answer = send(client, (photo_bytes, "x.jpg"), email=email)
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == "email"


def test_a_full_queue_says_when_to_come_again(settings, photo_bytes):
    client = create_app(replace(settings, max_queue=1)).test_client()
    assert send(client, (photo_bytes, "a.jpg")).status_code == 202
    answer = send(client, (photo_bytes, "b.jpg"))
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) > 0


def test_one_address_can_send_so_many(settings, photo_bytes):
    client = create_app(replace(settings, submits_per_minute=2)).test_client()
    answers = [send(client, (photo_bytes, "a.jpg")) for _ in range(3)]
    assert [answer.status_code for answer in answers] == [202, 202, 429]
    assert answers[2].headers["Retry-After"] == "60"


def test_the_secret_is_in_no_log(client, photo_bytes, caplog):
    with caplog.at_level(logging.DEBUG):
        taken = send(client, (photo_bytes, "anna.jpg"))
        client.get(taken.json["links"]["self"])
        client.delete(taken.json["links"]["self"])
    assert taken.json["id"] not in caplog.text


def test_pages_and_answers_carry_the_headers_that_protect_them(client):
    headers = client.get("/api/v1/jobs/unknown").headers
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["X-Content-Type-Options"] == "nosniff"


def test_the_site_is_ready_when_a_worker_is_at_work(app, client):
    assert client.get("/healthz").status_code == 200
    assert client.get("/readyz").status_code == 503
    heartbeats.register(app.extensions["site"])
    assert client.get("/readyz").status_code == 200


def test_the_document_describes_every_route(app, client):
    document = client.get("/api/v1/openapi.json").json
    routes = {rule.rule for rule in app.url_map.iter_rules() if rule.endpoint.startswith("api.")}
    assert document["openapi"] == "3.1.0"
    assert len(document["paths"]) == len(routes) - 1  # but the document itself
    for schema in document["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(schema)


def test_the_web_process_loads_nothing_that_computes():
    names = ("torch", "dramatiq", "numba", "numpy")
    code = f"import sys, serving.app; sys.exit(any(name in sys.modules for name in {names}))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("quality", ["fast", "normal", "best"])
def test_a_quality_can_be_wished(app, client, photo_bytes, quality):
    taken = send(client, (photo_bytes, "a.jpg"), quality=quality)
    assert taken.status_code == 202
    assert lookup.find(app.extensions["site"], taken.json["id"]).quality == quality


def test_a_quality_that_is_none_is_refused(client, photo_bytes):
    refused = send(client, (photo_bytes, "a.jpg"), quality="perfect")
    assert refused.status_code == 422 and "quality" in refused.text


def test_the_document_tells_of_qualities(client):
    document = client.get("/api/v1/openapi.json").json
    form = document["paths"]["/api/v1/jobs"]["post"]["requestBody"]["content"]["multipart/form-data"]["schema"]
    assert form["properties"]["quality"]["enum"] == ["fast", "normal", "best"]
