import { raw, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';

export const leakproofFunction: CatalogRule = {
  home: 'pool',
  rule: {
    name: 'leakproof-function',
    check: 'isolation',
    level: 'warning',
    summary:
      'A function that is not the server’s own says LEAKPROOF: the planner calls it with rows of other tenants before it asks the policies.',
    explanation:
      'Conditions with leakproof functions are evaluated before the policy, because they promise to tell nothing of their arguments. A function that raises an error with a value in it, or takes longer for some values, breaks the promise.',
    remedy: 'Take LEAKPROOF away unless the function is written in C and can tell nothing.',
    bad: `-- as a superuser
create function ends_with(text, text) returns boolean language sql immutable leakproof as 'select right($1, length($2)) = $2';`,
    good: `-- as a superuser
create function ends_with(text, text) returns boolean language sql immutable as 'select right($1, length($2)) = $2';`,
  },
  async find(context) {
    const functions = await context.session.rows<{ signature: string }>(sql`
      select p.oid::regprocedure::text as signature from pg_proc p join pg_namespace n on n.oid = p.pronamespace
       where p.proleakproof and n.nspname <> 'pg_catalog'
         and not exists (select from pg_depend d where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e') order by 1`);
    return functions.map(({ signature }) =>
      foundIn(
        context,
        this.rule,
        signature,
        `function ${signature} says LEAKPROOF: it is called with rows of other tenants before policies are asked`,
        { sql: [sql`alter function ${raw(signature)} not leakproof`] },
      ),
    );
  },
};
