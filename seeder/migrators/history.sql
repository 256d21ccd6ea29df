CREATE TABLE IF NOT EXISTS seeder_migrations (
    id text PRIMARY KEY,
    digest text NOT NULL
);
