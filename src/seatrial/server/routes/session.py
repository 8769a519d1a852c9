"""Who the caller is, and what stands at the front door."""

from __future__ import annotations

from importlib.metadata import version
from typing import cast

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse

from seatrial.domain.answers import Session
from seatrial.server.auth import Caller
from seatrial.server.page import Page
from seatrial.server.problems import documented

router = APIRouter(tags=["session"])
front = APIRouter()


@router.get("/session", summary="Who you are here", responses=documented(401))
async def read_session(caller: Caller) -> Session:
    """Your user's name, and whether you are this machine's own user."""
    return Session(user=caller.user.name, local=caller.local, version=version("seatrial"))


@front.get("/", include_in_schema=False, response_model=None)
async def read_front(request: Request) -> Response:
    """The web page for browsers; for programs, where to go from here."""
    page = cast("Page", request.app.state.page)
    if page.built and "text/html" in request.headers.get("accept", ""):
        return page.front(request)
    return JSONResponse(
        {
            "name": "Seatrial",
            "version": version("seatrial"),
            "api": "/api/v1",
            "openapi": "/api/v1/openapi.json",
        }
    )
