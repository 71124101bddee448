-- The administrator's scope does not depend on the row. As a subselect the server looks at it once a statement: asked of
-- every row, it cost as much as reading the row. Policies that are there stay as they are; they say the same.
create or replace function tenantctl.fleet_condition() returns text language sql stable as $$
  select pg_catalog.format('(select session_user = %L and current_setting(''tenantctl.scope'', true) = ''fleet'')', session_user)
$$;
