"""Mistakes in the small project's data: those that reading finds, and those that only the database can find."""

from __future__ import annotations

from tests.scenarios.bad_definitions import Bad, M

NOTES = "testdata/golden/notes"
CSV, KEYS = f"{NOTES}/db/notes.csv", f"{NOTES}/cache/keys.jsonl"
JSONL, YAML, HTTP = f"{NOTES}/db/kinds.jsonl", f"{NOTES}/db/kinds.yaml", f"{NOTES}/web/replay.http"
EVENTS, ENVIRONMENT, SQL = f"{NOTES}/events/orders.jsonl", f"{NOTES}/web/environment.yaml", f"{NOTES}/db/010-more.sql"
KEY = '{"key": "note:1", "type": "string", "value": "first", "ttl": 300}'
SECOND = "2,task,second,as_of-1h,false"


def key(**fields: str) -> Bad:
    """The key of the small project with other fields (JSON texts), and what is told: `says`, `mends`."""
    says, mends = fields.pop("says"), fields.pop("mends", "")
    whole = {"key": '"note:1"', "type": '"string"', "value": '"first"', **fields}
    written = ", ".join(f'"{name}": {value}' for name, value in whole.items() if value)
    return Bad(KEYS, KEY, f"{{{written}}}", "{", says, mends)


READ = {
    "csv: empty": Bad(CSV, "", "", "", "the file is empty", "its first line names the columns"),
    "csv: a column without a name": Bad(CSV, "id,kind", "id,", "id,", "column 2 is empty", "name every column"),
    "csv: a column twice": Bad(CSV, "id,kind", "id,id", "id,", "names id twice", "once"),
    "csv: a column with a blank": Bad(CSV, "id,kind", "id, kind", "id,", "begins or ends with a blank", "'kind'"),
    "csv: semicolons": Bad(
        CSV, "id,kind,body,written_at,pinned", "id;kind;body", "id;", "one column, 'id;kind;body'", "by commas, not by ';'"
    ),
    "csv: another encoding": Bad(CSV, "second", "sec\udce9", "2,task", "byte 0xe9 is not UTF-8", "save the file as UTF-8"),
    "csv: a short row": Bad(CSV, SECOND, "2,task,second", "2,task", "the row has 3 fields, the header names 5", "one value per column"),
    "csv: a long row": Bad(CSV, SECOND, f"{SECOND},more", "2,task", "the row has 6 fields", "one value per column"),
    "csv: a blank line": Bad(CSV, SECOND, "", "", "the line is blank", "remove it"),
    "csv: an open quote": Bad(
        CSV, "task,second", 'task,"second', "2,task", "never closed", 'close it; a quote inside quotes is written ""'
    ),
    "csv: a null character": Bad(CSV, "second", "sec\0ond", "2,task", "null character", "remove it"),
    "csv: a lone return": Bad(CSV, "second", "sec\rond", "2,task", "carriage return", "end lines with LF or CRLF"),
    "csv: a date of nothing": Bad(CSV, "as_of-1h", "as_of-1x", "2,task", "as_of-1x"),
    "csv: a pointer of Git LFS": Bad(
        CSV, "", "version https://git-lfs.github.com/spec/v1\noid sha256:" + "4d" * 32 + "\nsize 12\n", "", "Git LFS", "git lfs pull"
    ),
    "jsonl: not JSON": Bad(JSONL, "", '{"code": "a", "label": "A"}\n{"code": }\n', '{"code": }', "this is not JSON", "one object per line"),
    "jsonl: a list": Bad(JSONL, "", '["a"]\n', "[", "no JSON object", 'write {"name": value, ...}'),
    "jsonl: a key twice": Bad(JSONL, "", '{"code": "a", "code": "b"}\n', "{", "'code' is repeated"),
    "jsonl: NaN": Bad(JSONL, "", '{"code": NaN}\n', "{", "NaN is no JSON value"),
    "jsonl: half a character": Bad(JSONL, "", '{"code": "\\ud800"}\n', "{", "half of a pair"),
    "jsonl: nested too deep": Bad(JSONL, "", '{"code": ' + "[" * 100_000 + "\n", "{", "nested too deep"),
    "jsonl: a number too long": Bad(JSONL, "", f'{{"code": {"9" * 5000}}}\n', "{", "digits"),
    "yaml: not YAML": Bad(YAML, "", "- {code: a\n", "", "YAML"),
    "yaml: a mapping": Bad(YAML, "", "code: a\n", "code", "sequence"),
    "yaml: a list of texts": Bad(YAML, "", "- a\n", "- a", ""),
    "keys: not JSON": Bad(KEYS, KEY, "note:1 first", "note:1", "this is not JSON", "one object per line"),
    "keys: no key": key(key="", says="the field is missing"),
    "keys: an empty key": key(key='""', says="no text, or is empty", mends='write "key"'),
    "keys: an unknown type": key(type='"sett"', says="'sett' is no type of a key", mends="'set'"),
    "keys: a type that is no text": key(type="[1]", says="is no type of a key"),
    "keys: an unknown field": key(tll="3", says="there is no such field", mends="'ttl'"),
    "keys: no value": key(value="", says="the field is missing"),
    "keys: a list in a string": key(value="[1]", says="is no text or number", mends="write JSON in it as text"),
    "keys: a string in a list": key(type='"list"', says="is no list", mends='write ["a", "b"]'),
    "keys: an empty list": key(type='"list"', value="[]", says="an empty one", mends="keeps no empty list"),
    "keys: a member twice": key(type='"set"', value='["a", "a"]', says="holds a member twice", mends="once"),
    "keys: a list in a hash": key(type='"hash"', value="[]", says="is no mapping of fields", mends='{"field": "value"}'),
    "keys: a score of text": key(type='"zset"', value='{"a": "b"}', says="is no mapping of members to scores", mends='{"member": 1.5}'),
    "keys: time to live of text": key(ttl='"long"', says="is no number of seconds above 0", mends="leave it out"),
    "keys: no time to live": key(ttl="0", says="is no number of seconds above 0", mends="leave it out"),
    "keys: endless time to live": key(ttl="1e999", says="is no number of seconds above 0", mends="leave it out"),
    "keys: a key twice": Bad(KEYS, KEY, f"{KEY}\n{KEY}", "", "stands in line 1 already", "keep one"),
    "events: no subject": Bad(EVENTS, "", '{"payload": 1}\n', "{", "the field is missing"),
    "events: a subject with blanks": Bad(
        EVENTS, "", '{"subject": "a b", "payload": 1}\n', "{", "nothing can be published to 'a b'", "words, dots"
    ),
    "events: a wildcard": Bad(EVENTS, "", '{"subject": "a.*", "payload": 1}\n', "{", "nothing can be published to 'a.*'", "no * or >"),
    "events: no payload": Bad(EVENTS, "", '{"subject": "a"}\n', "{", "the field is missing", '"payload": null'),
    "events: headers of numbers": Bad(EVENTS, "", '{"subject": "a", "payload": 1, "headers": {"a": 1}}\n', "{", "names to text", '"Name"'),
    "events: a foreign ending": Bad(f"{NOTES}/events/orders.csv", "", "a\n", "a", "takes no such file", "STREAM.jsonl"),
    "http: no request": Bad(HTTP, "", "hello\n", "hello", "'hello' is no request", "METHOD /path"),
    "http: an unknown method": Bad(HTTP, "", "FETCH /notes\n", "FETCH", "FETCH is no method", "POST"),
    "http: an address": Bad(HTTP, "", "GET http://localhost:8000/\n", "GET", "is no path", "begins with /"),
    "http: a header of nothing": Bad(HTTP, "", "POST /notes\nContent-Type\n", "Content-Type", "is no header", "Name: value"),
    "http: a status of nothing": Bad(HTTP, "", "# expect soon\nGET /\n", "GET", "'soon' is no HTTP status", "# expect 201"),
    "variables: a list": Bad(ENVIRONMENT, "", "- A\n", "- A", "not a mapping"),
    "variables: nothing": Bad(ENVIRONMENT, "", "A:\n", "A:", "is not a text, a number or a boolean", "one value per variable"),
    "variables: a name of nothing": Bad(ENVIRONMENT, "", '"A=B": c\n', "A=B", "is no name of a variable", ""),
    "sql: a table twice": Bad(f"{NOTES}/db/notes.jsonl", "", "{}\n", "", "given twice", "keep one", where=f"{NOTES}/db/notes.jsonl"),
    "files: beside the stores": Bad(f"{NOTES}/notes.csv", "", "id\n", "id", "stands beside them", "move it into one of"),
    "files: of nobody": Bad(f"{NOTES}/dbb/notes.csv", "", "id\n", "id", "neither a store nor a service dbb", "'db'"),
    "files: too deep": Bad(f"{NOTES}/db/more/notes.csv", "", "id\n", "id", "directly in its folder", "move it to db/notes.csv"),
    "files: a foreign ending": Bad(f"{NOTES}/db/notes.xlsx", "", "id\n", "id", "takes no such file", "TABLE.csv"),
    "files: no name of a table": Bad(f"{NOTES}/db/a.b.c.csv", "", "id\n", "id", "is not the name of a table", "SCHEMA.TABLE"),
    "files: of a cache": Bad(f"{NOTES}/cache/notes.csv", "", "id\n", "id", "takes no such file", "keys.jsonl"),
    "files: of a service": Bad(f"{NOTES}/web/notes.csv", "", "id\n", "id", "takes no such file", "replay.http"),
    "checksums: another file": Bad(f"{NOTES}/SHA256SUMS", "", f"{'0' * 64}  db/notes.csv\n", "", "differs from its digest", "lock"),
}

ROWS = {
    "no such column": Bad(CSV, "id,kind", "id,kid", "id,", "notes.kid: the table has no such column", "'kind'"),
    "no such table": Bad(f"{NOTES}/db/nots.csv", "", "id\n1\n", "id", "there is no such table", "notes"),
    "a second row of a key": Bad(CSV, SECOND, SECOND.replace("2,", "1,"), "1,task", "another row of notes has the same", "another value"),
    "a row that refers to none": Bad(
        CSV, "2,task", "2,tsk", "2,tsk", "kind = 'tsk': no such row is there to refer to", "load that row too"
    ),
    "a check": Bad(CSV, "task,second", 'task,""', "2,task", "this breaks notes_body_check", "a value that fits"),
    "no value": Bad(CSV, "task,second", "task,", "2,task", "must have a value", 'an empty text is written ""'),
    "a column left out": Bad(
        CSV, "", "id,kind,body\n3,idea,third\n", "3,idea", "notes.written_at: the file lacks the column", "add the column"
    ),
    "no number": Bad(CSV, "2,task", "two,task", "two,task", 'invalid input syntax for type bigint: "two"'),
    "a number too big": Bad(CSV, "2,task", f"{10**30},task", f"{10**30},task", "out of range"),
    "no date": Bad(CSV, "as_of-1h", "2026-02-31", "2,task", "2026-02-31"),
    "no boolean": Bad(CSV, "as_of-1h,false", "as_of-1h,perhaps", "2,task", "perhaps"),
    "sql: no such table": Bad(
        SQL, "", "select 1;\n\nupdate nots set id = 1;\n", "update", 'relation "nots" does not exist in `update nots'
    ),
    "sql: not SQL": Bad(SQL, "", "selec 1;\n", "selec", 'syntax error at or near "selec"'),
    "sql: an open quote": Bad(SQL, "", "select 'a;\n", "select", ""),
    "sql: ends the transaction": Bad(SQL, "", "rollback;\n", "rollback", "a file runs in one transaction", "remove the statement"),
    "sql: a command of psql": Bad(SQL, "", "\\i other.sql\n", "\\i", "\\i is not supported", "psql's commands are not SQL"),
    "sql: of no privacy": Bad(
        SQL, "", "COPY kinds (code, label) FROM stdin;\na\tA\n\\.\n", "name: notes", "counts as raw", "privacy: no-pii", where=M
    ),
    "jsonl: a value of another type": Bad(
        JSONL,
        "",
        '{"code": "a", "label": {"x": 1}}\n{"code": "b", "label": null}\n',
        "{",
        "kinds.label: the file gives a mapping, and the column is text",
    ),
}
