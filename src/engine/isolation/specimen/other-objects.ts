import type { Connection } from '../../../pg/connection.js';
import { sql } from '../../../pg/sql.js';
import { type Reach, wayOf } from '../reach/reach.js';

/** A view that the application may use, over tables of the pool. */
export interface View {
  name: string;
  qualified: string;
  kind: 'v' | 'm';
  tenanted: boolean;
  mayWrite: boolean;
  /** Does it read its tables with the rights of whoever asks it? */
  invoker: boolean;
  definition: string;
  /** Does it hold rows, or read from a materialized view that does? Rows that are made now do not show in it. */
  stored: boolean;
  /** The way by which a look at it may come to reach out of the database; null when there is none. */
  reachesOut: string | null;
  /** How it comes to ask who has logged in, which in a probe is the administrator; null when it does not. */
  asksLogin: string | null;
  /** The tables that it is made of, by way of other views as well. */
  tables: string[];
}

/** Views of all schemas that the role may enter. */
export async function readViews(
  session: Connection,
  tenantColumn: string,
  role: string,
  reach: Reach,
): Promise<View[]> {
  const views = await session.rows<Omit<View, 'reachesOut' | 'asksLogin'> & { oid: string }>(sql`
    with recursive uses (view, used) as (
      select r.ev_class, d.refobjid from pg_rewrite r join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
       where d.refclassid = 'pg_class'::regclass and d.refobjid <> r.ev_class
      union select u.view, d.refobjid from uses u join pg_rewrite r on r.ev_class = u.used
        join pg_depend d on d.classid = 'pg_rewrite'::regclass and d.objid = r.oid
       where d.refclassid = 'pg_class'::regclass and d.refobjid <> r.ev_class
    )
    select c.oid::text as oid, c.relname::text as name, format('%I.%I', n.nspname, c.relname) as qualified, c.relkind::text as kind,
      exists (select from pg_attribute a where a.attrelid = c.oid and a.attname = ${tenantColumn} and not a.attisdropped) as tenanted,
      c.relkind = 'v' and (has_any_column_privilege(${role}::name, c.oid, 'UPDATE') or has_table_privilege(${role}::name, c.oid, 'DELETE')) as "mayWrite",
      coalesce((select o.option_value::boolean from pg_options_to_table(c.reloptions) o where o.option_name = 'security_invoker'), false) as invoker,
      pg_get_viewdef(c.oid) as definition,
      c.relkind = 'm' or exists (select from uses u join pg_class m on m.oid = u.used where u.view = c.oid and m.relkind = 'm') as stored,
      (select coalesce(json_agg(distinct format('%I.%I', tn.nspname, t.relname)), '[]') from uses u join pg_class t on t.oid = u.used
         join pg_namespace tn on tn.oid = t.relnamespace where u.view = c.oid and t.relkind in ('r', 'p')) as tables
      from pg_class c join pg_namespace n on n.oid = c.relnamespace
     where c.relkind in ('v', 'm') and n.nspname not in ('pg_catalog', 'information_schema', 'tenantctl') and n.nspname not like 'pg\\_%'
       and has_schema_privilege(${role}::name, n.oid, 'USAGE') and has_any_column_privilege(${role}::name, c.oid, 'SELECT')
     order by 3`);
  return views.map(({ oid, ...view }) => ({
    ...view,
    reachesOut: wayOf(reach.fromRelation(oid)),
    asksLogin: wayOf(reach.loginAskedByRelation(oid)),
  }));
}

/** A function that runs with the rights of its owner, and that the application may call. */
export interface DefinerFunction {
  /** With its arguments. */
  name: string;
  call: string;
  /** Why it is not called, beside what follows; or null. */
  reason: string | null;
  /** As with views. */
  reachesOut: string | null;
  asksLogin: string | null;
}

/** SECURITY DEFINER functions of the user's own. */
export async function readDefinerFunctions(
  session: Connection,
  role: string,
  reach: Reach,
): Promise<DefinerFunction[]> {
  const functions = await session.rows<
    Omit<DefinerFunction, 'reachesOut' | 'asksLogin'> & { oid: string }
  >(sql`
    select p.oid::text as oid, format('%I.%I', n.nspname, p.proname) || '(' || pg_get_function_identity_arguments(p.oid) || ')' as name, format('%I.%I()', n.nspname, p.proname) as call,
      case when p.pronargs > p.pronargdefaults or p.provariadic <> 0 then 'it needs arguments'
           when p.provolatile = 'v' then 'it is VOLATILE, so a call may change something' end as reason
      from pg_proc p join pg_namespace n on n.oid = p.pronamespace
     where p.prosecdef and p.prokind = 'f' and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)
       and n.nspname not in ('pg_catalog', 'information_schema', 'tenantctl') and n.nspname not like 'pg\\_%'
       and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
       and has_schema_privilege(${role}::name, n.oid, 'USAGE') and has_function_privilege(${role}::name, p.oid, 'EXECUTE')
     order by 2`);
  return functions.map(({ oid, reason, ...called }) => {
    const reachesOut = wayOf(reach.fromRoutine(oid));
    const asksLogin = wayOf(reach.loginAskedByRoutine(oid));
    return { ...called, reachesOut, asksLogin, reason };
  });
}
