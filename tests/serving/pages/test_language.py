from __future__ import annotations

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po
from flask.testing import FlaskClient

import serving
from serving.language import LANGUAGES, SOURCE, best_language, translations

PACKAGE = Path(serving.__file__).parent
KEYWORDS = {"_": None, "N_": None}
QUOTED = re.compile("[“„«](.+?)[”“»]")
NO_LABELS = {"oo", "webhook"}  # a sound, and a field of the interface


@pytest.fixture(scope="module")
def texts() -> set[str]:
    """Every text of pages and mails."""
    with (PACKAGE / "translations" / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    found = extract_from_dir(
        PACKAGE, methods, options, KEYWORDS, directory_filter=lambda path: "node_modules" not in path
    )
    return {message for _, _, message, _, _ in found if isinstance(message, str)}


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != SOURCE])
def test_every_text_is_translated_and_fills_in_the_same(texts: set[str], language: str) -> None:
    with (PACKAGE / "translations" / f"{language}.po").open("rb") as file:
        catalogue = {str(message.id): str(message.string) for message in read_po(file) if message.id}

    assert texts - catalogue.keys() == set()
    assert catalogue.keys() - texts == set(), "texts that nobody shows any more"
    for text, translated in catalogue.items():
        assert translated, text
        assert set(re.findall(r"%\(\w+\)s", translated)) == set(re.findall(r"%\(\w+\)s", text)), text


@pytest.mark.parametrize("language", LANGUAGES)
def test_texts_name_controls_as_their_labels_do(texts: set[str], language: str) -> None:
    translate = translations(language).gettext
    for text in texts:
        for name, said in zip(QUOTED.findall(text), QUOTED.findall(translate(text)), strict=True):
            labels = [translate(label) for label in texts if label.startswith(name)]
            assert name in NO_LABELS or any(label.startswith(said) for label in labels), text


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [(["de-AT", "en"], "de"), (["fr", "es"], "es"), (["zh-Hans-CN"], "zh"), (["fr"], "en"), ([], "en")],
)
def test_the_first_language_that_we_have_is_taken(wanted: list[str], expected: str) -> None:
    assert best_language(wanted) == expected


def test_a_chosen_language_stays(client: FlaskClient) -> None:
    assert "Gesicht machen" in client.get("/?language=de", headers={"Accept-Language": "es"}).text
    assert 'lang="de"' in client.get("/faces", headers={"Accept-Language": "es"}).text


def test_an_unknown_language_changes_nothing(client: FlaskClient) -> None:
    assert 'lang="en"' in client.get("/?language=xx").text


def test_english_needs_no_catalogue() -> None:
    assert translations("en").gettext("Smile") == "Smile"
