"""A model server of known behaviour, in virtual time and on loopback.

With n requests at a time each gets a token every a + b n seconds, so that it answers n / (a + b n)
tokens a second; its GPUs draw 300 W and 20 W more for each request.
"""

from __future__ import annotations

import asyncio
import json
import selectors
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx

FIRST_TOKEN_S = 0.05


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop whose time jumps to the next timer instead of waiting for it."""

    def __init__(self) -> None:
        super().__init__(_Jumping(self))
        self.now = 1000.0

    def time(self) -> float:
        return self.now


class _Jumping(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        assert timeout is not None, "nothing will ever happen again"
        ready = super().select(0)
        if not ready:
            self._loop.now += max(timeout, 0)
        return ready


def in_virtual_time(work: Callable[[], Awaitable[Any]]) -> Any:
    """Run a coroutine, whose sleeps take no time."""

    async def whole() -> Any:
        return await work()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(whole())


class ModelServer:
    """The server. knows: whether ignore_eos and stream_options are known to it.

    dies_after: tokens after which it answers no more. refresh_s: of its exporter, whose readings
    flicker. most_tokens: of an answer, whatever is asked for. spoilt: events that are added to each
    answer from the one with the number `spoilt_from`.
    """

    def __init__(
        self, a_s: float = 0.02, b_s: float = 0.001, *, model: str = "lab/model",
        knows: bool = True, chat_only: bool = False, key: str = "",
        dies_after: float = float("inf"), refresh_s: float = 0.0, most_tokens: int = 10**9,
        spoilt: Sequence[str] = (), spoilt_from: int = 20,
    ) -> None:  # fmt: skip
        self.a_s, self.b_s, self.model, self.knows = a_s, b_s, model, knows
        self.chat_only, self.key, self.dies_after = chat_only, key, dies_after
        self.active, self.tokens, self.prompt_tokens, self.asleep = 0, 0, 0, False
        self.most_tokens, self.spoilt, self.spoilt_from = most_tokens, spoilt, spoilt_from
        self.answers = 0
        self.calls: list[str] = []
        self.exporter_keys: set[str] = set()
        self.garbage = False
        self.refresh_s, self.read_at, self.reading_w, self.flicker_w = refresh_s, -1e9, 0.0, 1e-3

    def rate(self, n: int) -> float:
        """Return the tokens/s at a number of requests at a time, prompts being free."""
        return n / (self.a_s + self.b_s * n)

    def watts(self) -> float:
        """Return the power of both GPUs."""
        return 200.0 if self.asleep else 300.0 + 20.0 * self.active

    def metrics(self) -> str:
        """Return the text of its DCGM exporter, with a blank value."""
        now = asyncio.get_running_loop().time()
        if now >= self.read_at + self.refresh_s:
            self.read_at, self.flicker_w = now, -self.flicker_w
            self.reading_w = self.watts() / 2 + self.flicker_w
        watts = (self.reading_w, self.reading_w, 9.22e18)
        lines = (
            f'DCGM_FI_DEV_POWER_USAGE{{gpu="{i}",modelName="NVIDIA H200",Hostname="n"}} {value}'
            for i, value in enumerate(watts)
        )
        return "# TYPE DCGM_FI_DEV_POWER_USAGE gauge\n" + "\n".join(lines) + "\n"

    def plain(self, path: str, query: str, key: str, body: Any) -> tuple[int, str]:
        """Return status and text of everything but an answer; 0 where an answer is due."""
        if self.garbage and path != "/metrics":
            return 200, "data: <html>\n\n"
        if self.tokens >= self.dies_after:
            raise httpx.ConnectError("All connection attempts failed")
        if path == "/metrics":
            self.exporter_keys.add(key)
            return 200, self.metrics()
        if key != self.key:
            return 401, "no"
        if path == "/v1/models":
            return 200, json.dumps({"data": [{"id": self.model}]})
        if path in ("/sleep", "/wake_up", "/collective_rpc"):
            self.calls.append(f"{path}?{query}" if query else path)
            self.asleep = path == "/sleep" or (self.asleep and path != "/wake_up")
            return 200, ""
        if path == "/v1/completions" and self.chat_only:
            return 404, "Not Found"
        if not self.knows and body.keys() & {"ignore_eos", "stream_options"}:
            return 400, "unknown field"
        return 0, ""

    async def answer(self, body: Any) -> AsyncIterator[str]:
        """Yield the events of an answer, at times that do not depend on how late it is called."""
        loop = asyncio.get_running_loop()
        self.active += 1
        self.answers += 1
        number, count = self.answers, min(body["max_tokens"], self.most_tokens)
        try:
            due = loop.time() + FIRST_TOKEN_S
            for _ in range(count):
                await asyncio.sleep(due - loop.time())
                if self.tokens >= self.dies_after:
                    raise httpx.ReadError("peer closed connection")
                self.tokens += 1
                part = {"delta": {"content": "x"}} if "messages" in body else {"text": "x"}
                yield f"data: {json.dumps({'choices': [part]})}\n\n"
                due += self.a_s + self.b_s * self.active
        finally:
            self.active -= 1
        if "stream_options" in body:
            words = len((body.get("prompt") or body["messages"][0]["content"]).split())
            self.prompt_tokens = 2 * words
            usage = {"completion_tokens": count, "prompt_tokens": self.prompt_tokens}
            yield f"data: {json.dumps({'choices': [], 'usage': usage})}\n\n"
        for event in self.spoilt if number >= self.spoilt_from else ():
            yield f"data: {event}\n\n"
        yield "data: [DONE]\n\n"

    def client(self) -> httpx.AsyncClient:
        """Return a client that reaches the server without a network."""

        async def handle(request: httpx.Request) -> httpx.Response:
            body = json.loads(request.content) if request.content else {}
            key = request.headers.get("Authorization", "").removeprefix("Bearer ")
            url = request.url
            status, text = self.plain(url.path, url.query.decode(), key, body)
            if status:
                return httpx.Response(status, text=text)
            return httpx.Response(200, stream=_Stream(self.answer(body)))

        return httpx.AsyncClient(transport=httpx.MockTransport(handle))

    @contextmanager
    def on_loopback(self) -> Iterator[str]:
        """Serve in a thread; yields the address."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever, daemon=True)
        thread.start()
        starting = asyncio.start_server(self._serve, "127.0.0.1", 0)
        server = asyncio.run_coroutine_threadsafe(starting, loop).result()
        try:
            yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        finally:

            async def stop() -> None:
                server.close()
                tasks = asyncio.all_tasks() - {asyncio.current_task()}
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

            asyncio.run_coroutine_threadsafe(stop(), loop).result()
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *lines = head.decode().strip().split("\r\n")
                parts = (line.partition(": ") for line in lines)
                fields = {name.lower(): value for name, _, value in parts}
                body = await reader.readexactly(int(fields.get("content-length", 0)))
                _, target, _ = first.split()
                path, _, query = target.partition("?")
                key = fields.get("authorization", "").removeprefix("Bearer ")
                data = json.loads(body) if body else {}
                status, text = self.plain(path, query, key, data)
                if status:
                    writer.write(
                        f"HTTP/1.1 {status} x\r\nContent-Length: {len(text)}\r\n\r\n{text}".encode()
                    )
                    continue
                writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                async for event in self.answer(data):
                    writer.write(f"{len(event):x}\r\n{event}\r\n".encode())
                    await writer.drain()
                writer.write(b"0\r\n\r\n")
        except (httpx.HTTPError, OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            writer.close()


class _Stream(httpx.AsyncByteStream):
    def __init__(self, events: AsyncIterator[str]) -> None:
        self._events = events

    async def __aiter__(self) -> AsyncIterator[bytes]:
        async for event in self._events:
            yield event.encode()

    async def aclose(self) -> None:
        await self._events.aclose()  # type: ignore[attr-defined]
