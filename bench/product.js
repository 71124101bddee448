import { routeTenant } from '../dist/operations/route.js';
import { connect } from './support.js';

export const TABLES = ['customer', 'invoice', 'line', 'note'];
export const DDL = `
create table customer (tenant_id uuid not null, id bigint not null, email text not null, profile jsonb not null default '{}', amount numeric(12,2) not null default 0,
  made_at timestamptz not null default now(), primary key (tenant_id, id), unique (tenant_id, email));
create table invoice (tenant_id uuid not null, id bigint not null, customer_id bigint not null, number text not null, total numeric(12,2) not null, issued date not null default current_date,
  primary key (tenant_id, id), unique (tenant_id, number), foreign key (tenant_id, customer_id) references customer (tenant_id, id));
create index invoice_customer on invoice (tenant_id, customer_id);
create table line (tenant_id uuid not null, id bigint not null, invoice_id bigint not null, what text not null, quantity numeric(12,3) not null, price numeric(14,4) not null,
  primary key (tenant_id, id), foreign key (tenant_id, invoice_id) references invoice (tenant_id, id) on delete cascade);
create index line_invoice on line (tenant_id, invoice_id);
create table note (tenant_id uuid not null, id bigint not null, body text not null, primary key (tenant_id, id));
create table journal (tenant_id uuid not null, token uuid not null, at timestamptz not null default clock_timestamp(), primary key (tenant_id, token));`;

/** About so many rows: a tenth customers, three tenths invoices, half lines, a tenth notes. */
const fill = (rows) => `
  insert into customer (id, email, profile, amount) select n, 'c' || n || '@example.com', jsonb_build_object('n', n, 'city', md5(n::text)), n from generate_series(1, ${rows / 10}) n;
  insert into invoice (id, customer_id, number, total) select n, 1 + n % ${rows / 10}, 'R-' || n, n / 7.0 from generate_series(1, ${(rows * 3) / 10}) n;
  insert into line (id, invoice_id, what, quantity, price) select n, 1 + n % ${(rows * 3) / 10}, 'article ' || md5(n::text), n % 17, n / 9.0 from generate_series(1, ${rows / 2}) n;
  insert into note (id, body) select n, repeat(md5(n::text), 6) from generate_series(1, ${rows / 10}) n;`;

/** Where a tenant lives now, and how the application gets there. */
export async function routeTo(server, fleet, id) {
  const route = await routeTenant(fleet, id);
  return { ...route, url: server.adminUrl(route.database).replace(/\/\/[^@]*@/, '//web:web@') };
}

export async function makeApplication(server) {
  const admin = await connect(server.adminUrl('postgres'));
  await admin
    .query(
      `create role app_user nologin noinherit; grant app_user to current_user; create role web login password 'web' in role app_user`,
    )
    .catch(() => undefined);
  await admin.end();
}

export async function fillTenant(fleet, id, rows) {
  const { database, settings, role } = await routeTenant(fleet, id);
  await fleet.managed('main', database, async (session) => {
    const names = Object.entries({ ...settings, role }).map(
      ([name, value]) => `set_config('${name}', '${value.replaceAll("'", "''")}', true)`,
    );
    await session.message(`begin; select ${names.join(', ')}; ${fill(rows)} commit`);
    await session.message(`vacuum analyze`);
  });
}
