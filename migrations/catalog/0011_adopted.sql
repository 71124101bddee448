-- Units that another tool had made: owner, ledger, dualWrite, as the local state has them.

alter table tenantctl_catalog.units
  add column adopted jsonb check (adopted is null or jsonb_typeof(adopted) = 'object');
comment on column tenantctl_catalog.units.adopted is 'Null where this tool made the unit; the local state beside the data is the truth';
