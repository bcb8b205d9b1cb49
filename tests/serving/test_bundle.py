"""The committed scripts of the pages are those of the committed sources."""

import hashlib
import json
import re
from pathlib import Path

import serving

PACKAGE = Path(serving.__file__).parent
SCRIPTS = PACKAGE / "static/scripts"


def test_the_bundle_is_made_of_the_sources_as_they_are() -> None:
    viewer = PACKAGE / "viewer"
    files = [path for path in (viewer / "src").rglob("*") if path.is_file()]
    files += [viewer / "build.mjs", viewer / "package-lock.json"]
    digest = hashlib.sha256()
    for path in sorted(files, key=lambda each: each.relative_to(viewer).as_posix()):
        digest.update(path.read_bytes())

    assert (SCRIPTS / "sources.txt").read_text().strip() == digest.hexdigest(), "run `make viewer`"


def test_every_script_of_a_page_is_there() -> None:
    pages = [path.read_text() for path in (PACKAGE / "templates").glob("*.html")]
    named = {name for page in pages for name in re.findall(r'script\("(\w+)"\)', page)}

    assert {"submit", "job", "result"} <= named
    assert all((SCRIPTS / f"{name}.js").is_file() for name in named)


def test_the_pages_run_what_is_listed_and_nothing_else() -> None:
    wanted = json.loads((PACKAGE / "viewer/package.json").read_text())

    assert set(wanted["dependencies"]) == {"three"}
