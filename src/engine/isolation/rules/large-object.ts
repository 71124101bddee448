import { raw, sql } from '../../../pg/sql.js';
import { type CatalogRule, foundIn } from '../catalog-rule.js';
import { grantee as named } from '../statements.js';
import { granteeName, reachesApplication, withApplication } from '../tables.js';

interface Objects {
  grantee: string | null;
  owned: boolean;
  count: number;
  oids: string[];
}

/** Statements of one finding. */
const SHOWN = 1_000;

export const largeObject: CatalogRule = {
  home: 'any',
  rule: {
    name: 'large-object',
    check: 'isolation',
    level: 'error',
    summary:
      'Large objects of a database that tenants share can be read by all of them: they are in no table, and no policy holds them.',
    explanation:
      'Large objects have rights of their own and no row-level security. One that the application’s role owns is open to every tenant of the pool by its number, and numbers are easily guessed. Roles of tenants’ own keep them apart.',
    remedy: 'Keep such data in a bytea column of a table with policies.',
    bad: `select lo_create(7001); grant select on large object 7001 to public;`,
    good: `select lo_create(7001);`,
  },
  async find(context) {
    if (context.dedicated) return [];
    const found = await context.session.rows<Objects>(sql`
      ${withApplication(context)}
      select grantee, owned, count(*)::int as count, (array_agg(oid::text order by oid))[1:${SHOWN}] as oids from (
        select l.oid, ${granteeName(sql`x.grantee`)} as grantee, false as owned from pg_largeobject_metadata l cross join aclexplode(l.lomacl) x
         where x.privilege_type = 'SELECT' and x.grantee <> l.lomowner and ${reachesApplication(sql`x.grantee`)}
        union select l.oid, a.name, true from pg_largeobject_metadata l join application a on a.oid = l.lomowner) o
       group by 1, 2 order by 1, 2`);
    return found.map(({ grantee, owned, count, oids }) =>
      foundIn(
        context,
        this.rule,
        `large objects, ${grantee ?? 'PUBLIC'}`,
        owned
          ? `${grantee ?? ''} owns ${count} large objects (such as ${oids[0] ?? ''}): every tenant of the pool reads and writes them by number`
          : `${grantee ?? 'PUBLIC'} may read ${count} large objects (such as ${oids[0] ?? ''}): every tenant reads them by number`,
        {
          sql: owned
            ? []
            : oids.map((oid) => sql`revoke all on large object ${raw(oid)} from ${named(grantee)}`),
          facts: { grantee, count },
        },
      ),
    );
  },
};
