-- Whose fleet a home is that another tool had made: its name says nothing. And what was taken from the application's role when a home that another tool had made was shut, so that opening it gives back
-- exactly that: on, name, privilege, grantee (null for PUBLIC), grantor, grantable.

alter table tenantctl.adopted
  -- The database of the catalog that it was adopted into; null where that is not known.
  add column catalog text,
  add column shut jsonb not null default '[]' check (jsonb_typeof(shut) = 'array');
