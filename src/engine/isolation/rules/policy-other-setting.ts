import { ident, literal, raw, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { readClauses } from '../policies.js';

export const policyOtherSetting: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'policy-other-setting',
    check: 'isolation',
    level: 'warning',
    summary: 'A policy reads a setting of another name than the one by which sessions say their tenant.',
    explanation:
      'Sessions of this tool and of its router set tenancy.setting. A policy that asks for another name sees no tenant in them: its rows are hidden or, where two names are in use, the session is two tenants at once.',
    remedy: 'Let the policy read tenancy.setting, or configure the name that your policies use.',
    bad: `create policy own on app_user
  using (tenant_id = nullif(current_setting('app.current_company', true), '')::uuid);`,
    good: `create policy own on app_user
  using (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);`,
  },
  async find(context) {
    const { setting } = context.tenancy;
    const clauses = (await readClauses(context)).filter(
      ({ condition: { settings, holdsTenant } }) =>
        holdsTenant && settings.length > 0 && !settings.includes(setting),
    );
    return clauses.map(({ policy: { schema, table, name }, part, text, condition: { settings } }) =>
      foundIn(
        context,
        this.rule,
        `${schema}.${table}, policy ${name}`,
        `policy ${name} on ${schema}.${table} asks for ${settings.join(', ')}, and sessions say their tenant in ${setting} (${part})`,
        {
          sql: [
            sql`alter policy ${ident(name)} on ${ident(schema, table)} ${raw(part.toLowerCase())} (${raw(renamed(text, settings, setting))})`,
          ],
          facts: { policy: name, part, settings, condition: text },
        },
      ),
    );
  },
};

function renamed(text: string, from: readonly string[], to: string): string {
  return from.reduce(
    (changed, name) =>
      changed.replaceAll(`current_setting(${literal(name)}`, `current_setting(${literal(to)}`),
    text,
  );
}
