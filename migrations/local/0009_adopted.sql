-- Units that another tool had made, and what is done differently for them.

create table tenantctl.adopted (
  unit       text        primary key,
  schema     text        not null,
  -- The role that owns the unit's tables; migrations act as it. Null for the administrator.
  owner      text,
  -- The other tool's ledger: tool, schema, table. Null where there was none.
  ledger     jsonb,
  dual_write boolean     not null default false,
  -- Objects in which it may look otherwise than units of its version, as 'index bill_cents'.
  tolerated  text[]      not null default '{}',
  adopted_at timestamptz not null default now(),
  adopted_by text        not null default session_user,
  check (ledger is not null or not dual_write)
);
comment on table tenantctl.adopted is 'Units that another tool had made: whose tables they are, and which other ledger tells of them';
