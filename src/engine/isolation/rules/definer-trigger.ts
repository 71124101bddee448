import { raw, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import {
  type DefinerFunction,
  dangerOf,
  definerFunctions,
  definerStatements,
  levelOf,
} from '../definer-functions.js';
import { tenantTables } from '../tables.js';

export const definerTrigger: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'definer-trigger',
    check: 'isolation',
    level: 'error',
    summary:
      'A trigger on a table of tenants runs a SECURITY DEFINER function that passes by the policies, or looks names up as the session says.',
    explanation:
      'Triggers fire without a right to execute the function, so whoever writes the table runs it with the rights of its owner. A plain trigger function runs as the session and sees the rows of its tenant only. With a fixed search_path and an owner whom the policies bind it is worth knowing only.',
    remedy:
      'Make the function SECURITY INVOKER, or set its search_path and let a role own it whom the policies bind.',
    bad: `create function note_activity() returns trigger language plpgsql security definer
  as 'begin insert into app.activity (action, entity, entity_id) values (tg_op, tg_table_name, new.id); return new; end';
create trigger note after insert on webhook_endpoint for each row execute function note_activity();`,
    good: `create function note_activity() returns trigger language plpgsql security invoker
  as 'begin insert into app.activity (action, entity, entity_id) values (tg_op, tg_table_name, new.id); return new; end';
create trigger note after insert on webhook_endpoint for each row execute function note_activity();`,
  },
  async find(context) {
    const fires = sql`p.prorettype = 'trigger'::regtype and exists (select from pg_trigger g join ${tenantTables(context)} t on t.oid = g.tgrelid
      where g.tgfoid = p.oid and not g.tgisinternal)`;
    const functions = await context.session.rows<DefinerFunction>(definerFunctions(context, fires));
    return functions.map((found) =>
      foundIn(
        context,
        this.rule,
        found.signature,
        `trigger function ${found.signature} runs with the rights of ${found.owner} for whoever writes the table: ${dangerOf(found)}`,
        {
          level: levelOf(found),
          sql: definerStatements(found, raw(found.signature)),
          facts: { owner: found.owner, searchPath: found.fixed, bypasses: found.bypasses },
        },
      ),
    );
  },
};
