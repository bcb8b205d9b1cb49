"""The load test that opens the page of a finished face; it drives a browser of its own."""

import shutil

import pytest

from serving.loadtest.checking import checked
from serving.loadtest.first_view import run_first_view
from serving.loadtest.local_site import embedded_site
from tests.serving.e2e.conftest import PHOTO


@pytest.mark.skipif(shutil.which("chromium") is None, reason="chromium is not installed (Debian package `chromium`)")
def test_a_first_view_ends_when_the_face_is_seen(tmp_path):
    with embedded_site(tmp_path) as local:
        report = checked(local, run_first_view(local, PHOTO, rounds=1))
    assert report.faults == []
    assert float(report.figures["first view of a face, median (s)"]) > 0
