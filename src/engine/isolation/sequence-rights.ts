import { ident, sql } from '../../pg/sql.js';
import type { Finding } from '../../core/finding.js';
import { type CatalogRule, type RuleContext, foundIn } from './catalog-rule.js';
import { revoke } from './statements.js';
import { granteeName, poolSchemas, reachesApplication, withApplication } from './tables.js';

interface Right {
  schema: string;
  name: string;
  grantee: string | null;
}

/**
 * Sequences of pools on which the application has a right that it does without, directly or by a role.
 * @param danger what that allows, after `<role> may <verb> sequence <name>: `
 */
export async function findSequenceRights(
  context: RuleContext,
  rule: CatalogRule['rule'],
  privilege: 'SELECT' | 'UPDATE',
  verb: string,
  danger: string,
): Promise<Finding[]> {
  const rights = await context.session.rows<Right>(sql`
    ${withApplication(context)}
    select n.nspname::text as schema, c.relname::text as name, ${granteeName(sql`x.grantee`)} as grantee
      from pg_class c join pg_namespace n on n.oid = c.relnamespace cross join aclexplode(c.relacl) x
     where n.nspname = any (${poolSchemas(context)}::text[]) and c.relkind = 'S' and x.privilege_type = ${privilege}
       and x.grantee <> c.relowner and ${reachesApplication(sql`x.grantee`)} order by 1, 2, 3`);
  return rights.map(({ schema, name, grantee }) =>
    foundIn(
      context,
      rule,
      `${schema}.${name}`,
      `${grantee ?? 'PUBLIC'} may ${verb} sequence ${schema}.${name}: ${danger}`,
      { sql: [revoke([privilege], 'SEQUENCE', ident(schema, name), grantee)], facts: { grantee } },
    ),
  );
}
