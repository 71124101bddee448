import { type Sql, raw, sql } from '../../../pg/sql.js';

/** What the rules ask about beside the tables, which they find in the WITH queries of `movedRelations`. */
export interface Subject {
  /** The login that moves. */
  admin: string;
  tenantColumn: string;
  keys: readonly { table: string; column: string }[];
}

/** A query of rule, level, place, message and hint. */
type Rule = (subject: Subject) => Sql;

const rewriteRules: Rule = () =>
  raw(`select 'rewrite-rule', 'error', m.relid::regclass::text,
      format('rule %I may turn the writes of a move into others', r.rulename),
      format('drop rule %I on %s;', r.rulename, m.relid::regclass)
    from moved m join pg_rewrite r on r.ev_class = m.relid and r.rulename <> '_RETURN'`);

/** Which row is in the way is found by equal values; overlaps are not. */
const exclusions: Rule = () =>
  raw(`select 'exclusion', 'error', m.relid::regclass::text,
      format('constraint %I refuses rows by more than equal values', k.conname),
      format('alter table %s drop constraint %I; -- as long as it is there, no method moves a tenant into this pool or out of it', m.relid::regclass, k.conname)
    from moved m join pg_index i on i.indrelid = m.relid and i.indisexclusion
    join pg_constraint k on k.conindid = i.indexrelid and k.conrelid = m.relid and k.conparentid = 0 and k.contype in ('x', 'p', 'u')`);

const outsideChildren: Rule = () =>
  raw(`select 'outside-child', 'error', k.conrelid::regclass::text,
      format('foreign key %I refers to %s, but rows of %s are not moved', k.conname, k.confrelid::regclass, k.conrelid::regclass),
      format('alter table %s drop constraint %I; -- or give the table the tenant column', k.conrelid::regclass, k.conname)
    from pg_constraint k join moved m on m.relid = k.confrelid
   where k.contype = 'f' and k.conparentid = 0 and not exists (select from moved c where c.relid = k.conrelid)`);

/** Of an index serves what it begins with, as far as these are columns of the foreign key or the tenant's. */
const unindexedChildren: Rule = ({ tenantColumn }) =>
  sql`select 'unindexed-child', 'warning', k.conrelid::regclass::text,
      format('foreign key %I has no index, so for each row of %s that goes the tenant''s rows of %s are read',
        k.conname, k.confrelid::regclass, k.conrelid::regclass),
      format('create index concurrently on %s (%s);', k.conrelid::regclass, (
        select string_agg(quote_ident(a.attname), ', ' order by n) from unnest(k.conkey) with ordinality u (attnum, n)
          join pg_attribute a on a.attrelid = k.conrelid and a.attnum = u.attnum))
    from pg_constraint k join moved c on c.relid = k.conrelid join moved p on p.relid = k.confrelid
    left join pg_attribute t on t.attrelid = k.conrelid and t.attname = ${tenantColumn}
   where k.contype = 'f' and k.conparentid = 0 and not exists (
     select from pg_index i cross join lateral (
         select coalesce(min(u.n), 100) as stop from unnest(i.indkey::int2[]) with ordinality u (attnum, n)
          where u.attnum <> all (k.conkey) and u.attnum is distinct from t.attnum) served
      where i.indrelid = k.conrelid and i.indisvalid
        and (i.indpred is null or pg_get_expr(i.indpred, i.indrelid) in (
          select format('(%I IS NOT NULL)', a.attname) from pg_attribute a where a.attrelid = k.conrelid and a.attnum = any (k.conkey)))
        and not exists (select from unnest(k.conkey) f (attnum) where f.attnum is distinct from t.attnum and not exists (
          select from unnest(i.indkey::int2[]) with ordinality u (attnum, n) where u.attnum = f.attnum and u.n < served.stop)))`;

/** Forced row-level security hides every row from the owner, who then copies and compares nothing. */
const missingFleetPolicy: Rule = ({ admin }) =>
  sql`select 'no-fleet-policy', 'error', c.oid::regclass::text, 'row-level security hides its rows from the administrator',
      format('create policy tenantctl_fleet on %s for all to %I using (%s) with check (%3$s);',
        c.oid::regclass, ${admin}::text, tenantctl.fleet_condition())
    from root join pg_class c on c.oid = root.oid
   where c.relrowsecurity and c.relforcerowsecurity and not exists (
     select from pg_policy p where p.polrelid = c.oid and p.polname = 'tenantctl_fleet')`;

/** One for the application holds for the administrator too, who is a member of its role up to version 15. */
const restrictivePolicies: Rule = ({ admin }) =>
  sql`select 'restrictive-policy', 'error', p.polrelid::regclass::text,
      format('policy %I may hide rows from the administrator', p.polname),
      format('alter policy %I on %s%s%s;', p.polname, p.polrelid::regclass,
        ' using ((' || wording.reads || ') or ' || tenantctl.fleet_condition() || ')',
        ' with check ((' || wording.writes || ') or ' || tenantctl.fleet_condition() || ')')
    from root join pg_policy p on p.polrelid = root.oid
    cross join lateral (select pg_get_expr(p.polqual, p.polrelid) as reads, pg_get_expr(p.polwithcheck, p.polrelid) as writes) wording
   where not p.polpermissive and (wording.reads not like '%tenantctl.scope%' or wording.writes not like '%tenantctl.scope%')
     and exists (select from unnest(p.polroles) r (oid) where r.oid = 0 or pg_has_role(${admin}::text, r.oid, 'usage'))`;

const uncounted: Rule = () =>
  raw(`select 'not-counted', 'error', current_database()::text, 'the server does not count rows written, so side effects would not be seen',
      'alter system set track_counts = on; select pg_reload_conf();'
   where current_setting('track_counts') <> 'on'`);

const eventTriggers: Rule = () =>
  raw(`select 'event-trigger', 'warning', e.evtname::text,
      format('event trigger %I answers when the move changes triggers; it must not write rows of tenants', e.evtname),
      format('alter event trigger %I disable; -- until the move is over', e.evtname)
    from pg_event_trigger e where e.evtenabled <> 'D'`);

/** A trigger that is made anew is made for all partitions, and would fire where it did not. */
const mixedTriggers: Rule = () =>
  raw(`select 'mixed-trigger', 'error', t.tgrelid::regclass::text,
      format('trigger %I does not fire there as on the partitioned table', t.tgname),
      format('alter table %s %s trigger %I;', t.tgrelid::regclass,
        case p.tgenabled when 'O' then 'enable' when 'A' then 'enable always' when 'R' then 'enable replica' else 'disable' end, t.tgname)
    from moved m join pg_trigger t on t.tgrelid = m.relid join pg_trigger p on p.oid = t.tgparentid
   where not t.tgisinternal and t.tgenabled <> p.tgenabled`);

const inheritance: Rule = () =>
  raw(`select 'inheritance', 'error', i.inhrelid::regclass::text,
      format('%s inherits from %s, so that its rows are read twice', i.inhrelid::regclass, i.inhparent::regclass),
      format('alter table %s no inherit %s;', i.inhrelid::regclass, i.inhparent::regclass)
    from pg_inherits i join pg_class c on c.oid = i.inhrelid and not c.relispartition
   where exists (select from root where root.oid in (i.inhrelid, i.inhparent))`);

/** Behind row-level security an index is searched only by what cannot tell a value to anybody. */
const leakyKeys: Rule = ({ keys }) =>
  sql`select 'slow-key', 'warning', root.oid::regclass::text,
      format('key column %I is of type %s, by which no index is searched behind row-level security', a.attname, format_type(a.atttypid, a.atttypmod)),
      format('alter function %s leakproof; -- as a superuser', o.oprcode::regprocedure)
    from unnest(${keys.map(({ table }) => table)}::text[], ${keys.map(({ column }) => column)}::text[]) k (name, key)
    join root using (name) join pg_class c on c.oid = root.oid and c.relrowsecurity
    join pg_attribute a on a.attrelid = root.oid and a.attname = k.key
    join pg_type t on t.oid = a.atttypid
    cross join lateral (select case when t.typtype = 'd' then t.typbasetype when t.typtype = 'e' then 'anyenum'::regtype
      when t.typcategory = 'A' then 'anyarray'::regtype when t.oid = 'varchar'::regtype then 'text'::regtype else t.oid end as type) base
    join pg_operator o on o.oprname = '=' and o.oprleft = base.type and o.oprright = base.type
    join pg_proc f on f.oid = o.oprcode and not f.proleakproof`;

export const RULES: readonly Rule[] = [
  rewriteRules,
  exclusions,
  outsideChildren,
  unindexedChildren,
  missingFleetPolicy,
  restrictivePolicies,
  uncounted,
  eventTriggers,
  mixedTriggers,
  inheritance,
  leakyKeys,
];
