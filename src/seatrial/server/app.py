"""Puts the application together."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from fastapi.routing import APIRoute

from seatrial.domain.errors import SetupFailed

from . import page, problems, pull_stream
from .auth import Authenticator
from .deps import ServerDeps
from .embedding import Embedding
from .guards import Guards, is_loopback
from .metrics import ServerMetrics
from .routes import (
    credentials,
    embedding,
    environments,
    events,
    health,
    metrics,
    packages,
    providers,
    queue,
    recordings,
    session,
    tests,
    tokens,
    validation,
    webhooks,
)

PREFIX = "/api/v1"

_ROUTERS = (
    validation.router,
    tests.router,
    events.router,
    recordings.router,
    packages.router,
    embedding.router,
    queue.router,
    providers.router,
    credentials.router,
    environments.router,
    session.router,
    tokens.router,
    webhooks.router,
)

_DESCRIPTION = """\
Test a Python AI agent in a real container against its real model.

Errors are `application/problem+json` (RFC 9457) with a stable `code`. A test that does not exist
and a test of somebody else are both 404.
"""


def create_app(deps: ServerDeps) -> FastAPI:
    """The application over these dependencies. It opens and closes none of them.

    SetupFailed for an address that other machines can reach, unless users have accounts.
    """
    alone = deps.local_owner is not None or deps.local_token is not None
    if alone and not is_loopback(deps.settings.host):
        raise SetupFailed(
            f"The address {deps.settings.host} can be reached from other machines.",
            hint="Give users accounts (SEATRIAL_REQUIRE_TOKEN=1), or listen on 127.0.0.1.",
        )
    app = FastAPI(
        title="Seatrial",
        version=version("seatrial"),
        description=_DESCRIPTION,
        openapi_url=f"{PREFIX}/openapi.json",
        # The framework's pages load their scripts from other people's servers.
        docs_url=None,
        redoc_url=None,
        max_body_size=None,  # `Guards` limits it, and answers as a problem
        generate_unique_id_function=_operation_id,
    )
    measured = ServerMetrics()
    app.state.deps = deps
    app.state.metrics = measured
    app.state.authenticator = authenticator = Authenticator(deps)
    problems.install(app)
    for router in _ROUTERS:
        app.include_router(router, prefix=PREFIX)
    for router in (health.router, metrics.router):
        app.include_router(router)
        app.include_router(router, prefix=PREFIX, include_in_schema=False)
    app.include_router(session.front)
    page.install(app, page.Page(deps.page_dir))
    app.add_middleware(Embedding, deps=deps)
    app.add_middleware(Guards, deps=deps, metrics=measured, authenticator=authenticator)
    app.openapi = lambda: _openapi(app)
    return app


def _operation_id(route: APIRoute) -> str:
    """The function's name, which is the use case's."""
    return route.name


def _openapi(app: FastAPI) -> dict[str, Any]:
    """The description of the API, with what stands in no route's model: problems and events."""
    if app.openapi_schema is None:
        schema = get_openapi(
            title=app.title,
            version=app.version,
            description=app.description,
            routes=app.routes,
        )
        schema["components"]["schemas"] |= problems.schemas() | pull_stream.schemas()
        app.openapi_schema = schema
    return app.openapi_schema
