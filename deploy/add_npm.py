"""Add to a CycloneDX list what npm brings into the pages: `python deploy/add_npm.py package-lock.json sbom.json`."""

from __future__ import annotations

import json
import sys
from base64 import b64decode
from pathlib import Path
from typing import Any

BOM_REFS = "bom-ref"


def components(lock: dict[str, Any]) -> list[dict[str, Any]]:
    """The packages of a package-lock.json that reach the reader of a page: no tools of development."""
    packages = {path: each for path, each in lock["packages"].items() if path and not each.get("dev")}
    return [_component(path.rpartition("node_modules/")[2], each) for path, each in sorted(packages.items())]


def _component(name: str, package: dict[str, Any]) -> dict[str, Any]:
    url = f"pkg:npm/{name.replace('@', '%40')}@{package['version']}"
    algorithm, _, digest = package["integrity"].partition("-")
    return {
        "type": "library",
        BOM_REFS: url,
        "name": name,
        "version": package["version"],
        "purl": url,
        "licenses": [{"license": {"id": package.get("license", "NOASSERTION")}}],
        "hashes": [{"alg": algorithm.upper().replace("SHA", "SHA-"), "content": b64decode(digest).hex()}],
    }


if __name__ == "__main__":
    lock_file, list_file = (Path(each) for each in sys.argv[1:])
    content = json.loads(list_file.read_text(encoding="utf-8"))
    content["components"] += components(json.loads(lock_file.read_text(encoding="utf-8")))
    list_file.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
