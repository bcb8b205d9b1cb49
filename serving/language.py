"""The languages of pages and mails: texts are written in English, translations/ has their catalogues.

The catalogues are read as people write them (.po), so that nothing has to be compiled before the site starts. After a
change of texts `make texts` brings them up to date; a test says what is still to be translated.
"""

from __future__ import annotations

import gettext
import io
from collections.abc import Iterable
from functools import lru_cache
from pathlib import Path

from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po

SOURCE = "en"
LANGUAGES = {"en": "English", "de": "Deutsch", "es": "Español", "zh": "中文"}  # as their readers call them

_CATALOGUES = Path(__file__).with_name("translations")


def N_(text: str) -> str:  # noqa: N802 - the name that gatherers of texts look for
    """Mark a text for translation where it is written down, to be translated where it is shown."""
    return text


@lru_cache
def translations(language: str) -> gettext.NullTranslations:
    """What turns English texts into a language of `LANGUAGES`: its `gettext` and `ngettext`."""
    if language == SOURCE:
        return gettext.NullTranslations()
    with (_CATALOGUES / f"{language}.po").open("rb") as file:
        catalogue = read_po(file, locale=Locale.parse(language))
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return gettext.GNUTranslations(compiled)


def best_language(wanted: Iterable[str]) -> str:
    """The first language that we have of those somebody wants, such as `de-AT`; English if there is none."""
    for tag in wanted:
        language = tag.replace("_", "-").split("-")[0].lower()
        if language in LANGUAGES:
            return language
    return SOURCE
