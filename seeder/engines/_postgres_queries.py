"""Questions to the catalogue. They are put together from constants alone."""

from __future__ import annotations

_OURS = """
    {n}.nspname not in ('pg_catalog', 'information_schema') and {n}.nspname !~ '^pg_(toast|temp)'
    and not exists (select from pg_depend e where e.classid = 'pg_class'::regclass and e.objid = {c}.oid and e.deptype = 'e')"""

TABLES = f"""
    select c.oid, n.nspname, c.relname, n.nspname = current_schema(), c.relispartition, c.relkind = 'r'
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind in ('r', 'p') and c.relpersistence <> 't' and {_OURS.format(n="n", c="c")}
    order by n.nspname collate "C", c.relname collate "C\""""  # noqa: S608

NAMED = f"""
    select * from ({TABLES}) t(oid, schema, name, preferred, part, plain)
    where t.name = any(%(names)s) or t.schema || '.' || t.name = any(%(names)s)"""  # noqa: S608

COLUMNS = """
    select a.attrelid, a.attname, format_type(a.atttypid, a.atttypmod), not a.attnotnull, a.attgenerated <> '', a.attidentity, a.atthasdef,
           b.typname, b.typcategory, coalesce(e.typname, '')
    from pg_attribute a
    join pg_type t on t.oid = a.atttypid
    join pg_type b on b.oid = case when t.typtype = 'd' then t.typbasetype else t.oid end
    left join pg_type e on e.oid = b.typelem
    where a.attrelid = any(%s) and a.attnum > 0 and not a.attisdropped
    order by a.attrelid, a.attnum"""

CONSTRAINTS = """
    select k.conrelid, k.conname, k.contype, k.condeferrable, k.confrelid, pg_get_constraintdef(k.oid),
           (select array_agg(a.attname order by u.place) from unnest(k.conkey) with ordinality u(attnum, place)
            join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.attnum)
    from pg_constraint k
    where k.conrelid = any(%s) and k.contype in ('p', 'u', 'f', 'c', 'x') and (k.contype <> 'f' or k.conparentid = 0)
    order by k.conrelid, k.conname collate "C\""""

UNIQUE_INDEXES = """
    select i.indrelid, c.relname, pg_get_indexdef(i.indexrelid),
           (select array_agg(a.attname order by u.place) from unnest(i.indkey::int[]) with ordinality u(attnum, place)
            join pg_attribute a on a.attrelid = i.indrelid and a.attnum = u.attnum)
    from pg_index i join pg_class c on c.oid = i.indexrelid
    where i.indrelid = any(%s) and i.indisunique
      and not exists (select from pg_constraint k where k.conindid = i.indexrelid and k.contype in ('p', 'u'))
    order by i.indrelid, c.relname collate "C\""""

SEQUENCES = f"""
    select c.oid, n.nspname, c.relname, n.nspname = current_schema(), s.seqincrement, s.seqmin, s.seqmax,
           coalesce((select array_agg(distinct array[f.relation::text, f.attribute]) from (
               select d.refobjid, a.attname::text from pg_depend d
               join pg_attribute a on a.attrelid = d.refobjid and a.attnum = d.refobjsubid
               where d.classid = 'pg_class'::regclass and d.objid = c.oid
                 and d.refclassid = 'pg_class'::regclass and d.deptype in ('a', 'i')
               union
               select a.attrelid, a.attname from pg_depend d join pg_attrdef v on v.oid = d.objid
               join pg_attribute a on a.attrelid = v.adrelid and a.attnum = v.adnum
               where d.classid = 'pg_attrdef'::regclass and d.refclassid = 'pg_class'::regclass and d.refobjid = c.oid
                 and pg_get_expr(v.adbin, v.adrelid) like 'nextval(%'
           ) f(relation, attribute)), '{{}}')
    from pg_sequence s join pg_class c on c.oid = s.seqrelid join pg_namespace n on n.oid = c.relnamespace
    where c.relpersistence <> 't' and {_OURS.format(n="n", c="c")}
    order by n.nspname collate "C", c.relname collate "C\""""  # noqa: S608

VIEWS = f"""
    with recursive edges(view, source) as (
        select distinct r.ev_class, d.refobjid from pg_rewrite r
        join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid and d.refclassid = 'pg_class'::regclass
        where d.refobjid <> r.ev_class
    ), reach(view, source) as (
        select view, source from edges union select reach.view, edges.source from reach join edges on edges.view = reach.source
    )
    select c.oid::text, n.nspname, c.relname, array(select source::text from reach where reach.view = c.oid)
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
    where c.relkind = 'm' and {_OURS.format(n="n", c="c")}"""  # noqa: S608
