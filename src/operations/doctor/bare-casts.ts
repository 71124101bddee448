import { ident, sql } from '../../pg/sql.js';
import { type DatabaseContext, type DoctorFinding, placeName } from './rule.js';

interface Policy {
  schema: string;
  table: string;
  name: string;
  using: string | null;
  check: string | null;
}

/** `(current_setting('app.tenant_id'::text, true))::uuid`, as PostgreSQL writes it out. */
const BARE_CAST =
  /\(current_setting\(('(?:[^']|'')*')::text(?:, (?:true|false))?\)\)::(?!text\b|character varying)/g;

/**
 * Policies that cast a setting as it is. A setting that was used once reads `''` and not NULL for the rest of the session,
 * so that such a policy fails (22P02) in every pooled connection from its second use on.
 */
export async function bareCasts(context: DatabaseContext): Promise<DoctorFinding[]> {
  const policies = await context.session.rows<Policy>(sql`
    select n.nspname::text as schema, c.relname::text as table, p.polname::text as name,
           pg_get_expr(p.polqual, p.polrelid) as using, pg_get_expr(p.polwithcheck, p.polrelid) as check
      from pg_policy p join pg_class c on c.oid = p.polrelid join pg_namespace n on n.oid = c.relnamespace
     where n.nspname <> 'tenantctl' and position('current_setting(' in concat(pg_get_expr(p.polqual, p.polrelid), pg_get_expr(p.polwithcheck, p.polrelid))) > 0
     order by 1, 2, 3`);
  return policies.filter(hasBareCast).map((policy) => finding(context, policy));
}

function hasBareCast({ using, check }: Policy): boolean {
  return [using, check].some((text) => text !== null && text.search(BARE_CAST) >= 0);
}

function finding(context: DatabaseContext, policy: Policy): DoctorFinding {
  const { schema, table, name } = policy;
  const statement = alter(policy);
  return {
    rule: 'bare-setting-cast',
    level: 'error',
    where: `${placeName(context)}.${schema}.${table}`,
    message: `policy ${name} casts a setting as it is: in a session that has served another tenant before, it reads '' and every statement fails (22P02)`,
    hint: `With a migration: ${statement};`,
    facts: { schema, table, policy: name, sql: [statement] },
  };
}

function alter({ schema, table, name, using, check }: Policy): string {
  const parts = [
    ...(using === null ? [] : [`using (${mended(using)})`]),
    ...(check === null ? [] : [`with check (${mended(check)})`]),
  ];
  return `alter policy ${ident(name).text()} on ${ident(schema, table).text()} ${parts.join(' ')}`;
}

function mended(expression: string): string {
  return expression.replaceAll(
    BARE_CAST,
    (_found, setting: string) => `(nullif(current_setting(${setting}, true), ''))::`,
  );
}
