-- A catalog that was lost is made again from the homes of the fleet. They know the epoch of today, not every one before it.

alter table tenantctl_catalog.tenants
  -- When this row was written from what a home knows of its tenant; null for one that was provisioned.
  add column rebuilt_at timestamptz;

create or replace function tenantctl_catalog.check_epoch() returns trigger language plpgsql as $$
declare
  v_last bigint;
begin
  select pg_catalog.max(epoch) into v_last from tenantctl_catalog.placements where tenant = new.tenant;
  if v_last is null and exists (select from tenantctl_catalog.tenants where id = new.tenant and rebuilt_at is not null) then
    return new;
  end if;
  if new.epoch <> 1 + coalesce(v_last, 0) then
    raise exception using errcode = 'TC021',
      message = pg_catalog.format('the next epoch of tenant %s is not %s', new.tenant, new.epoch);
  end if;
  return new;
end $$;
