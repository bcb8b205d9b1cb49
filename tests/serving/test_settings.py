"""Settings come from the environment, and what is wrong with one is told by its name."""

import pytest

from serving.errors import SettingsError
from serving.settings import Settings


def test_without_any_it_is_the_embedded_mode():
    settings = Settings.from_env({"PATH": "/bin"})
    assert settings.embedded
    assert settings.database.startswith("sqlite:///")


def test_they_have_the_types_of_their_defaults():
    settings = Settings.from_env({"DEEP3D_KEEP_DAYS": "7", "DEEP3D_ANONYMOUS": "no", "DEEP3D_MAX_PHOTOS": "3"})
    assert (settings.keep_days, settings.anonymous, settings.max_photos) == (7.0, False, 3)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("DEEP3D_KEEP_DAY", "7"),
        ("DEEP3D_KEEP_DAYS", "soon"),
        ("DEEP3D_KEEP_DAYS", "0"),
        ("DEEP3D_ANONYMOUS", "perhaps"),
        ("DEEP3D_BASE_URL", "example.com"),
        ("DEEP3D_SMTP_URL", "mail.example.com"),
        ("DEEP3D_BROKER_URL", "redis://localhost"),  # with SQLite
        ("DEEP3D_MAIL_FROM", "nobody"),
        ("DEEP3D_LOG_LEVEL", "LOUD"),
    ],
)
def test_a_wrong_one_is_told_by_its_name(name, value):
    with pytest.raises(SettingsError, match=name) as told:
        Settings.from_env({name: value})
    assert "\n" not in str(told.value)


def test_the_key_of_cookies_is_made_once(tmp_path):
    settings = Settings(data_dir=tmp_path)
    assert settings.site_key() == settings.site_key()
    assert len(settings.site_key()) >= 32
