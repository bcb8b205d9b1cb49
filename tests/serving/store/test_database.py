"""The migrations lead to the tables that the code uses, on both databases."""

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from sqlalchemy import inspect, text

from serving.errors import SettingsError
from serving.store.database import Database
from serving.store.tables import Table


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, tmp_path):
    if request.param == "sqlite":
        url = f"sqlite:///{tmp_path}/new/deep3d.sqlite"
    else:
        url = request.getfixturevalue("postgres_server").new_database()
    database = Database(url)
    yield database
    database.close()


def test_the_migrations_make_the_tables_of_the_code(database):
    database.upgrade()
    database.upgrade()
    with database.engine.connect() as connection:
        assert compare_metadata(MigrationContext.configure(connection), Table.metadata) == []


def test_a_database_of_an_earlier_version_is_upgraded_and_a_present_one_left_alone(database, monkeypatch):
    config = Config()
    config.set_main_option("script_location", "serving.store:migrations")
    with database.engine.connect() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        assert not inspect(connection).has_table("renderings")
    database.upgrade()
    with database.engine.connect() as connection:
        assert inspect(connection).has_table("renderings")

    def upgrades(*arguments):
        raise AssertionError("nothing is left to upgrade")

    monkeypatch.setattr("alembic.command.upgrade", upgrades)
    database.upgrade()


def test_a_database_of_a_later_version_is_left_alone(database):
    database.upgrade()
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))

    with pytest.raises(SettingsError, match="a newer version of deep3d has used this database"):
        database.upgrade()


@pytest.mark.parametrize("url", ["mysql://host/name", "nonsense", "sqlite://", "postgresql://127.0.0.1:9/none"])
def test_a_database_that_cannot_be_used_is_told_in_one_line(url):
    with pytest.raises(SettingsError, match="DEEP3D_DATABASE_URL") as told:
        Database(url).upgrade()
    assert "\n" not in str(told.value)
