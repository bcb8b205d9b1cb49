"""Lighthouse's scores of the first page and of a face's, as on a phone: `python -m tests.serving.e2e.lighthouse`.

npx brings Lighthouse, which is too large for what every set-up fetches; the browser is the project's.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urljoin

from serving.client import Client
from tests.serving.e2e.conftest import PHOTO, running

LIGHTHOUSE = "lighthouse@13.5.0"
FLAGS = "--headless --no-sandbox --enable-unsafe-swiftshader"
CATEGORIES = ("performance", "accessibility", "best-practices")
ROUNDS = 3
PATIENCE_SECONDS = 180


def scores(url: str) -> dict[str, float]:
    """What Lighthouse says of a page, in points of 100."""
    command = ["npx", "--yes", LIGHTHOUSE, url, "--output=json", "--quiet", f"--chrome-flags={FLAGS}"]
    command.append(f"--only-categories={','.join(CATEGORIES)}")
    environ = {**os.environ, "CHROME_PATH": shutil.which("chromium") or "chromium"}
    done = subprocess.run(command, env=environ, capture_output=True, check=False, timeout=PATIENCE_SECONDS)
    if done.returncode != 0:
        raise SystemExit(f"{url}: Lighthouse gave no scores\n{done.stderr.decode(errors='replace')}")
    categories = json.loads(done.stdout)["categories"]
    return {name: 100 * categories[name]["score"] for name in CATEGORIES}


def main() -> None:
    """Run a site, make a face, and look at both pages."""
    with TemporaryDirectory() as folder, running(Path(folder)) as address:
        client = Client(address)
        job = client.submit([PHOTO])
        client.wait(job)
        for page in (address, urljoin(address, job["links"]["page"])):
            for _ in range(ROUNDS):
                sys.stdout.write(f"{'first page' if page == address else 'face'}: {scores(page)}\n")
                sys.stdout.flush()


if __name__ == "__main__":
    main()
