"""Answers what the contract asks: its name, its environment, its files, and what its peer says."""

import http.server
import json
import os
import sys
import urllib.parse
import urllib.request
from pathlib import Path


def answer(path: str, query: dict[str, str]) -> object:
    if path == "/name":
        return os.environ["NAME"]
    if path == "/environment":
        return dict(os.environ)
    if path == "/file":
        return Path(os.environ[query["variable"]]).read_text(encoding="utf-8")
    if path == "/fetch":
        with urllib.request.urlopen(os.environ[query["variable"]], timeout=5) as response:
            return json.load(response)
    return "ok"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        url = urllib.parse.urlsplit(self.path)
        body = json.dumps(answer(url.path, dict(urllib.parse.parse_qsl(url.query)))).encode()
        self.send_response(503 if url.path == "/refused" else 200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


sys.stdout.write(f"{os.environ['NAME']} serves\n")
sys.stdout.flush()
http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
