"""The load tests themselves, with a quick network: they count what happens, and a sound site passes them."""

# pyright: reportOperatorIssue=false

import gc
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from serving.loadtest import crashes
from serving.loadtest.attacks.heavy import run_heavy
from serving.loadtest.attacks.hostile import run_hostile
from serving.loadtest.batches import run_batches
from serving.loadtest.cameras import visits
from serving.loadtest.checking import checked
from serving.loadtest.collages import run_collages
from serving.loadtest.crowd import run_local_crowd
from serving.loadtest.full_disk import run_full_disk, small_disk
from serving.loadtest.local_site import embedded_site, production_site
from serving.loadtest.mails import MailCount, explained
from serving.loadtest.report import Report
from serving.loadtest.servers import PATIENCE_SECONDS, Mailbox, ServerMissing, wait_until
from serving.loadtest.viewers import run_viewers
from serving.loadtest.worker_process import WorkerProcess, with_wrong_clock

HERE = Path(__file__).parents[1]
QUICK_SITE = (sys.executable, str(HERE / "quick_site.py"))
QUICK_LIVE = (sys.executable, str(HERE / "quick_live.py"))
QUICK_WORKER = (sys.executable, str(HERE / "quick_worker.py"))


@pytest.fixture
def photo(tmp_path, photo_bytes):
    path = tmp_path / "anna.jpg"
    path.write_bytes(photo_bytes)
    return path


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "site"
    folder.mkdir()
    return folder


def test_everybody_of_a_crowd_gets_a_face_and_a_mail(folder, photo):
    with embedded_site(folder, QUICK_SITE) as local:
        report = checked(local, run_local_crowd(local, [photo], people=5, seconds=0))
    assert report.faults == []
    assert report.figures["jobs done"] == 5
    assert report.figures["mails due, lost, doubled"] == "5, 0, 0"


def test_a_photo_without_a_face_is_a_fault_of_the_crowd(folder, photo):
    nobody = photo.rename(photo.with_name("noface.jpg"))
    with embedded_site(folder, QUICK_SITE) as local:
        report = run_local_crowd(local, [nobody], people=2, seconds=0)
    assert [fault for fault in report.faults if "noface.jpg" in fault] == report.faults
    assert report.figures["jobs failed"] == 2


def test_no_job_and_no_mail_is_lost_in_crashes(folder, photo, monkeypatch):
    monkeypatch.setattr(crashes, "SUSPENDED_SECONDS", 6)
    monkeypatch.setattr(crashes, "AWAY_SECONDS", (1, 5))
    monkeypatch.setattr(crashes, "LATEST_SECONDS", PATIENCE_SECONDS)  # nothing is timed in tests
    work = (QUICK_WORKER, with_wrong_clock(QUICK_WORKER, 20) or QUICK_WORKER)
    with production_site(folder, *work, worker_timeout=3.0) as local:
        report = checked(local, crashes.run_crashes(local, [photo], jobs=60, kills=2, mail_seconds=3))
    assert report.faults == []
    assert report.figures["jobs submitted, done, failed"] == "60, 60, 0"


def test_each_kind_of_hostile_upload_is_refused(folder, photo):
    with embedded_site(folder, QUICK_SITE) as local:
        report = checked(local, run_hostile(local, photo, uploads=60, slow=5))
    assert report.faults == []
    assert report.figures["answers to: truncated"] == "6 x 422"


def test_a_full_disk_loses_no_job(folder, photo):
    try:
        with small_disk(folder, 40), embedded_site(folder, QUICK_SITE) as local:
            report = checked(local, run_full_disk(local, [photo], jobs=30, seconds=3))
    except ServerMissing as error:
        pytest.skip(str(error))
    assert report.faults == []
    assert report.figures["full: submissions meanwhile are answered"] == "507"
    assert report.figures["unreadable: submissions meanwhile are answered"] == "503"


def test_files_that_are_heavy_to_decode_are_refused(folder, photo):
    with embedded_site(folder, QUICK_SITE) as local:
        report = checked(local, run_heavy(local, photo))
    assert [fault for fault in report.faults if "answered" in fault or "MB" in fault] == []
    assert int(report.figures["heavy files"]) >= 30


def test_collages_give_so_many_faces_and_say_so(folder, photo):
    with embedded_site(folder, QUICK_SITE, max_faces=3) as local:
        report = checked(local, run_collages(local, photo, 2, folder))
    assert [fault for fault in report.faults if "waited" not in fault] == []
    assert report.figures["faces made of a collage"] == "3 to 3"


def test_many_viewers_hold_up_nothing(folder, photo):
    with embedded_site(folder, QUICK_SITE) as local:
        report = checked(local, run_viewers(local, photo, viewers=20, rounds=1))
    assert [fault for fault in report.faults if "took" not in fault] == []
    assert "503" in str(report.figures["answers"])
    assert "files" in str(report.figures["downloads"])


def test_a_scenario_that_is_ended_leaves_nothing(tmp_path, photo):
    command = [sys.executable, "-m", "deep3d", "loadtest", "crowd", str(photo), "--minutes", "10"]
    with subprocess.Popen(command, env={**os.environ, "TMPDIR": str(tmp_path)}, stderr=subprocess.DEVNULL) as scenario:
        wait_until(lambda: list(tmp_path.glob("deep3d-loadtest-*/deep3d.sqlite")), "its site")
        scenario.terminate()
        scenario.terminate()
    assert scenario.returncode == 128 + signal.SIGTERM
    assert list(tmp_path.glob("deep3d-loadtest-*")) == []


def test_batches_are_measured_for_each_runtime(photo, finds_nothing, monkeypatch):
    report = run_batches({"eager": finds_nothing, "other": finds_nothing}, [photo], rounds=1, waiting=[1, 3])
    assert len(report.figures) == 2 * 2 * 2


def test_lost_and_doubled_mails_are_faults():
    assert MailCount(due=2, delays=[1.0, 2.0], doubled=1, doubled_outside=0).report().faults == []
    assert len(MailCount(due=2, delays=[1.0], doubled=1, doubled_outside=1).report().faults) == 2


@pytest.mark.parametrize(
    ("first", "expected"),
    [(99.7, False), (99.9, True), (100.5, True), (103.0, True), (103.1, False), (300.0, False)],
)
def test_a_crash_explains_a_second_mail_if_the_first_came_just_before_its_end(first, expected):
    assert explained(first, [(10.0, 11.0), (100.0, 103.0)]) == expected


def test_a_report_is_a_table_and_plain_values():
    report = Report({"time (s)": 1.234}, ["a job is lost"])
    assert report.to_markdown().splitlines()[2:] == ["| time (s) | 1.23 |", "FAULT: a job is lost"]
    assert report.to_json() == {"figures": {"time (s)": 1.234}, "faults": ["a job is lost"]}


@pytest.mark.skipif(with_wrong_clock([], 20) is None, reason="libfaketime is not installed")
def test_a_worker_with_a_wrong_clock_ends_when_it_is_stopped(tmp_path):
    command = with_wrong_clock([sys.executable, "-c", "import time; time.sleep(600)"], 20)
    assert command is not None
    worker = WorkerProcess(command, os.environ, tmp_path / "log")
    wait_until(lambda: len(worker.pids()) == 2, "the process that faketime starts")
    started = worker.pids()
    worker.stop()
    assert [pid for pid in started if Path(f"/proc/{pid}").exists()] == []


def test_a_mail_server_that_stops_hangs_up_on_those_who_have_just_come():
    mailbox = Mailbox()
    mailbox.start()
    place = ("127.0.0.1", urlsplit(mailbox.url).port)
    clients = [socket.create_connection(place, timeout=5) for _ in range(100)]
    mailbox.stop()
    del mailbox
    gc.collect()  # a socket that was left open warns
    for client in clients:
        client.close()


def test_live_visitors_are_answered_and_go(photo_bytes, monkeypatch):
    monkeypatch.setattr(visits, "drawn_frames", lambda: [photo_bytes])
    report = visits.run_live(2, 0.05, QUICK_LIVE, warm_seconds=0.2)
    assert [fault for fault in report.faults if "memory" not in fault] == []
    assert report.figures["frames a second of each visitor, the least"] > 1
    assert str(report.figures["answers with a face"]).startswith("0 of ")
    assert report.figures["longest (ms)"] >= report.figures["age of an answer, median (ms)"] > 0


def test_a_session_that_is_broken_off_is_a_fault(photo_bytes, monkeypatch):
    monkeypatch.setattr(visits, "drawn_frames", lambda: [b"no picture" * 9])
    report = visits.run_live(1, 0.02, QUICK_LIVE, warm_seconds=0)
    assert any("a session ended" in fault and "baseline" in fault for fault in report.faults)
