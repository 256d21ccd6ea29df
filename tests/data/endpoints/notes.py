"""The same capabilities as notes.mjs, in Python: what seeder asks with POST and JSON. Needs nothing but Python."""

import http.server
import json
import signal
import sys
import urllib.request

MADE = {}  # Idempotency-Key -> the note that was made with it
ASKED = []


def problem(status, title, **more):
    return status, {"Content-Type": "application/problem+json"}, {"title": title, "status": status, **more}


def write(given, key):
    ASKED.append(key)
    how = given["inputs"]["how"]
    if how == "never":
        return problem(422, "the year is closed", detail="2025 takes no notes")
    if how == "dependency":
        return problem(424, "it does not answer", dependency="the tax office")
    if how == "later" and len(ASKED) < 3:
        status, headers, body = problem(429, "not yet")
        return status, {**headers, "Retry-After": "0"}, body
    if how == "nonsense":
        return 200, {}, {"outputs": {"id": "none", "body": ""}}
    seen = None
    if web := given["services"].get("web"):
        with urllib.request.urlopen(web["url"] + "/health") as answer:
            seen = json.load(answer)
    body = f"{given['inputs']['body']} {given['unique']['note']} {given['step']}"
    MADE.setdefault(key, {"id": len(MADE) + 1, "body": body, "seen": seen})
    return problem(503, "who knows") if how == "unknown" and len(ASKED) < 2 else (201, {}, {"outputs": MADE[key]})


def find(given, key):
    found = [note for note in MADE.values() if note["body"].endswith(given["step"])]
    return (200, {}, {"outputs": found[0]}) if found else problem(404, "there is none")


def undo(given, key):
    known = [name for name, note in MADE.items() if note["id"] == given["made"]["id"]]
    return (200, {}, MADE.pop(known[0])) if known else problem(404, "there is none")


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.answer(200, {}, "ok")

    def do_POST(self):
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.answer(*{"/write": write, "/find": find, "/undo": undo}[self.path](given, self.headers["Idempotency-Key"]))

    def answer(self, status, headers, body):
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, *_):
        pass


signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
server = http.server.ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler)
sys.stdout.write(f"{server.server_port}\n")
sys.stdout.flush()
server.serve_forever()
