create table kinds (code text primary key, label text not null);
create table notes (
    id bigint generated always as identity primary key,
    kind text not null references kinds,
    body text not null check (body <> ''),
    written_at timestamptz not null
);
