import type { Finding } from '../../../core/finding.js';
import { ident, sql } from '../../../pg/sql.js';
import { type CatalogRule, type RuleContext, foundIn } from '../catalog-rule.js';
import { observedTables } from '../tables.js';

interface Table {
  schema: string;
  name: string;
  owner: string;
  /** May the administrator act as the owner, whom policies may not bind? */
  readable: boolean;
}

/** Rows of one key; null for those without any. */
interface Rows {
  key: string | null;
  rows: number;
}

const NAMED = 5;

export const observedRows: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'observed-rows',
    check: 'isolation',
    level: 'warning',
    summary:
      'Rows of an observed table hold no tenant, or one that nobody knows: enforced, nobody would see them any more.',
    explanation:
      'A policy shows a row to the tenant whose key it holds. A row without a key, or with one that no tenant of the pool has, would be invisible to every tenant; with rows without a key the table is not enforced at all, as the column could not be NOT NULL. They may be shared rows, leftovers of tenants that went, or rows of tenants that were not adopted.',
    remedy:
      'Give each of these rows its tenant, delete it, or move what all tenants share to a table without the tenant column; adopt the tenants that are missing.',
    bad: `create table observed_log (tenant_id uuid, body text);
insert into observed_log values (null, 'nobody''s');`,
    good: `create table observed_log (tenant_id uuid, body text);`,
  },
  async find(context) {
    const tables = await context.session.rows<Table>(sql`
      select t.schema, t.name, pg_get_userbyid(t.owner)::text as owner, pg_has_role(t.owner, 'MEMBER') as readable
        from ${observedTables(context)} t where not t.child order by 1, 2`);
    const known = await knownKeys(context);
    const findings: Finding[] = [];
    for (const table of tables) {
      const found = await lookAt(context, table, known);
      if (found !== null)
        findings.push(foundIn(context, this.rule, `${table.schema}.${table.name}`, ...found));
    }
    return findings;
  },
};

/** `schema key` of every tenant that lives here. */
async function knownKeys({ session }: RuleContext): Promise<Set<string>> {
  const rows = await session.rows<{ place: string }>(
    sql`select schema || ' ' || key as place from tenantctl.placement`,
  );
  return new Set(rows.map(({ place }) => place));
}

type Told = [
  message: string,
  particulars: { level?: Finding['level']; sql: []; facts: Record<string, unknown> },
];

async function lookAt(context: RuleContext, table: Table, known: ReadonlySet<string>): Promise<Told | null> {
  const { schema, name, owner, readable } = table;
  const { column } = context.tenancy;
  if (!readable)
    return [
      `the rows of ${schema}.${name} were not counted: the administrator is no member of ${owner}`,
      { sql: [], facts: { owner } },
    ];
  const counted = await countRows(context, table);
  const empty = counted.find(({ key }) => key === null)?.rows ?? 0;
  const unknown = counted.filter(({ key }) => key !== null && !known.has(`${schema} ${key}`));
  const strays = unknown.reduce((sum, { rows }) => sum + rows, 0);
  if (empty + strays === 0) return null;
  const parts = [
    ...(empty === 0 ? [] : [`${empty} rows of ${schema}.${name} hold no ${column}`]),
    ...(strays === 0
      ? []
      : [
          `${strays} rows of ${schema}.${name} hold the key of no tenant of the pool (${unknown.length} keys: ${unknown
            .slice(0, NAMED)
            .map(({ key }) => key)
            .join(', ')}${unknown.length > NAMED ? ', …' : ''})`,
        ]),
  ];
  return [
    `${parts.join('; ')}: enforced, no tenant would see them`,
    { sql: [], facts: { withoutTenant: empty, unknownTenant: strays, unknownKeys: unknown.length } },
  ];
}

/** As the owner, who sees them all while nothing is forced. */
async function countRows({ session, tenancy }: RuleContext, { schema, name, owner }: Table): Promise<Rows[]> {
  await session.rows(
    sql`select set_config('role', ${owner}, true), set_config('tenantctl.scope', 'fleet', true)`,
  );
  const rows = await session.rows<Rows>(sql`
    select ${ident(tenancy.column)}::text as key, count(*)::float8 as rows from ${ident(schema, name)} group by 1`);
  await session.rows(sql`select set_config('role', 'none', true), set_config('tenantctl.scope', '', true)`);
  return rows;
}
