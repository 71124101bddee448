import type { Finding } from '../../core/finding.js';
import { type Sql, ident, raw, sql } from '../../pg/sql.js';
import type { RuleContext } from './catalog-rule.js';
import { tenantTables } from './tables.js';

/** A SECURITY DEFINER function of the user's. */
export interface DefinerFunction {
  schema: string;
  /** With its arguments, as SQL names it. */
  signature: string;
  owner: string;
  /** Has it a search_path of its own? */
  fixed: boolean;
  /** Do policies of tables of tenants not bind its owner? */
  bypasses: boolean;
}

/** A query for those that are neither ours nor an extension's, where `condition` about `p` and its schema `n` holds. */
export function definerFunctions(context: RuleContext, condition: Sql): Sql {
  return sql`
    select n.nspname::text as schema, p.oid::regprocedure::text as signature, o.rolname::text as owner,
           exists (select from unnest(p.proconfig) s where s like 'search_path=%') as fixed,
           o.rolsuper or o.rolbypassrls or exists (select from ${tenantTables(context)} t
             where not t.child and (not t.rls or (not t.forced and pg_has_role(o.oid, t.owner, 'USAGE')))) as bypasses
      from pg_proc p join pg_namespace n on n.oid = p.pronamespace join pg_roles o on o.oid = p.proowner
     where p.prosecdef and n.nspname not in ('tenantctl', 'pg_catalog', 'information_schema')
       and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
       and ${condition}
     order by 1, 2`;
}

export function levelOf({ fixed, bypasses }: DefinerFunction): Finding['level'] {
  return bypasses || !fixed ? 'error' : 'info';
}

export function dangerOf({ owner, fixed, bypasses }: DefinerFunction): string {
  if (bypasses) return `the policies of the pool do not bind ${owner}, so it reaches the rows of all tenants`;
  if (!fixed) return `it has no search_path of its own, so its caller decides what its names mean`;
  return `the policies bind ${owner}, and it may write what ${owner} may`;
}

/** The search_path first: whoever makes it INVOKER can leave that out again. */
export function definerStatements({ schema, fixed }: DefinerFunction, signature: Sql): Sql[] {
  const path = sql`alter function ${signature} set search_path = ${ident(schema)}, pg_catalog, pg_temp`;
  return [...(fixed ? [] : [path]), sql`alter function ${signature} ${raw('security invoker')}`];
}
