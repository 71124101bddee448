/** Tables with what makes moving hard: keys that change, cascades, unique swaps, TOAST, generated and identity columns, partitions. */
export const ZOO = [
  `create table region (code text primary key, name text not null);
   insert into region values ('eu', 'Europe'), ('us', 'America');`,
  `create type mood as enum ('glad', 'sad');
   create table customer (
     tenant_id uuid not null, id bigint not null, email text not null, mood mood not null default 'glad', tags text[] not null default '{}',
     profile jsonb not null default '{}', score float8, amount numeric(12,2) not null default 0, double numeric generated always as (amount * 2) stored,
     region text not null default 'eu' references region, blob bytea,
     primary key (tenant_id, id), unique (tenant_id, email));
   create table orders (
     tenant_id uuid not null, id bigint generated always as identity, customer_id bigint not null, note text,
     primary key (tenant_id, id),
     foreign key (tenant_id, customer_id) references customer (tenant_id, id) on update cascade on delete cascade);
   create index orders_customer on orders (tenant_id, customer_id);
   create table note (tenant_id uuid not null, id bigint not null, body text not null, read_count int not null default 0, primary key (tenant_id, id));
   create table journal (tenant_id uuid not null, token uuid not null, at timestamptz not null default clock_timestamp(), primary key (tenant_id, token));
   create table event (tenant_id uuid not null, id bigint not null, at timestamptz not null, what text, primary key (tenant_id, at, id)) partition by range (at);
   create table event_old partition of event for values from ('2020-01-01') to ('2026-01-01');
   create table event_new partition of event default;
   create function touched() returns trigger language plpgsql as $$ begin new.profile := new.profile || '{"touched": true}'; return new; end $$;
   create trigger touch before update on customer for each row when (old.email is distinct from new.email) execute function touched();`,
];

export const MOVED_TABLES = ['customer', 'event', 'journal', 'note', 'orders'] as const;

/** Rows of one tenant, for a session that has its context. */
export function fill(rows: number): string {
  return `
    insert into customer (id, email, tags, profile, score, amount, blob)
      select n, 'c' || n || '@example.com', array['a', 'b' || n], jsonb_build_object('n', n), n / 3.0, n, decode(md5(n::text), 'hex') from generate_series(1, ${rows}) n;
    insert into orders (customer_id, note) select 1 + n % ${rows}, 'order ' || n from generate_series(1, ${rows}) n;
    insert into note (id, body) select n, (select string_agg(md5((n * 100 + i)::text), '') from generate_series(1, 120) i) from generate_series(1, ${Math.ceil(rows / 20)}) n;
    insert into event (id, at, what) select n, timestamptz '2025-06-01' + n * interval '1 minute', 'e' || n from generate_series(1, ${rows}) n;`;
}
