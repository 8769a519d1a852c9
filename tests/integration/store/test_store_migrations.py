"""The tables: made from nothing by whoever comes first, the same as the code expects."""

from __future__ import annotations

import asyncio
import stat
import sys
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, make_url, text
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool
from tests.support.databases import OWNER, Databases, PostgresDatabases, SqliteFiles, a_request

import seatrial.store.migrations
from seatrial.domain.errors import SetupFailed, StoreUnavailable
from seatrial.store import open_store
from seatrial.store.migrate import HEAD, VERSION_TABLE
from seatrial.store.tables import metadata

OPEN_IT = """
import asyncio, sys
from seatrial.store import open_store
async def main():
    store = open_store(sys.argv[1])
    await store.open()
    print((await store.ensure_user("same")).id)
    await store.aclose()
asyncio.run(main())
"""


def test_the_newest_migration_is_the_one_that_the_code_expects():
    config = Config()
    config.set_main_option("script_location", str(Path(seatrial.store.migrations.__file__).parent))

    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


async def test_migrations_make_the_tables_that_the_code_expects(url: str):
    def differences(connection: Connection) -> list[Any]:
        options = {"version_table": VERSION_TABLE, "compare_type": True}
        context = MigrationContext.configure(connection, opts=options)
        return compare_metadata(context, metadata)

    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.connect() as connection:
        assert await connection.run_sync(differences) == []


async def test_an_empty_database_is_ready_after_opening(databases: Databases):
    store = open_store(databases.empty())
    await store.open()
    try:
        await store.ping()
        assert (await store.submit(OWNER, a_request(), max_queued=1)).last_event == 2
    finally:
        await store.aclose()
        await store.aclose()


async def test_opening_again_keeps_what_is_there(databases: Databases):
    url = databases.empty()
    ids: set[str] = set()
    for _ in range(3):
        store = open_store(url)
        await store.open()
        ids.add((await store.ensure_user("ann")).id)
        await store.aclose()

    assert len(ids) == 1


async def test_stores_that_open_an_empty_database_at_once_all_succeed(databases: Databases):
    url = databases.empty()
    stores = [open_store(url) for _ in range(4)]
    try:
        await asyncio.gather(*(store.open() for store in stores))
        ids = [(await store.ensure_user("ann")).id for store in stores]
        assert len(set(ids)) == 1
    finally:
        for store in stores:
            await store.aclose()


async def test_processes_that_open_an_empty_database_at_once_all_succeed(databases: Databases):
    url = databases.empty()
    command = (sys.executable, "-c", OPEN_IT, url)
    processes = [
        await asyncio.create_subprocess_exec(*command, stdout=asyncio.subprocess.PIPE)
        for _ in range(3)
    ]

    answers = await asyncio.gather(*(process.communicate() for process in processes))

    assert [process.returncode for process in processes] == [0, 0, 0]
    assert len({out for out, _ in answers}) == 1


WITHOUT_PARENTS = (
    "DROP TABLE tokens",
    "CREATE TABLE tokens (hash TEXT PRIMARY KEY, user_id TEXT NOT NULL REFERENCES users (id) "
    "ON DELETE CASCADE, label TEXT NOT NULL, created_at BIGINT NOT NULL)",
    "CREATE INDEX tokens_of_user ON tokens (user_id, label)",
)
"""The tokens as they were before they had parents."""


async def test_tokens_that_are_there_already_work_on_and_end_alone(url: str):
    store = open_store(url)
    await store.open()
    ann = await store.ensure_user("ann")
    await store.aclose()
    engine = create_async_engine(url, poolclass=NullPool)
    made = f"INSERT INTO tokens VALUES ('old', '{ann.id}', 'laptop', 1)"
    version = f"UPDATE {VERSION_TABLE} SET version_num = '0010'"
    async with engine.begin() as connection:
        for statement in (*WITHOUT_PARENTS, made, version):
            await connection.execute(text(statement))
    await engine.dispose()

    await store.open()
    try:
        assert await store.user_of_token("old") == ann
        await store.add_token(ann.id, "new", "script", parent="old")
        assert await store.remove_token(ann.id, "laptop")
        assert await store.tokens() == ()
    finally:
        await store.aclose()


async def test_tests_that_are_there_already_are_found_by_their_model(url: str):
    store = open_store(url)
    await store.open()
    models = ("ollama:a", "ollama:b,openai:c", None)
    for model in models:
        request = a_request().model_copy(update={"model": model})
        await store.submit(OWNER, request, max_queued=9)
    await store.aclose()
    before = (
        "DROP INDEX tests_history_by_model",
        "ALTER TABLE tests DROP COLUMN main_model",
        "ALTER TABLE workers DROP COLUMN engine",
        *WITHOUT_PARENTS,
        f"UPDATE {VERSION_TABLE} SET version_num = '0008'",
    )
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.begin() as connection:
        for statement in before:
            await connection.execute(text(statement))
    await engine.dispose()

    await store.open()
    try:
        for wanted, model in zip(("ollama:a", "ollama:b", "default"), models, strict=True):
            (found,) = (await store.page(OWNER, model=wanted)).tests
            assert found.model == model
    finally:
        await store.aclose()


async def test_a_database_of_a_newer_version_is_left_alone(url: str):
    engine = create_async_engine(url, poolclass=NullPool)
    async with engine.begin() as connection:
        await connection.execute(text(f"UPDATE {VERSION_TABLE} SET version_num = '9999'"))

    with pytest.raises(SetupFailed, match="does not know"):
        await open_store(url).open()


async def test_a_server_that_is_not_there_is_unavailable():
    with pytest.raises(StoreUnavailable):
        await open_store("postgresql+asyncpg://x:y@127.0.0.1:1/z").open()


@pytest.mark.postgres
async def test_a_wrong_password_is_a_matter_of_setup(postgres_databases: PostgresDatabases):
    url = make_url(postgres_databases.migrated()).set(password="wrong")

    with pytest.raises(SetupFailed):
        await open_store(url.render_as_string(hide_password=False)).open()


@pytest.mark.parametrize(
    "url",
    ["", "nonsense", "mysql://x/y", "sqlite+aiosqlite://", "sqlite+aiosqlite:///:memory:"],
)
def test_a_url_that_is_not_supported_is_refused(url: str):
    with pytest.raises(SetupFailed):
        open_store(url)


async def test_the_file_is_for_its_owner_only_and_its_folder_is_made(tmp_path: Path):
    path = tmp_path / "new" / "seatrial.db"
    store = open_store(f"sqlite+aiosqlite:///{path}")
    await store.open()
    await store.aclose()

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert [each.name for each in path.parent.iterdir()] == ["seatrial.db"]


async def test_a_file_that_is_no_database_is_left_alone(sqlite_files: SqliteFiles):
    url = sqlite_files.empty()
    path = Path(str(make_url(url).database))
    path.write_text("my notes, not a database at all\n" * 100)

    with pytest.raises(SetupFailed):
        await open_store(url).open()
    assert path.read_text().startswith("my notes")
