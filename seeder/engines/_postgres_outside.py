"""What a server keeps of a database outside of it: owner, limit, privileges, comment, settings; and its roles and their memberships.

A template gives none of it to what is made from it. Settings and roles are written as the rows that they are, so that they come back
with their numbers and without their texts being quoted anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, LiteralString

if TYPE_CHECKING:
    from seeder.engines._postgres_connection import Connection

Outside = dict[str, Any]

_READ = """
    select jsonb_build_object(
        'owner', d.datdba, 'limit', d.datconnlimit, 'template', d.datistemplate, 'privileges', d.datacl::text,
        'comment', shobj_description(d.oid, 'pg_database'),
        'settings', (select jsonb_agg(jsonb_build_array(setdatabase <> 0, setrole, setconfig) order by setdatabase, setrole)
                     from pg_db_role_setting where setdatabase in (0, d.oid)),
        'roles', (select jsonb_object_agg(oid, to_jsonb(a)) from pg_authid a where rolname !~ '^pg_'),
        'members', (select jsonb_agg(to_jsonb(m) - 'oid' order by roleid, member, grantor) from pg_auth_members m))
    from pg_database d where d.datname = %s"""

_DATABASE: LiteralString = """
    update pg_database set datdba = %(owner)s::bigint::oid, datconnlimit = %(limit)s, datistemplate = %(template)s,
           datacl = %(privileges)s::aclitem[] where oid = %(oid)s"""
# Roles that own a database or stand in its privileges cannot be dropped: that is noted apart, and by the same rules here.
_DEPENDENTS: tuple[LiteralString, ...] = (
    "delete from pg_shdepend where dbid = 0 and classid = 'pg_database'::regclass and objid = %(oid)s and deptype in ('a', 'o')",
    """insert into pg_shdepend (dbid, classid, objid, objsubid, refclassid, refobjid, deptype)
       select 0, 'pg_database'::regclass, oid, 0, 'pg_authid'::regclass, datdba, 'o'
       from pg_database where oid = %(oid)s and datdba >= 16384
       union select 0, 'pg_database'::regclass, d.oid, 0, 'pg_authid'::regclass, role, 'a'
       from pg_database d, aclexplode(d.datacl) a, unnest(array[a.grantee, a.grantor]) role
       where d.oid = %(oid)s and role >= 16384 and role <> d.datdba""",
)
_FORGET_SETTINGS: LiteralString = "delete from pg_db_role_setting where setdatabase in (0, %(oid)s)"
_SETTINGS: LiteralString = """
    insert into pg_db_role_setting (setdatabase, setrole, setconfig)
    select case when (s->>0)::boolean then %(oid)s::oid else 0 end, (s->>1)::bigint::oid, array(select jsonb_array_elements_text(s->2))
    from jsonb_array_elements(%(settings)s::jsonb) s"""
_OF_DATABASE = ("owner", "limit", "template", "privileges", "comment")
_OTHERS_NEED_IT = "2BP01"  # dependent objects still exist


def read(connection: Connection, database: str) -> Outside:
    """From any database of the server, as a superuser."""
    row = connection.execute(_READ, [database], prepare=True).fetchone()
    found: Outside = row[0] if row else {}
    return found


def restore(connection: Connection, database: str, kept: Outside) -> tuple[list[str], list[str]]:
    """Make it as it was; answer what was different, and roles that had to stay because another database needs them."""
    found = read(connection, database)
    changed = [name for name in kept if found.get(name) != kept[name]]
    if not changed:
        return [], []
    with connection.transaction():
        connection.execute("lock table pg_authid in share row exclusive mode")  # other stores of the server give back the same
        for number in kept["roles"]:
            if found["roles"].get(number) != kept["roles"][number]:
                _put_role(connection, kept["roles"][number], there=number in found["roles"])
        _members(connection, found, kept)
        _database(connection, database, kept, (_FORGET_SETTINGS, _SETTINGS))
    return changed, _drop_roles(connection, [role["rolname"] for number, role in found["roles"].items() if number not in kept["roles"]])


def bestow(connection: Connection, database: str, kept: Outside) -> None:
    """Give one that was just copied from another what the server keeps of that other; roles, and what holds in all databases, stay as
    they are."""
    found, settings = read(connection, database), [one for one in kept["settings"] or [] if one[0]]
    if settings or any(found[name] != kept[name] for name in _OF_DATABASE):
        with connection.transaction():
            _database(connection, database, {**kept, "settings": settings}, (_SETTINGS,))


def _put_role(connection: Connection, role: dict[str, Any], *, there: bool) -> None:
    """It may be our own, which must not be missing for a moment."""
    from psycopg import sql
    from psycopg.types.json import Jsonb

    if not there:
        connection.execute("insert into pg_authid select * from jsonb_populate_record(null::pg_authid, %s)", [Jsonb(role)])
        return
    columns = sql.SQL(", ").join(sql.Identifier(column) for column in role if column != "oid")
    update = "update pg_authid set ({0}) = (select {0} from jsonb_populate_record(null::pg_authid, %s)) where oid = %s"
    connection.execute(sql.SQL(update).format(columns), [Jsonb(role), role["oid"]])


def _members(connection: Connection, found: Outside, kept: Outside) -> None:
    had, has = kept["members"] or [], found["members"] or []
    for member in has:
        if member not in had and _exists(connection, member):
            _grant(connection, "revoke {role} from {member}", "", member)
    for member in had:
        if member not in has:
            options = [("admin_option", "admin"), ("inherit_option", "inherit"), ("set_option", "set")]
            given = ", ".join(f"{word} {str(member[column]).lower()}" for column, word in options if column in member)
            older = " with admin option" if member["admin_option"] else ""
            _grant(connection, "grant {role} to {member}", f" with {given}" if "set_option" in member else older, member)


def _exists(connection: Connection, member: dict[str, Any]) -> bool:
    row = connection.execute("select count(*) from pg_authid where oid in (%s, %s)", [member["roleid"], member["member"]]).fetchone()
    return row is not None and row[0] == 2  # noqa: PLR2004  (both of them)


def _grant(connection: Connection, words: LiteralString, options: str, member: dict[str, Any]) -> None:
    from psycopg import sql

    names = [connection.execute("select rolname from pg_authid where oid = %s", [member[end]]).fetchone() for end in ("roleid", "member")]
    role, of = (sql.Identifier(row[0] if row else "") for row in names)
    by = connection.execute("select rolname from pg_authid where oid = %s", [member["grantor"]]).fetchone()
    granted = sql.SQL(" granted by {}").format(sql.Identifier(by[0])) if by and "set_option" in member else sql.SQL("")
    connection.execute(sql.SQL(words).format(role=role, member=of) + sql.SQL(options) + granted)


def _database(connection: Connection, database: str, kept: Outside, settings: tuple[LiteralString, ...]) -> None:
    from psycopg import sql
    from psycopg.types.json import Jsonb

    row = connection.execute("select oid from pg_database where datname = %s", [database]).fetchone()
    values = {**kept, "oid": row[0] if row else 0, "settings": Jsonb(kept["settings"] or [])}
    for statement in (_DATABASE, *_DEPENDENTS, *settings):
        connection.execute(statement, {name: values[name] for name in values if f"%({name})s" in statement})
    comment = sql.SQL("comment on database {} is {}").format(sql.Identifier(database), sql.Literal(kept["comment"]))
    connection.execute(comment)


def _drop_roles(connection: Connection, names: list[str]) -> list[str]:
    from psycopg import Error, sql

    stay: list[str] = []
    for name in names:
        try:
            connection.execute(sql.SQL("drop role {}").format(sql.Identifier(name)))
        except Error as error:
            if error.sqlstate != _OTHERS_NEED_IT:
                raise
            stay.append(name)
    return stay
