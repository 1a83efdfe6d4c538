"""The two ways in which a repair takes the place of something in bqemulator."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from starlette.routing import Route

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from fastapi import APIRouter
    from starlette.requests import Request
    from starlette.responses import Response

Replacement = TypeVar("Replacement")
Handler = TypeVar("Handler", bound="Callable[[Request], Awaitable[Response]]")


def replaces(owner: object, name: str) -> Callable[[Replacement], Replacement]:
    """Put a function where bqemulator looks `name` up. Fails when a newer bqemulator has no such name."""
    getattr(owner, name)

    def put(replacement: Replacement) -> Replacement:
        setattr(owner, name, replacement)
        return replacement

    return put


def answers(router: APIRouter, method: str, path: str) -> Callable[[Handler], Handler]:
    """Let a function answer `method path` before bqemulator's own route does."""

    def put(handler: Handler) -> Handler:
        router.routes.insert(0, Route(router.prefix + path, handler, methods=[method]))
        return handler

    return put
