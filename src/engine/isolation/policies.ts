import { groupBy } from '../../core/group-by.js';
import { type Sql, ident, raw, sql } from '../../pg/sql.js';
import { loadParser } from '../ledger/parser.js';
import type { RuleContext } from './catalog-rule.js';
import { type Condition, readCondition } from './condition.js';
import { tenantTables, withApplication } from './tables.js';

/** Policies that the tool itself makes. */
const TOOL_POLICIES = new Set(['tenantctl_tenant', 'tenantctl_fleet', 'tenantctl_guard', 'tenantctl_rescan']);

export type Command = 'SELECT' | 'INSERT' | 'UPDATE' | 'DELETE';

/** A policy of a pool's table that the application is held to. */
export interface Policy {
  schema: string;
  table: string;
  name: string;
  permissive: boolean;
  using: string | null;
  check: string | null;
  command: string;
  /** Does it speak to the application only once it has said SET ROLE? Policies that speak to its own role alone are gone then. */
  assumed: boolean;
  everybody: boolean;
  /** The type of the tenant column, and the owner of the table. */
  type: string;
  owner: string;
}

/** One condition of a policy, and the commands that it decides. */
export interface Clause {
  policy: Policy;
  part: 'USING' | 'WITH CHECK';
  text: string;
  condition: Condition;
  /** Of these commands it decides which rows are seen, and of those which new rows are taken. */
  reads: readonly Command[];
  writes: readonly Command[];
}

const COMMANDS: Record<string, readonly Command[]> = {
  '*': ['SELECT', 'INSERT', 'UPDATE', 'DELETE'],
  r: ['SELECT'],
  a: ['INSERT'],
  w: ['UPDATE'],
  d: ['DELETE'],
};

/** The policies on tables of pools that speak to the application, be it after one SET ROLE. */
async function readPolicies(context: RuleContext): Promise<Policy[]> {
  return context.session.rows<Policy>(sql`
    ${withApplication(context)}
    select t.schema, t.name as table, p.polname::text as name, p.polpermissive as permissive, p.polcmd::text as command,
           pg_get_expr(p.polqual, p.polrelid) as using, pg_get_expr(p.polwithcheck, p.polrelid) as check,
           t.type, pg_get_userbyid(t.owner)::text as owner, 0 = any (p.polroles) as everybody,
           not (0 = any (p.polroles) or exists (select from application a, unnest(p.polroles) r (oid) where pg_has_role(a.oid, r.oid, 'USAGE'))) as assumed
      from ${tenantTables(context)} t join pg_policy p on p.polrelid = t.oid
     where 0 = any (p.polroles) or exists (select from application a, unnest(p.polroles) r (oid) where pg_has_role(a.oid, r.oid, 'MEMBER'))
     order by 1, 2, 3`);
}

/** The same, condition by condition. */
export async function readClauses(context: RuleContext): Promise<Clause[]> {
  await loadParser();
  const policies = await readPolicies(context);
  return policies.flatMap((policy) => clausesOf(policy, context.tenancy.column));
}

/** Without WITH CHECK new rows are held to USING. */
function clausesOf(policy: Policy, column: string): Clause[] {
  const commands = COMMANDS[policy.command] ?? [];
  const reads = commands.filter((command) => command !== 'INSERT');
  const writes = commands.filter((command) => command === 'INSERT' || command === 'UPDATE');
  const clause = (
    part: Clause['part'],
    text: string | null,
    sides: Pick<Clause, 'reads' | 'writes'>,
  ): Clause[] =>
    text === null ? [] : [{ policy, part, text, condition: conditionOf(policy, text, column), ...sides }];
  if (policy.check === null) return clause('USING', policy.using, { reads, writes });
  return [
    ...clause('USING', policy.using, { reads, writes: [] }),
    ...clause('WITH CHECK', policy.check, { reads: [], writes }),
  ];
}

/** What this tool has made is compared with that by a rule of its own. */
function conditionOf({ name }: Policy, text: string, column: string): Condition {
  return TOOL_POLICIES.has(name) ? AS_MADE : readCondition(text, column);
}

const AS_MADE: Condition = {
  holdsTenant: true,
  alwaysTrue: false,
  failsOpen: false,
  asksElsewhere: false,
  bareSetting: false,
  settings: [],
};

/** The commands that a condition decides. */
export function commandsOf({ reads, writes }: Clause): Command[] {
  return [...new Set([...reads, ...writes])];
}

/** Conditions of the user's that let rows of other tenants pass, where no restrictive policy holds them. */
export async function openClauses(context: RuleContext): Promise<Clause[]> {
  const byTable = groupBy(await readClauses(context), ({ policy }) => `${policy.schema}.${policy.table}`);
  return [...byTable.values()].flatMap((clauses) => {
    const guards = clauses.filter(({ policy, condition }) => !policy.permissive && condition.holdsTenant);
    return clauses.filter(
      (clause) =>
        clause.policy.permissive &&
        !clause.condition.holdsTenant &&
        !isGuarded(
          clause,
          guards.filter(({ policy }) => policy.everybody || !clause.policy.assumed),
        ),
    );
  });
}

function isGuarded({ reads, writes }: Clause, guards: readonly Clause[]): boolean {
  return (
    reads.every((command) => guards.some((guard) => guard.reads.includes(command))) &&
    writes.every((command) => guards.some((guard) => guard.writes.includes(command)))
  );
}

/** The statements that hold a table's rows to the session's tenant, whatever the user's policies admit. */
export async function guardStatements(
  { session, tenancy }: RuleContext,
  { schema, table, name, type, owner, assumed }: Policy,
): Promise<Sql[]> {
  // The guard speaks to the application's own role, and not to one that it assumes.
  if (assumed) return [sql`drop policy ${ident(name)} on ${ident(schema, table)}`];
  const row = await session.row<{ fleet: string; tenant: string }>(sql`
    select tenantctl.fleet_condition() as fleet,
           tenantctl.tenant_condition(${tenancy.column}, ${type}, ${tenancy.setting}, ${schema}) as tenant`);
  const condition = raw(`(${row?.fleet ?? 'false'}) or (${row?.tenant ?? 'false'})`);
  return [
    sql`drop policy if exists tenantctl_guard on ${ident(schema, table)}`,
    sql`create policy tenantctl_guard on ${ident(schema, table)} as restrictive for all to ${ident(tenancy.appRole)}, ${ident(owner)}
      using (${condition}) with check (${condition})`,
  ];
}
