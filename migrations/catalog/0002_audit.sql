-- The audit log: who did what to which tenant and why. Rows are only ever added, in the transaction of the
-- change they describe, and each carries the hash of the one before it.

create table tenantctl_catalog.audit (
  seq           bigint      primary key,
  at            timestamptz not null,
  action        text        not null,
  phase         text        not null default 'done' check (phase in ('intent', 'done', 'failed')),
  tenant        text,
  unit          text,
  run           text,
  actor         text        not null,
  database_user text        not null,
  reason        text,
  ticket        text,
  details       jsonb       not null default '{}',
  tool          text        not null,
  previous      text        not null,
  hash          text        not null unique
);
comment on table tenantctl_catalog.audit is 'Append-only, hash-chained; a change across two databases is audited as intent before it and as done after it';

create index audit_tenant on tenantctl_catalog.audit (tenant, seq);

create table tenantctl_catalog.audit_head (
  only_row boolean primary key default true check (only_row),
  seq      bigint  not null,
  hash     text    not null
);
comment on table tenantctl_catalog.audit_head is 'The end of the chain. One row, taken FOR UPDATE: a sequence would let two writers fork the chain';
insert into tenantctl_catalog.audit_head (seq, hash) values (0, repeat('0', 64));

-- The hash of an entry: sha256 over the hash before it and the entry as JSON with sorted keys, times in UTC.
create function tenantctl_catalog.audit_hash(p_entry tenantctl_catalog.audit) returns text language sql stable as $$
  select pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(p_entry.previous || pg_catalog.jsonb_build_object(
    'seq', p_entry.seq,
    'at', pg_catalog.to_char(p_entry.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    'action', p_entry.action, 'phase', p_entry.phase, 'tenant', p_entry.tenant, 'unit', p_entry.unit,
    'run', p_entry.run, 'actor', p_entry.actor, 'database_user', p_entry.database_user, 'reason', p_entry.reason,
    'ticket', p_entry.ticket, 'details', p_entry.details, 'tool', p_entry.tool)::text, 'UTF8')), 'hex')
$$;

create function tenantctl_catalog.chain_audit() returns trigger language plpgsql as $$
declare
  v_head tenantctl_catalog.audit_head;
begin
  select * into v_head from tenantctl_catalog.audit_head for update;
  new.seq := v_head.seq + 1;
  new.at := pg_catalog.clock_timestamp();
  new.database_user := session_user;
  new.previous := v_head.hash;
  new.hash := tenantctl_catalog.audit_hash(new);
  update tenantctl_catalog.audit_head set seq = new.seq, hash = new.hash;
  return new;
end $$;

create trigger audit_chain before insert on tenantctl_catalog.audit
  for each row execute function tenantctl_catalog.chain_audit();

create function tenantctl_catalog.refuse_audit_change() returns trigger language plpgsql as $$
begin
  raise exception using errcode = 'TC020', message = 'the audit log is append-only';
end $$;

create trigger audit_append_only before update or delete on tenantctl_catalog.audit
  for each row execute function tenantctl_catalog.refuse_audit_change();
create trigger audit_no_truncate before truncate on tenantctl_catalog.audit
  for each statement execute function tenantctl_catalog.refuse_audit_change();
create trigger audit_head_kept before delete on tenantctl_catalog.audit_head
  for each row execute function tenantctl_catalog.refuse_audit_change();
create trigger audit_head_no_truncate before truncate on tenantctl_catalog.audit_head
  for each statement execute function tenantctl_catalog.refuse_audit_change();
