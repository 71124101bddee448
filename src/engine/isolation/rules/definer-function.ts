import { raw, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import {
  type DefinerFunction,
  definerFunctions,
  definerStatements,
  dangerOf,
  levelOf,
} from '../definer-functions.js';
import { reachesApplication, withApplication } from '../tables.js';

export const definerFunction: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'definer-function',
    check: 'isolation',
    level: 'error',
    summary:
      'The application may call a SECURITY DEFINER function that hands it more than its tenant: its owner passes by the policies, or its search_path is the caller’s.',
    explanation:
      'Such a function runs with the rights of its owner. An owner whom policies do not bind shows it every tenant. Without a search_path of its own the caller decides which tables and functions its names mean, and runs code of his with the rights of the owner. With a fixed search_path and an owner whom the policies bind it is worth knowing only: it still writes what the owner may write, shared tables among it.',
    remedy:
      'Make it SECURITY INVOKER, or set its search_path, let a role own it whom the policies bind, and revoke EXECUTE from PUBLIC.',
    bad: `create function invoice_count() returns bigint language sql security definer
  as 'select count(*) from app.invoice';`,
    good: `create function invoice_count() returns bigint language sql security invoker
  as 'select count(*) from app.invoice';`,
  },
  async find(context) {
    const executable = sql`exists (select from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) x
      where x.privilege_type = 'EXECUTE' and x.grantee <> p.proowner and ${reachesApplication(sql`x.grantee`)})
      and exists (select from aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) x
      where x.privilege_type = 'USAGE' and ${reachesApplication(sql`x.grantee`)})
      and p.prorettype not in ('trigger'::regtype, 'event_trigger'::regtype)`;
    const functions = await context.session.rows<DefinerFunction>(
      sql`${withApplication(context)} ${definerFunctions(context, executable)}`,
    );
    return functions.map((found) =>
      foundIn(
        context,
        this.rule,
        found.signature,
        `the application may call ${found.signature}, a SECURITY DEFINER function of ${found.owner}: ${dangerOf(found)}`,
        {
          level: levelOf(found),
          sql: definerStatements(found, raw(found.signature)),
          facts: { owner: found.owner, searchPath: found.fixed, bypasses: found.bypasses },
        },
      ),
    );
  },
};
