import { sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { observedTables } from '../tables.js';

interface Table {
  schema: string;
  name: string;
  owner: string;
  rls: boolean;
  forced: boolean;
  required: boolean;
  default: string | null;
  policies: string[];
  /** What the application's role may not do to it today and could then. */
  rights: string[];
}

export const observedTable: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'observed-table',
    check: 'isolation',
    level: 'info',
    summary: 'A table of a pool that only observes: every tenant reaches the rows of all others, as before.',
    explanation:
      'An adopted pool starts with `rls: observe`, so nothing of it is changed. The finding says, table by table, what enforcing would add: row-level security that is forced on the owner too, a policy, a default and NOT NULL for the tenant column, rights of the application. Going back gives exactly what was there before.',
    remedy:
      'When nothing else is found about the table, list it under `enforce` of its pool and run `tenantctl migrate`.',
    bad: 'create table observed_note (tenant_id uuid not null, body text);',
    good: `create table observed_note (tenant_id uuid not null, body text);
select tenantctl.enforce_table('observed_note'::regclass, 'tenant_id', 'app.tenant_id', 'app_user');`,
  },
  async find(context) {
    const { column, appRole } = context.tenancy;
    const tables = await context.session.rows<Table>(sql`
      select t.schema, t.name, pg_get_userbyid(t.owner)::text as owner, t.rls, t.forced, t.required, t.default,
             array(select p.polname::text from pg_policy p where p.polrelid = t.oid order by 1) as policies,
             array(select r from unnest(array['SELECT', 'INSERT', 'UPDATE', 'DELETE']) r
               join pg_roles a on a.rolname = ${appRole} where not has_table_privilege(a.oid, t.oid, r)) as rights
        from ${observedTables(context)} t where not t.child order by 1, 2`);
    return tables.flatMap((table) => {
      const changes = changesOf(table, column, appRole);
      if (changes.length === 0) return [];
      const { schema, name } = table;
      const message = `enforcing ${schema}.${name} would ${changes.join(', ')}`;
      return [foundIn(context, this.rule, `${schema}.${name}`, message, { sql: [], facts: { changes } })];
    });
  },
};

function changesOf(table: Table, column: string, role: string): string[] {
  const { rls, forced, policies, owner, required, rights } = table;
  const ours = policies.some((name) => name === 'tenantctl_tenant' || name === 'tenantctl_guard');
  const others = policies.filter((name) => !name.startsWith('tenantctl_'));
  const policy =
    others.length === 0
      ? 'hold every session to its tenant by a policy'
      : `hold every session to its tenant by a restrictive policy beside ${others.join(', ')}`;
  return [
    ...(rls ? [] : ['enable row-level security']),
    ...(forced ? [] : [`force it on the owner, ${owner}`]),
    ...(ours ? [] : [policy]),
    ...(required ? [] : [`set ${column} NOT NULL`]),
    ...(table.default === null ? [`give ${column} the tenant of the session as its default`] : []),
    ...(rights.length === 0 || owner === role ? [] : [`grant ${rights.join(', ')} to ${role}`]),
  ];
}
