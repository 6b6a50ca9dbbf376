"""A server of the OpenAI API: what it has, its answers token by token, its sleep.

The length of answers is fixed where the server knows how (`ignore_eos`, `min_tokens`), and tokens
are counted by its usage in the last chunk; else a chunk counts as a token. Prompts begin
differently, so that no cache of prefixes answers for the server.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from planner.errors import MeasurementError, ScenarioError, did_you_mean, wrong
from planner.fleets.measure.server_answers import (
    TIMEOUT_S,
    Chunk,
    Delta,
    ServedModels,
    answering,
    require_answer,
)
from planner.message import Message

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
MOST_TOKEN_S = 10.0  # of each token of an answer
MOST_TIMES, MOST_MORE = 2, 16  # the tokens asked for and some more, that an answer may have
STATE_S = 1800.0  # to sleep or wake
MOST_WORDS = 10  # of a token
NO_PATH = (404, 405)


@dataclass
class Answer:
    """An answer as it comes: when it was asked for, the times of its chunks, and its tokens."""

    sent: float
    chunks: list[float] = field(default_factory=list)
    tokens: int | None = None
    prompt_tokens: int | None = None
    ended: bool = False


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
        self._is_short = False
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
        elif MOST_WORDS * (answer.prompt_tokens or 0) < input_tokens:
            self.cautions.append(
                Message("the server does not count the tokens of a prompt: each word is taken for"
                        " one")
            )  # fmt: skip
        else:
            self._words_per_token = input_tokens / (answer.prompt_tokens or 1)
        if "ignore_eos" not in self._extra:
            self.cautions.append(
                Message("the server does not know ignore_eos: answers may be shorter")
            )

    async def _check_model(self) -> None:
        try:
            async with answering(self.url, TIMEOUT_S):
                response = await self._client.get(f"{self.url}/v1/models")
        except MeasurementError as error:
            message = Message("{text}; is the server running?", text=error.message)
            raise wrong("", message, file="URL") from None
        self._refuse_key(response.status_code)
        try:
            served = ServedModels.model_validate_json(response.content)
        except ValidationError:
            return  # a server that lists none may have the model all the same
        names = [one.id for one in served.data]
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
                if status in NO_PATH:
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
        require_answer(self.url, status, text)
        answer.ended = True
        if (answer.tokens or output_tokens) < output_tokens and not self._is_short:
            self._is_short = True
            message = Message(
                "answers are shorter than asked for, the first such one {n} of {asked} tokens: the"
                " loads are of shorter answers than the task of the curve",
                n=answer.tokens, asked=output_tokens,
            )  # fmt: skip
            self.cautions.append(message)

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
        async with (
            answering(self.url, TIMEOUT_S + MOST_TOKEN_S * output_tokens),
            self._client.stream("POST", url, json=body) as response,
        ):
            if response.status_code != 200:
                return response.status_code, (await response.aread()).decode(errors="replace")
            async for line in response.aiter_lines():
                if line.startswith("data:") and line[5:].strip() != "[DONE]":
                    self._note(answer, Chunk.model_validate_json(line[5:]), output_tokens)
        if not (len(answer.chunks) if answer.tokens is None else answer.tokens):
            raise MeasurementError(Message("{url} answers without a token", url=self.url))
        return 200, ""

    def _note(self, answer: Answer, chunk: Chunk, output_tokens: int) -> None:
        """Note what a chunk adds. Raises MeasurementError where it is an error, or too much."""
        if chunk.error:
            message = Message(
                "{url} answers with an error: {text}", url=self.url, text=str(chunk.error)[:80]
            )
            raise MeasurementError(message)
        if chunk.usage is not None:
            answer.tokens = chunk.usage.completion_tokens
            answer.prompt_tokens = chunk.usage.prompt_tokens
        for choice in chunk.choices or ():
            delta = choice.delta or Delta()
            if choice.text or delta.content or delta.reasoning_content or delta.reasoning:
                answer.chunks.append(self.clock())
        if max(len(answer.chunks), answer.tokens or 0) > MOST_TIMES * output_tokens + MOST_MORE:
            message = Message(
                "{url} answers more than the {n} tokens that were asked for", url=self.url,
                n=output_tokens,
            )  # fmt: skip
            raise MeasurementError(message)

    def _prompt(self, tokens: int) -> str:
        """Return words of about a number of tokens, in a new order each time."""
        count = max(1, round(tokens * self._words_per_token))
        return " ".join(self._random.choices(WORDS, k=count))

    async def sleep(self, level: int) -> bool:
        """Put the server to sleep at a level of vLLM; return whether it can."""
        return await self._change("/sleep", {"level": str(level)}) not in NO_PATH

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
            status = await self._change(path, query, body)
            require_answer(f"{self.url}{path}", status, "")

    async def _change(self, path: str, query: dict[str, str], body: Any = None) -> int:
        """Change the state of the server; return the status. Raises MeasurementError."""
        async with answering(self.url, STATE_S):
            response = await self._client.post(
                f"{self.url}{path}", params=query, json=body, timeout=STATE_S
            )
        if response.status_code not in NO_PATH:
            require_answer(f"{self.url}{path}", response.status_code, response.text)
        return response.status_code
