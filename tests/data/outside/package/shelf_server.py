"""A store of its own kind: keys and values in one SQLite file, spoken to over HTTP. `shelf_server.py HOST PORT FILE`."""

import http.server
import json
import sqlite3
import sys


class Handler(http.server.BaseHTTPRequestHandler):
    """GET answers all keys; PUT takes those of a JSON object, all or none."""

    def do_GET(self):
        rows = self.server.database.execute("select key, value from shelf order by key")
        body = json.dumps({key: json.loads(value) for key, value in rows}).encode()
        self.send_response(200)
        self.end_headers()
        self.wfile.write(body)

    def do_PUT(self):
        given = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        rows = [(key, json.dumps(value)) for key, value in given.items()]
        with self.server.database:
            self.server.database.executemany("insert or replace into shelf values (?, ?)", rows)
        self.send_response(204)
        self.end_headers()


if __name__ == "__main__":
    host, port, file = sys.argv[1:]
    with http.server.HTTPServer((host, int(port)), Handler) as server:
        server.database = sqlite3.connect(file)
        server.database.execute("create table if not exists shelf (key text primary key, value text)")
        server.serve_forever()
