-- Whose fleet a home is that another tool had made, as its name says nothing. And what was taken from the application's
-- role when such a home was shut, so that opening it gives back exactly that: on, name, grantee (null for PUBLIC), grantor,
-- grantable.

alter table tenantctl.adopted
  -- The database of the catalog that it was adopted into; null where that is not known.
  add column catalog text,
  add column shut jsonb not null default '[]' check (jsonb_typeof(shut) = 'array');
