"""A gRPC call and its fault → when it is answered, and with which status."""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

import grpc

if TYPE_CHECKING:
    from collections.abc import Iterator

    from faults.script import Fault

SAID = "as the test says"
_PATH = re.compile(r"projects/[^/]+/datasets/([^/]+)/tables/([^/]+)(?:/streams/.+)?")


def before(fault: Fault, context: grpc.ServicerContext) -> None:
    """What happens instead of the call, or delays it."""
    if fault.what == "held":
        fault.wait()
    if fault.what == "silence":
        fault.wait(until_left=context.add_callback)
    if fault.what in ("silence", "break before"):
        aborted(context, grpc.StatusCode[fault.code], SAID)
    if fault.step != "append" and fault.what in grpc.StatusCode.__members__:
        aborted(context, grpc.StatusCode[fault.what], SAID)


def after(fault: Fault, context: grpc.ServicerContext) -> None:
    """What happens to the reply."""
    if fault.what == "late":
        fault.wait(until_left=context.add_callback)
    if fault.what in ("reply lost", "break after"):
        aborted(context, grpc.StatusCode[fault.code], SAID)


def aborted(context: grpc.ServicerContext, code: grpc.StatusCode, message: str) -> NoReturn:
    context.abort(code, message)
    raise AssertionError(message)  # abort raises; its types do not say so


def names(path: str, context: grpc.ServicerContext) -> tuple[str, str]:
    """Dataset and table of the path of a table or stream."""
    found = _PATH.fullmatch(path)
    if found is None:
        aborted(context, grpc.StatusCode.INVALID_ARGUMENT, f"{path!r} is neither a table nor a stream")
    return found[1], found[2]


@contextmanager
def recorded(context: grpc.ServicerContext, broken: list[BaseException]) -> Iterator[None]:
    """An exception that is no answer is a defect of this server: the test that met it fails."""
    try:
        yield
    except Exception as error:
        if context.code() is None:
            broken.append(error)
        raise
