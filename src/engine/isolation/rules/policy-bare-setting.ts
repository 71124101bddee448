import { ident, raw, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { readClauses } from '../policies.js';

export const policyBareSetting: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'policy-bare-setting',
    check: 'isolation',
    level: 'warning',
    summary:
      'A policy reads the setting bare: it throws for a session without a tenant, and for a pooled one that had a tenant before.',
    explanation:
      'current_setting with one argument throws while nobody has set the name. After a transaction that set it with SET LOCAL it reads as an empty text, not NULL, and a cast of that to uuid or bigint throws as well. The error comes from any statement on the table, of monitoring and maintenance too, and only on connections that were used before.',
    remedy: "Write nullif(current_setting('…', true), '') before the cast.",
    bad: `create policy own on customer using (tenant_id = current_setting('app.tenant_id')::uuid);`,
    good: `create policy own on customer
  using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
  },
  async find(context) {
    const clauses = await readClauses(context);
    return clauses
      .filter(({ condition }) => condition.bareSetting)
      .map(({ policy: { schema, table, name }, part, text }) =>
        foundIn(
          context,
          this.rule,
          `${schema}.${table}, policy ${name}`,
          `policy ${name} on ${schema}.${table} reads the setting bare (${part}): statements throw in sessions that have no tenant, or had one before`,
          {
            sql: [
              sql`alter policy ${ident(name)} on ${ident(schema, table)} ${raw(part.toLowerCase())} (${raw(mended(text))})`,
            ],
            facts: { policy: name, part, condition: text },
          },
        ),
      );
  },
};

const CALL = /(NULLIF\()?current_setting\(('(?:[^']|'')*'::text)(?:, (?:true|false))?\)/g;

/** The condition with every setting read in the way that gives NULL. */
function mended(text: string): string {
  return text.replaceAll(CALL, (_call, wrapped: string | undefined, name: string) =>
    wrapped === undefined
      ? `NULLIF(current_setting(${name}, true), ''::text)`
      : `NULLIF(current_setting(${name}, true)`,
  );
}
