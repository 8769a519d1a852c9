"""Deployment packages of succeeded tests: list, make, download."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Body, Response

from seatrial.domain.packages import PackageInfo, PackageList, PackageOrder, Target
from seatrial.server.auth import Caller
from seatrial.server.deps import Deps
from seatrial.server.examples import PACKAGES
from seatrial.server.problems import documented
from seatrial.services import build_package as packaging

router = APIRouter(prefix="/tests", tags=["packages"])

_ZIP = "application/zip"
_DOWNLOAD: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "The archive.",
        "content": {_ZIP: {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.get(
    "/{test_id}/packages",
    summary="List a test's packages and the targets that it can have",
    responses=documented(401, 404, 422),
)
async def list_packages(test_id: str, deps: Deps, caller: Caller) -> PackageList:
    """The packages that were made, the targets with the one that fits best, or why there is none.

    `refused` is set when no package can be made of the test, for example because it failed.
    """
    return await packaging.list_packages(deps.store, caller.id, test_id)


@router.post(
    "/{test_id}/packages",
    status_code=201,
    summary="Make a package of a succeeded test",
    responses=documented(401, 404, 409, 422),
)
async def build_package(
    test_id: str,
    response: Response,
    deps: Deps,
    caller: Caller,
    order: Annotated[PackageOrder | None, Body(openapi_examples=PACKAGES)] = None,
) -> PackageInfo:
    """Make it, in place of an earlier one for the same target. The test is not changed.

    409 `package.refused` says why there can be none: the test has not succeeded, a secret stands
    in what would be packed, the target cannot run it, or the archive would be too large.
    """
    made = await packaging.build_package(
        deps.store, caller.id, test_id, order.target if order else None
    )
    response.headers["Location"] = made.download
    return made


@router.get(
    "/{test_id}/packages/{target}.zip",
    summary="Download a package",
    response_class=Response,
    responses={**_DOWNLOAD, **documented(401, 404, 422)},
)
async def download_package(test_id: str, target: Target, deps: Deps, caller: Caller) -> Response:
    """The archive of a package that was made. 404 when it was not."""
    content = await packaging.read_package(deps.store, caller.id, test_id, target)
    name = f'attachment; filename="seatrial-{test_id}-{target}.zip"'
    return Response(content, media_type=_ZIP, headers={"Content-Disposition": name})
