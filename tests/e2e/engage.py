"""A Mixpanel that has profiles only, in small pages, which a test can change and break."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qs, urlsplit

Profile = dict[str, Any]

PAGE_SIZE = 40
FORGOTTEN = "request for page in uncached query for params"


class Engage:
    """Answers the engage API on a free loopback port."""

    def __init__(self, profiles: list[Profile]) -> None:
        self.profiles = profiles
        self.breaks_at: int | None = None
        """The page that is answered with an error inside of a 200, if any."""
        self.started = 0
        """How many sessions were begun: each is one query of the hour."""
        self._sessions: dict[str, list[Profile]] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever)

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, form: dict[str, str]) -> dict[str, Any]:
        """A page, as it was when its session began."""
        page, session = int(form.get("page", 0)), form.get("session_id", "")
        if page == 0:
            self.started += 1
            session = f"session-{self.started}"
            self._sessions[session] = self.profiles
        if session not in self._sessions:
            return {"error": FORGOTTEN, "status": "error"}
        if page == self.breaks_at:
            return {"error": "an internal error occurred", "status": "error"}
        profiles = self._sessions[session]
        return {
            "page": page,
            "page_size": PAGE_SIZE,
            "session_id": session,
            "status": "ok",
            "total": len(profiles),
            "results": profiles[page * PAGE_SIZE : (page + 1) * PAGE_SIZE],
        }

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        mixpanel = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                length = int(self.headers.get("Content-Length", 0))
                form = parse_qs(self.rfile.read(length).decode())
                known = urlsplit(self.path).path == "/api/query/engage"
                told = mixpanel.answer({name: values[0] for name, values in form.items()}) if known else {}
                body = json.dumps(told).encode()
                self.send_response(200 if known else 404)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Nothing is logged."""

        return Handler
