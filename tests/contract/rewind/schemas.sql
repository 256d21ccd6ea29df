create table made_{n} (id serial primary key, t text)
drop table {t} cascade
alter table {t} add column extra_{n} int default {n}
alter table {t} rename to renamed_{n}
create index on {t} ((1))
alter table {t} set unlogged
alter table {t} disable trigger all
alter table {t} owner to auditor
grant update on {t} to public
revoke all on {t} from app
create schema s_{n}
drop schema audit cascade
alter sequence apart increment 3
drop sequence apart
create view v_{n} as select * from {t}
create type kind_{n} as enum ('a')
create function f_{n}() returns int language sql return {n}
comment on table {t} is 'changed {n}'
comment on schema public is 'mine'
alter table {t} enable row level security
create role r_{n}
create role r_{n} login in role auditor
drop role r_{n}
alter role auditor createdb password 'x{n}'
alter role app set search_path = audit, public
alter role app reset all
alter database shop set datestyle = 'SQL, DMY'
alter database shop reset all
alter database shop connection limit {n}
revoke connect on database shop from public
grant create on database shop to auditor
comment on database shop is 'other'
grant auditor to app
revoke execute on function pg_sleep from public
alter table plain replica identity full
cluster verbose
alter default privileges grant select on tables to auditor
create publication p_{n} for all tables
alter type mood add value 'm{n}'
alter table {t} set (autovacuum_enabled = off)
refresh materialized view counted with no data
alter table quick enable always trigger touch
comment on function pg_sleep(float8) is 'x{n}'
alter function pg_sleep(float8) cost {n}
grant usage on schema pg_catalog to auditor
create cast (int4 as jsonb) with inout
create collation c_{n} (locale = 'C')
create domain d_{n} as int check (value > {n})
create rule r_{n} as on insert to {t} do nothing
alter table {t} alter column ctid set statistics 3
create statistics st_{n} on word, number from plain
create event trigger e_{n} on ddl_command_end execute function pg_notify()
alter view if exists best_customers rename to best_{n}
grant select (word) on plain to auditor
create index concurrently on plain (number)
alter table children no inherit parents
alter table measurements detach partition measurements_2025
create operator === (leftarg = int, rightarg = int, function = int4eq)
alter role app connection limit {n}
drop owned by auditor
grant auditor to app with admin option
create table part_{n} partition of measurements for values from ('20{n}-01-01') to ('20{n}-02-01')
