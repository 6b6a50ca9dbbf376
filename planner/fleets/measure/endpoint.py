"""A server of the OpenAI API: what it has, its answers token by token, its sleep.

The length of answers is fixed where the server knows how (`ignore_eos`, `min_tokens`), and tokens
are counted by its usage in the last chunk; else a chunk counts as a token. Prompts begin
differently, so that no cache of prefixes answers for the server.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from planner.errors import MeasurementError, ScenarioError, cause, did_you_mean, wrong
from planner.message import Message
from planner.version import install_line

if TYPE_CHECKING:
    import httpx

WORDS = ("the", "of", "and", "to", "in", "is", "it", "that", "was", "for", "on", "with", "they")
EXTRAS: tuple[dict[str, Any], ...] = (
    {"ignore_eos": True, "min_tokens": 0, "stream_options": {"include_usage": True}},
    {"stream_options": {"include_usage": True}},
    {},
)
"""What is asked of a server beside the API, the most first; it may refuse what it does not know."""
PATHS = ("/v1/completions", "/v1/chat/completions")
TIMEOUT_S = 120.0  # without a token


@dataclass
class Answer:
    """An answer as it comes: when it was asked for, the times of its chunks, and its tokens."""

    sent: float
    chunks: list[float] = field(default_factory=list)
    tokens: int | None = None
    prompt_tokens: int | None = None
    ended: bool = False


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


class Endpoint:
    """A model on a server.

    cautions: what is not as exact as it could be.
    """

    def __init__(
        self, client: httpx.AsyncClient, url: str, model: str, clock: Callable[[], float]
    ) -> None:
        self._client, self._model, self.clock = client, model, clock
        self.url = url.rstrip("/").removesuffix("/v1")
        self.cautions: list[Message] = []
        self._path, self._extra = PATHS[0], EXTRAS[0]
        self._words_per_token = 1.0
        self._random = random.Random(20)

    async def prepare(self, input_tokens: int) -> None:
        """Check the server, and learn how it answers and how long a prompt has to be.

        Raises:
            ScenarioError: the address, the key or the model is wrong.
        """
        await self._check_model()
        answer = await self._first_answer(input_tokens)
        if answer.tokens is None:
            self.cautions.append(
                Message("the server does not count tokens: each chunk is taken for one")
            )
        if answer.prompt_tokens:
            self._words_per_token = input_tokens / answer.prompt_tokens
        if "ignore_eos" not in self._extra:
            self.cautions.append(
                Message("the server does not know ignore_eos: answers may be shorter")
            )

    async def _check_model(self) -> None:
        import httpx

        try:
            response = await self._client.get(f"{self.url}/v1/models")
        except httpx.InvalidURL as error:
            raise wrong("", Message("is no address: {text}", text=error), file="URL") from None
        except (httpx.HTTPError, ValueError) as error:
            message = Message(
                "{url} cannot be reached: {text}; is the server running?",
                url=self.url, text=cause(error),
            )  # fmt: skip
            raise wrong("", message, file="URL") from None
        self._refuse_key(response.status_code)
        try:
            names = [str(one["id"]) for one in response.json()["data"]]
        except (ValueError, KeyError, TypeError):
            return  # a server that lists none may have the model all the same
        if response.status_code == 200 and names and self._model not in names:
            raise self._no_model(names)

    def _refuse_key(self, status: int) -> None:
        if status in (401, 403):
            message = Message(
                "{url} wants a key ({status}): name the variable that holds it", url=self.url,
                status=status,
            )  # fmt: skip
            raise wrong("", message, file="--api-key-env")

    def _no_model(self, names: list[str]) -> ScenarioError:
        message = Message(
            "{url} has no model {name!r}; it has {names}{hint}",
            url=self.url, name=self._model, names=", ".join(names[:5]) or Message("others"),
            hint=did_you_mean(self._model, names),
        )  # fmt: skip
        return wrong("", message, file="--model")

    async def _first_answer(self, input_tokens: int) -> Answer:
        """Return a short answer in the first way that the server knows. Raises ScenarioError."""
        status, text = 0, ""
        for self._path in PATHS:
            for self._extra in EXTRAS:
                answer = Answer(self.clock())
                try:
                    status, text = await self._stream(answer, input_tokens, 4)
                except MeasurementError as error:
                    raise wrong("", error.message, file="URL") from None
                if status == 200:
                    return answer
                self._refuse_key(status)
                if status in (404, 405):
                    break
        if status == 404 and "model" in text.lower():
            raise self._no_model([])
        message = Message(
            "{url} answers neither {names}: status {status}, {text!r}",
            url=self.url, names=" nor ".join(PATHS), status=status, text=text[:80],
        )  # fmt: skip
        raise wrong("", message, file="URL")

    async def ask(self, answer: Answer, input_tokens: int, output_tokens: int) -> None:
        """Ask for an answer of a length. Raises MeasurementError where none comes."""
        status, text = await self._stream(answer, input_tokens, output_tokens)
        if status != 200:
            message = Message(
                "{url} answers with status {status}: {text!r}", url=self.url, status=status,
                text=text[:80],
            )  # fmt: skip
            raise MeasurementError(message)
        answer.ended = True

    async def _stream(
        self, answer: Answer, input_tokens: int, output_tokens: int
    ) -> tuple[int, str]:
        """Ask, note when chunks come; return the status and, where it is no answer, its text.

        Raises:
            MeasurementError: there is no answer, or none that can be read.
        """
        prompt = self._prompt(input_tokens)
        body = {"model": self._model, "stream": True, "max_tokens": output_tokens, **self._extra}
        if "min_tokens" in body:
            body["min_tokens"] = output_tokens
        if self._path.endswith("chat/completions"):
            body["messages"] = [{"role": "user", "content": prompt}]
        else:
            body["prompt"] = prompt
        url = f"{self.url}{self._path}"
        with self._failing():
            async with self._client.stream("POST", url, json=body) as response:
                if response.status_code != 200:
                    return response.status_code, (await response.aread()).decode(errors="replace")
                async for line in response.aiter_lines():
                    if line.startswith("data:") and line[5:].strip() != "[DONE]":
                        self._note(answer, json.loads(line[5:]))
        return 200, ""

    @contextmanager
    def _failing(self) -> Iterator[None]:
        """Turn what a request raises into MeasurementError."""
        import httpx

        try:
            yield
        except (httpx.HTTPError, ValueError, TypeError, AttributeError) as error:
            message = Message("{url}: {text}", url=self.url, text=cause(error))
            raise MeasurementError(message) from None

    def _note(self, answer: Answer, chunk: Any) -> None:
        if usage := chunk.get("usage"):
            answer.tokens = usage.get("completion_tokens")
            answer.prompt_tokens = usage.get("prompt_tokens")
        for choice in chunk.get("choices", ()):
            delta = choice.get("delta") or {}
            text = choice.get("text") or delta.get("content") or delta.get("reasoning_content")
            if text:
                answer.chunks.append(self.clock())

    def _prompt(self, tokens: int) -> str:
        """Return words of about a number of tokens, in a new order each time."""
        count = max(1, round(tokens * self._words_per_token))
        return " ".join(self._random.choices(WORDS, k=count))

    async def sleep(self, level: int) -> bool:
        """Put the server to sleep at a level of vLLM; return whether it sleeps."""
        with self._failing():
            response = await self._client.post(f"{self.url}/sleep", params={"level": level})
        return response.status_code == 200

    async def wake(self, level: int) -> None:
        """Wake the server up; after level 2 its weights are read again."""
        steps: list[tuple[str, dict[str, str], Any]] = [("/wake_up", {}, None)]
        if level == 2:
            steps = [
                ("/wake_up", {"tags": "weights"}, None),
                ("/collective_rpc", {}, {"method": "reload_weights"}),
                ("/wake_up", {"tags": "kv_cache"}, None),
            ]
        for path, query, body in steps:
            with self._failing():
                await self._client.post(f"{self.url}{path}", params=query, json=body, timeout=None)
