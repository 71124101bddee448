import type { Finding } from '../../core/finding.js';
import { isDatabaseError } from '../../pg/errors.js';
import { ident } from '../../pg/sql.js';
import { type Crossings, crossedByChange } from './changes.js';
import { type Coverage, objectCoverage } from './coverage.js';
import { definerFunctionShowsRows } from './probes/definer-function-shows-rows.js';
import { asksLoginFinding, reachesOutFinding } from './not-inspected.js';
import { type Scene, inFreshSession, placeOf } from './scene.js';
import { type DefinerFunction, readDefinerFunctions } from './specimen/other-objects.js';

/** Calls the functions that run with the rights of their owner, where a call can do no harm. */
export async function probeFunctions(scene: Scene): Promise<{ findings: Finding[]; coverage: Coverage }> {
  const functions = await scene.fleet
    .connections(scene.cluster)
    .use(scene.database, (session) => readDefinerFunctions(session, scene.role, scene.reach));
  const closed = functions.flatMap((one) => closedTo(scene, one) ?? []);
  const harmless = functions.filter((one) => one.reason === null && closedTo(scene, one) === null);
  const seen = harmless.length === 0 ? [] : await callAll(scene, harmless);
  const crossed = harmless.filter((_, n) => typeof seen[n] !== 'string' && seen[n]?.length !== 0);
  const silent = harmless.map(({ name }, n) => ({ name, reason: seen[n] }));
  const gaps = [
    ...[...functions, ...silent].flatMap(({ name, reason }) =>
      typeof reason === 'string' ? [{ where: placeOf(scene, name), reason }] : [],
    ),
    ...closed.map(({ where, facts }) => ({ where, reason: String(facts['reason']) })),
  ];
  return {
    findings: [...crossed.map((one) => findingOf(scene, one)), ...closed],
    coverage: objectCoverage(functions.length, functions.length - gaps.length, gaps),
  };
}

/** Why a function that could be called is not, as a finding. */
function closedTo(scene: Scene, { name, reason, reachesOut, asksLogin }: DefinerFunction): Finding | null {
  const where = placeOf(scene, name);
  if (reason !== null) return null;
  if (reachesOut !== null) return reachesOutFinding(where, reachesOut);
  return asksLogin === null ? null : asksLoginFinding(where, asksLogin);
}

/** A function may read any table, so both tenants get a row in each. */
async function callAll(scene: Scene, functions: readonly DefinerFunction[]): Promise<Crossings[]> {
  const calls = functions.map(({ call }) => call);
  try {
    return await inFreshSession(scene, (session) =>
      crossedByChange(session, scene, calls, [...scene.owned.tables]),
    );
  } catch (error) {
    if (!isDatabaseError(error)) throw error;
    return functions.map(() => error.message);
  }
}

function findingOf(scene: Scene, { name }: DefinerFunction): Finding {
  const role = ident(scene.role).text();
  return {
    rule: definerFunctionShowsRows.name,
    level: definerFunctionShowsRows.level,
    where: placeOf(scene, name),
    message: `Function ${name} answers one tenant with what another has: its answer changed when only the other one got rows.`,
    hint: definerFunctionShowsRows.remedy,
    facts: {
      commands: ['SELECT'],
      contexts: ['the context of another tenant'],
      sql: [
        `alter function ${name} security invoker`,
        `revoke execute on function ${name} from ${role}, public`,
      ],
    },
  };
}
