"""What the service answers instead of a result: one class for each HTTP status.

::

    runner.errors.ImpastoError
    ├── SettingsError             an option makes no sense: the command ends with status 2
    └── ServiceError
        ├── BadRequest       400  the request cannot be understood or does not fit the model
        ├── Unauthorized     401  the token is missing or wrong
        ├── NotFound         404  no such model, version or page
        ├── SlowBody         408  the body did not arrive in time
        ├── TooLarge         413  the body or the picture is too large
        ├── Overloaded       429  the queue is full; try again later
        ├── Failed           500  the model failed on it
        ├── Unsupported      501  the protocol allows it, this server does not do it
        ├── Unready          503  starting, draining, or the model is not loaded
        └── Expired          504  the deadline passed

The body of such an answer is ``{"error": message}``. A message is: subject, actual value,
constraint, remedy; it never names a path of the server.
"""

import click

from runner.errors import ImpastoError


class SettingsError(ImpastoError, click.UsageError):
    """A setting of the service is out of range or contradicts another; the exit status is 2."""


class ServiceError(ImpastoError):
    """A request that gets no result.

    Args:
        message: subject, actual value, constraint, remedy.
        retry_after_s: whole seconds after which the same request may succeed, when that is known.

    Attributes:
        status: the HTTP status of the answer.
        retry_after_s: see above.
    """

    status = 500

    def __init__(self, message: str, retry_after_s: int | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


class BadRequest(ServiceError):  # noqa: N818 - named as HTTP names the status
    """The request cannot be understood, or its tensors do not fit the model."""

    status = 400


class Unauthorized(ServiceError):  # noqa: N818
    """The bearer token is missing or wrong."""

    status = 401


class NotFound(ServiceError):  # noqa: N818
    """There is no such model, version or page."""

    status = 404


class SlowBody(ServiceError):  # noqa: N818
    """The body of the request did not arrive in time."""

    status = 408


class TooLarge(ServiceError):  # noqa: N818
    """The body of the request, or the picture in it, is larger than the server takes."""

    status = 413


class Overloaded(ServiceError):  # noqa: N818
    """More work waits than the server holds; nothing was done for this request."""

    status = 429


class Failed(ServiceError):  # noqa: N818
    """The model failed on this request; the server's log says why."""

    status = 500


class Unsupported(ServiceError):  # noqa: N818
    """The protocol allows it, and this server does not do it."""

    status = 501


class Unready(ServiceError):  # noqa: N818
    """The server is starting or draining, or the model is not loaded."""

    status = 503


class Expired(ServiceError):  # noqa: N818
    """The request's deadline passed before there was a result."""

    status = 504
