"""Google's translator against a server of this test that checks what it is asked and answers as Google does."""

import http.server
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from sts_service.engine import stage_error
from sts_service.programs import ProgramTimeoutError
from sts_service.translation import GoogleTranslator, TranslationError

KEY = "AIza-a-secret-key"
PATH = "/language/translate/v2"


@dataclass
class StandIn:
    """What the server answers, and what it was asked."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    delay_s: float = 0.0
    url: str = ""
    requests: list[dict[str, Any]] = field(default_factory=list)


@pytest.fixture
def google() -> Iterator[StandIn]:
    stand_in = StandIn()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["Content-Length"]))
            request = {
                "method": self.command,
                "path": self.path,
                "key": self.headers["X-Goog-Api-Key"],
                "type": self.headers["Content-Type"],
                "body": json.loads(content),
            }
            stand_in.requests.append(request)
            time.sleep(stand_in.delay_s)
            self.send_response(stand_in.status)
            for name, value in stand_in.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(stand_in.body)

        def do_GET(self) -> None:
            stand_in.requests.append({"method": "GET", "path": self.path, "key": self.headers["X-Goog-Api-Key"]})
            self.send_error(404)

        def log_message(self, *_: Any) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    stand_in.url = f"http://127.0.0.1:{server.server_port}{PATH}"
    yield stand_in
    server.shutdown()
    thread.join()
    server.server_close()


def answer(*texts: str) -> bytes:
    return json.dumps({"data": {"translations": [{"translatedText": text} for text in texts]}}).encode()


def refusal(code: int, message: str, reason: str) -> bytes:
    errors = [{"message": message, "domain": "global", "reason": reason}]
    return json.dumps({"error": {"code": code, "message": message, "errors": errors}}).encode()


def test_asks_as_the_api_wants_it(google: StandIn) -> None:
    google.body = answer("Hola mundo")
    assert GoogleTranslator(google.url, KEY).translate("Hello world", "en", "es") == "Hola mundo"
    assert google.requests == [
        {
            "method": "POST",
            "path": PATH,
            "key": KEY,
            "type": "application/json",
            "body": {"q": "Hello world", "source": "en", "target": "es", "format": "text"},
        }
    ]


def test_html_entities_do_not_survive(google: StandIn) -> None:
    google.body = answer("&quot;La l&iacute;nea de 5 &amp; 10&quot; no es d&#39;or.")
    translated = GoogleTranslator(google.url, KEY).translate("any", "en", "es")
    assert translated == '"La línea de 5 & 10" no es d\'or.'


@pytest.mark.parametrize(
    ("status", "body", "code", "retryable", "shown"),
    [
        (400, refusal(400, "API key not valid.", "badRequest"), "INVALID_CONFIG", False, "400: API key not valid."),
        (401, refusal(401, f"{KEY} has expired", "authError"), "INVALID_CONFIG", False, r"401: \(API key\) has expired"),
        (403, refusal(403, "API is not enabled", "accessNotConfigured"), "INVALID_CONFIG", False, "403: API is not"),
        (403, refusal(403, "Too fast", "userRateLimitExceeded"), "RATE_LIMIT", True, "403: Too fast"),
        (429, refusal(429, "Quota exceeded", "rateLimitExceeded"), "RATE_LIMIT", True, "429: Quota exceeded"),
        (500, refusal(500, "Internal error", "backendError"), "MODEL_ERROR", True, "500: Internal error"),
        (502, f"<html>{KEY}</html>".encode(), "MODEL_ERROR", True, r"502: <html>\(API key\)</html>"),
        (200, b"\xff\xfe<html>", "MODEL_ERROR", True, "no usable answer"),
        (200, b"[]", "MODEL_ERROR", True, "no usable answer"),
        (200, answer(), "MODEL_ERROR", True, "no usable answer"),
        (200, answer("  "), "MODEL_ERROR", False, "empty translation"),
    ],
)
def test_an_answer_without_a_translation(
    google: StandIn,
    caplog: pytest.LogCaptureFixture,
    status: int,
    body: bytes,
    code: str,
    retryable: bool,
    shown: str,
) -> None:
    google.status, google.body = status, body
    with pytest.raises(TranslationError, match=shown) as caught:
        GoogleTranslator(google.url, KEY).translate("Hello", "en", "es")
    error = stage_error(caught.value, "translation")
    assert (error.code, error.retryable, error.stage) == (code, retryable, "translation")
    # As the engine logs it, with the whole chain of causes.
    logging.getLogger("sts_service").warning("stage failed", exc_info=caught.value)
    assert str(caught.value) in caplog.text
    assert KEY not in caplog.text + str(error)


def test_a_slow_answer_is_a_timeout(google: StandIn) -> None:
    google.delay_s = 1.0
    with pytest.raises(ProgramTimeoutError, match=r"google did not answer within 0\.2 s") as caught:
        GoogleTranslator(google.url, KEY, timeout_s=0.2).translate("Hello", "en", "es")
    error = stage_error(caught.value, "translation")
    assert (error.code, error.retryable) == ("TIMEOUT", True)


def test_nobody_listens() -> None:
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{bound.getsockname()[1]}/"
        with pytest.raises(TranslationError, match="refused") as caught:
            GoogleTranslator(url, KEY).translate("Hello", "en", "es")
    assert caught.value.retryable


def test_the_key_is_not_taken_to_where_an_answer_redirects(google: StandIn) -> None:
    google.status, google.headers = 302, {"Location": google.url.replace(PATH, "/elsewhere")}
    with pytest.raises(TranslationError, match="302") as caught:
        GoogleTranslator(google.url, KEY).translate("Hello", "en", "es")
    assert not caught.value.retryable
    assert [request["method"] for request in google.requests] == ["POST"]
