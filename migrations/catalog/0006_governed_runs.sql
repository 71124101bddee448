-- What governs a run: its saved plan, who may drive it, and what is counted against its budget.

alter table tenantctl_catalog.runs
  -- A saved plan is used once.
  add column plan_digest text unique,
  -- Units that had nothing to do when the run was made.
  add column unchanged integer not null default 0;

alter table tenantctl_catalog.run_units
  -- Pages of its tables when the run was made, for the order and for what was learnt about speed.
  add column pages bigint not null default 0,
  -- A failure from before the last resume is known and does not count against the budget again.
  add column forgiven boolean not null default false;

create index run_units_finished on tenantctl_catalog.run_units (run, finished_at);
