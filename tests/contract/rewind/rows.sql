delete from {t} where ctid in (select ctid from {t} limit {n})
delete from {t}
truncate {t} cascade
truncate {t} restart identity cascade
insert into {t} select * from {t} limit {n}
create temporary table scratch as select * from {t}
with gone as (delete from {t} where ctid in (select ctid from {t} limit {n}) returning *) insert into {t} select * from gone
set session_replication_role = replica
set session_replication_role = origin
savepoint s
rollback to s
release s
begin isolation level repeatable read
begin
commit
rollback
prepare transaction 'left {n}'
commit prepared 'left {n}'
select nextval(oid::regclass) from pg_class where relkind = 'S'
select setval(oid::regclass, {n}, {n} % 2 = 0) from pg_class where relkind = 'S'
insert into plain values ('new', {n})
update plain set number = number + {n} where number < {n} * 3
update plain set word = word
insert into quick (note) values (repeat('long ', {n} * 400))
update quick set id = id + {n}
delete from quick where id > {n}
update orders set total = total + 1
insert into categories (name) values ('c{n}')
insert into measurements values ('2025-02-01'::date + {n}, 1)
update measurements set at = at + interval '1 year'
update track set unit_price = unit_price + 1 where track_id % 7 = {n} % 7
delete from order_details where order_id % 5 = {n} % 5
select lo_unlink(4711)
select lo_put(4711, {n}, 'other')
select lo_create({n})
refresh materialized view counted
vacuum {t}
vacuum full {t}
analyze
reindex table {t}
vacuum freeze {t}
