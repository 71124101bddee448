/** What makes rows hard to write down and to read again: names, types, values, references. */
export const AWKWARD = [
  `create table region (code text primary key, name text not null);
   insert into region values ('eu', 'Europe'), ('us', 'America'), ('xx', 'Nowhere');
   create table category (id int primary key, parent int references category, region text references region);
   insert into category values (1, null, 'xx'), (2, 1, null), (3, 2, null), (9, null, null);
   create table unused (id int primary key);
   insert into unused values (1);`,
  `create extension if not exists citext;`,
  `create type mood as enum ('glad', 'it''s "so"', 'sad, or not');
   create type address as (street text, number int, moods mood[]);
   create domain quantity as int default 7 check (value >= 0);
   create domain tags as text[];
   create type span as range (subtype = int4);
   create collation nocase (provider = icu, locale = 'und-u-ks-level2', deterministic = false);
   create sequence ticket_number start 100 increment by 10;
   create function shout(text) returns text language sql immutable as $$ select upper($1) $$;
   create function touch() returns trigger language plpgsql as $$ begin new.note := coalesce(new.note, 'touched'); return new; end $$;

   create table customer (
     tenant_id uuid not null, id bigint generated always as identity, email citext not null, name text collate nocase, loud text generated always as (shout(name)) stored,
     category int references category, note text, best_order bigint, ticket int not null default nextval('ticket_number'), lives address, mood mood not null default 'glad',
     primary key (tenant_id, id), unique (id), check (email <> ''));
   create unique index customer_email on customer (tenant_id, lower(email::text)) where email is not null;
   create trigger touch before insert on customer for each row execute function touch();
   create table orders (tenant_id uuid not null, id bigserial, customer_id bigint not null, region text references region, primary key (tenant_id, id),
     foreign key (tenant_id, customer_id) references customer (tenant_id, id));
   alter table customer add constraint best foreign key (tenant_id, best_order) references orders (tenant_id, id) deferrable initially deferred;
   create table remark (customer_id bigint not null references customer (id), line int, body text, primary key (customer_id, line));

   create table everything (
     tenant_id uuid not null, id int, b bool, i2 smallint, i8 bigint, n numeric, n2 numeric(12, 4), f4 real, f8 double precision, t text, v varchar(9), c char(6), bytes bytea,
     d date, ts timestamp, tz timestamptz, ti time, tt timetz, iv interval, u uuid, j json, jb jsonb, ip inet, net cidr, mac macaddr, bits varbit, m money, x xml, p point,
     ia int[], ta text[], tr tstzrange, ir int4range, mr int4multirange, sp span, mo mood, moods mood[], ad address, ads address[], q quantity, tg tags, ci citext, vec tsvector, path ltreeish,
     primary key (tenant_id, id));

   create table one_column (tenant_id uuid not null, t text);
   create table no_column (tenant_id uuid not null);
   create table "Mixed Case ""quoted"", comma" (tenant_id uuid not null, "select" int, "a""b" text, "ünï 🙂" text, "x,y" text, primary key (tenant_id, "select"));
   create table "Order" (tenant_id uuid not null, id int, primary key (tenant_id, id));
   create table "ORDER" (tenant_id uuid not null, id int, primary key (tenant_id, id));
   create table "a b" (tenant_id uuid not null, id int);
   create table "a_b" (tenant_id uuid not null, id int);
   create table "../up" (tenant_id uuid not null, id int);
   create table event (tenant_id uuid not null, at timestamptz not null, id int, what text, primary key (tenant_id, at, id)) partition by range (at);
   create table event_old partition of event for values from ('2020-01-01') to ('2026-01-01');
   create table event_new partition of event default;
   create index event_what on event (tenant_id, what);
   create view glad_customer with (security_invoker = true) as select id, name from customer where mood = 'glad';
   create materialized view customer_count as select count(*) as n from customer;`.replace(
    'path ltreeish',
    'path text',
  ),
];

/** Rows of one tenant; `$t` stands for its key. */
export const AWKWARD_ROWS = String.raw`
insert into customer (tenant_id, email, name, category, note, lives, mood) values
  ($t, 'Ann@Example.com', 'Ann', 3, null, row('Road "1", back\slash', 5, '{glad,"it''s \"so\""}'), 'it''s "so"'),
  ($t, 'bob@example.com', E'line one\nline two\r\n', null, '', null, 'sad, or not'),
  ($t, 'cy@example.com', null, 2, '\.', row(null, null, null), 'glad');
insert into orders (tenant_id, customer_id, region) select tenant_id, id, 'eu' from customer where tenant_id = $t;
update customer c set best_order = o.id from orders o where o.tenant_id = $t and o.customer_id = c.id and c.tenant_id = $t;
insert into remark (customer_id, line, body) select id, 1, 'of ' || $t from customer where tenant_id = $t;
insert into everything (tenant_id, id) values ($t, 0);
insert into everything values
  ($t, 1, true, -32768, 9223372036854775807, 'NaN', 1.5, 'Infinity', '-Infinity', '', 'x', 'ab', '\x00ff0a0d22', 'infinity', '-infinity', 'infinity', '00:00', '23:59:59.999999+14', '-1 mon +3 days -04:05:06.7',
   'aaaaaaaa-0000-4000-8000-000000000001', E'{"a":\n 1,  "a": 2}', '{"n": 1.10, "s": "\u00e4\n\"", "deep": [null, {}]}', '10.0.0.1', '10.1.0.0/16', '08:00:2b:01:02:03', B'10101', '$1,234.50',
   '<a b="c">x &amp; y</a>', '(1.5,-2)', '{1,NULL,3}', '{"a,b","NULL",NULL,"q\"uote",""}', '["2020-01-01 00:00+00",)', 'empty', '{[1,3),[5,9)}', '[1,5)', 'sad, or not', '{glad,"sad, or not"}',
   row('s', 1, '{}'), array[row('a,b', null, null)::address, null], 0, '{x,"y z"}', 'CiTeXt', 'fat:2 cat:1', 'p'),
  ($t, 2, false, 0, -9223372036854775808, 'Infinity', -0.0001, 'NaN', '-0', E'tab\there, quote " and ''single'', bell \x07, back\\slash, \\N', '\N', '', '\x', '4713-01-01 BC', '0044-03-15 12:00 BC',
   '294276-12-31 23:59:59+00', '24:00', '00:00+00', 'P1Y2M3DT4H5M6S', null, '  [1 ,2]', '"just a string"', '::1/64', '::/0', null, B'', '-$0.01', '', '(0,0)', '{}', '{{a,b},{c,d}}', '(,)', '[1,1]', '{}', 'empty',
   'glad', '{}', row('', null, null), '{}', 7, '{}', '', '', null),
  ($t, 3, null, null, 1, 123456789012345678901234567890.123456789012345678901234567890, null, 0.1, 0.1, E'\\.', null, null, null, null, null, null, null, null, null, null, 'null', 'null', null, null, null, null,
   null, null, null, '[2:4]={7,8,9}', null, null, null, null, null, null, null, null, null, null, null, null, 'emoji 🙂 ß 漢字 e\u0301', null);
insert into one_column (tenant_id, t) values ($t, null), ($t, ''), ($t, '\.'), ($t, E'\\.\n\\.'), ($t, '"'), ($t, 'NULL'), ($t, E'\n'), ($t, ' '), ($t, E'\r');
insert into no_column values ($t), ($t);
insert into "Mixed Case ""quoted"", comma" values ($t, 1, 'a', 'ü', 'x'), ($t, 2, null, '', ',');
insert into "Order" values ($t, 1);
insert into "ORDER" values ($t, 2), ($t, 3);
insert into "a b" values ($t, 1);
insert into "a_b" values ($t, 1), ($t, 1);
insert into "../up" values ($t, 1);
insert into event values ($t, '2024-02-29 12:00+00', 1, 'old'), ($t, '2027-01-01 00:00+00', 2, 'new');
`;
