"""Answers of servers over HTTP, whatever they hold: what is read of them, and how they fail."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from pydantic import Field, ValidationError

from planner.errors import MeasurementError, cause, dotted, wrong
from planner.fleets.importing.benchmark_run import Foreign
from planner.message import Message
from planner.version import install_line

if TYPE_CHECKING:
    import httpx

TIMEOUT_S = 120.0  # without a token


class Usage(Foreign):
    """Tokens as a server counts them."""

    completion_tokens: int | None = Field(None, ge=0)
    prompt_tokens: int | None = Field(None, ge=0)


class Delta(Foreign):
    """What a chunk adds to an answer of a chat."""

    content: Any = None
    reasoning_content: Any = None
    reasoning: Any = None


class ChunkChoice(Foreign):
    """What a chunk adds to an answer."""

    text: Any = None
    delta: Delta | None = None


class Chunk(Foreign):
    """An event of a stream."""

    choices: list[ChunkChoice] | None = None
    usage: Usage | None = None
    error: Any = None


class ServedModel(Foreign):
    """A model that a server has."""

    id: str


class ServedModels(Foreign):
    """All models that a server has."""

    data: list[ServedModel]


def http_client(key: str | None, most: int) -> httpx.AsyncClient:
    """Return a client with a key, if any, for a number of requests at a time.

    Raises:
        ScenarioError: httpx is not installed.
    """
    try:
        import httpx
    except ImportError:
        message = Message("measuring needs httpx: {line}", line=install_line("measure"))
        raise wrong("", message) from None
    return httpx.AsyncClient(
        headers={} if key is None else {"Authorization": f"Bearer {key}"},
        timeout=httpx.Timeout(TIMEOUT_S, pool=None),
        limits=httpx.Limits(max_connections=most + 4, max_keepalive_connections=most + 4),
    )


@asynccontextmanager
async def answering(url: str, most_s: float) -> AsyncIterator[None]:
    """Turn whatever is wrong with an answer, or its absence, into a MeasurementError.

    This is the one place for that; bodies are read with `Foreign` classes inside it.
    """
    import httpx

    try:
        async with asyncio.timeout(most_s):
            yield
        return
    except TimeoutError:
        text: str = Message("no whole answer in {s:g} s", s=most_s)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = f"{dotted(first['loc'])}: " if first["loc"] else ""
        text = Message("answers what cannot be read: {text}", text=f"{where}{first['msg']}")
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        text = cause(error)
    raise MeasurementError(Message("{url}: {text}", url=url, text=text))


def is_address(text: str) -> bool:
    """Return whether a text is the address of a server; a user or a password is no part of it."""
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return False
    is_plain = text.isprintable() and not set(text) & set(" @?#")
    return parts.scheme in ("http", "https") and bool(parts.hostname) and port != 0 and is_plain


def require_answer(url: str, status: int, text: str) -> None:
    """Require a status of success. Raises MeasurementError."""
    if status != 200:
        message = Message(
            "{url} answers with status {status}: {text!r}", url=url, status=status, text=text[:80]
        )
        raise MeasurementError(message)
