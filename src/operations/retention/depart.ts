import { isTenantctlError, partialError } from '../../core/errors.js';
import {
  type StoredOffboarding,
  offboardingStep,
  requireOffboarding,
} from '../../engine/catalog/offboardings.js';
import type { Fleet } from '../../engine/context.js';
import { namesLeft } from '../../engine/retention/names.js';
import type { Budget } from './budget.js';
import { certify } from './certify.js';
import { catalogTime } from './clock.js';
import { type Departure, openDeparture } from './departure.js';
import { type Survey, surveyHome } from './survey.js';
import { type Evidence, noteGone, rowsIn } from './evidence.js';
import { type FleetLook, assertSeen, lookFor, lookOver, rowsOf } from './look.js';
import { beginPurge, keep, purgeHome } from './purge.js';
import { type RetentionResult, failureOf } from './result.js';

/** A deletion at work, with what is known of it. */
interface Deletion {
  departure: Departure;
  evidence: Evidence;
}

/**
 * Deletes tenants of one cluster: looks over the cluster once before and once after, for all of them. What fails for
 * one of them stops no other.
 */
export async function departTogether(
  fleet: Fleet,
  offboardings: readonly StoredOffboarding[],
  budget: Budget,
  result: RetentionResult,
): Promise<void> {
  const deletions = await begin(fleet, offboardings, result);
  const purged = await eachOf(deletions, result, budget, ({ departure, evidence }) =>
    departure.offboarding.state === 'purged' ? Promise.resolve() : purge(fleet, departure, evidence, budget),
  );
  const looking = purged.filter(({ departure }) => departure.offboarding.state === 'purging');
  if (looking.length > 0) {
    const look = await lookOver(
      fleet,
      looking.map(({ departure }) => departure),
      await catalogTime(fleet),
    );
    for (const deletion of await eachOf(looking, result, null, (one) => conclude(fleet, one, look)))
      deletion.departure.offboarding.state = 'purged';
  }
  const proved = purged.filter(({ departure }) => departure.offboarding.state === 'purged');
  await eachOf(proved, result, null, async ({ departure, evidence }) => {
    result.deleted.push(await certify(fleet, departure, evidence));
  });
}

/** Deletions that go on, and those that may begin, once a look has seen everything that they will delete. */
async function begin(
  fleet: Fleet,
  offboardings: readonly StoredOffboarding[],
  result: RetentionResult,
): Promise<Deletion[]> {
  const going: Deletion[] = [];
  const surveyed: { departure: Departure; survey: Survey }[] = [];
  const holdCheckedAt = await catalogTime(fleet);
  await eachOf(offboardings.map(asDeparting), result, null, async ({ departure: { offboarding } }) => {
    // Another process may have been at it since the list was read.
    const stored = await fleet.catalog((connection) =>
      requireOffboarding(connection, offboarding.offboarding),
    );
    if (stored.finishedAt !== null) throw goneMeanwhile(stored);
    const departure = await openDeparture(fleet, stored);
    const evidence = stored.progress['evidence'] as Evidence | undefined;
    if (evidence !== undefined) going.push({ departure, evidence });
    else surveyed.push({ departure, survey: await surveyHome(fleet, departure) });
  });
  if (surveyed.length === 0) return going;
  const look = await lookOver(
    fleet,
    surveyed.map(({ departure }) => departure),
    await catalogTime(fleet),
  );
  await eachOf(surveyed, result, null, ({ departure, survey }) => {
    assertSeen(look, departure, survey);
    going.push({ departure, evidence: evidenceOf(departure, survey, look, holdCheckedAt) });
    return Promise.resolve();
  });
  return going;
}

const asDeparting = (offboarding: StoredOffboarding) => ({ departure: { offboarding } });

function evidenceOf(
  departure: Departure,
  { objects, expected }: Survey,
  look: FleetLook,
  holdCheckedAt: string,
): Evidence {
  const rows = [...expected.values()].reduce((sum, n) => sum + n, 0);
  const control = { ...lookFor(look, departure), expected: rows };
  return { holdCheckedAt, begunAt: look.at, endedAt: null, objects, control, rescan: null };
}

async function purge(fleet: Fleet, departure: Departure, evidence: Evidence, budget: Budget): Promise<void> {
  const { tenant } = departure.offboarding;
  budget.assertLeft();
  // Not before its turn: until then it can be brought back whole.
  if (departure.offboarding.state === 'scheduled') {
    evidence.begunAt = await catalogTime(fleet);
    await beginPurge(fleet, departure, evidence);
    departure.offboarding.state = 'purging';
  }
  fleet.emit({ type: 'tenant.step', tenant, text: 'deletes what is left in its home' });
  await purgeHome(fleet, departure, evidence, budget);
  if (!departure.side.shared) budget.take(rowsIn(evidence.objects));
  evidence.endedAt = await catalogTime(fleet);
  await keep(fleet, departure.offboarding.offboarding, evidence);
}

/** @throws partial error `ROWS_LEFT` (exit 7): the deletion is not called one, and is gone on with by the next call */
async function conclude(fleet: Fleet, { departure, evidence }: Deletion, look: FleetLook): Promise<void> {
  const { home, offboarding } = departure;
  const left = [
    ...rowsOf(look.scans, home.tenant.key).map(
      ({ cluster, database, schema, table, rows }) =>
        `${rows} rows in ${schema}.${table} of database ${database} on cluster ${cluster}`,
    ),
    ...(await stillNamed(fleet, departure)),
  ];
  if (left.length > 0) throw rowsLeft(home.tenant.id, left);
  evidence.rescan = lookFor(look, departure);
  noteGone(evidence);
  fleet.reach('retention.rescanned');
  await fleet.catalog((connection) =>
    connection.execute(offboardingStep(offboarding.offboarding, 'purged', { progress: { evidence } })),
  );
  fleet.reach('retention.purged');
}

async function stillNamed(fleet: Fleet, { driver, home: { placement } }: Departure): Promise<string[]> {
  const { drops } = driver.facts;
  if (drops === 'rows') return [];
  const connections = fleet.connections(placement.cluster);
  const database = drops === 'schema' ? placement.database : connections.maintenanceDatabase;
  return connections.use(database, (session) => namesLeft(session, placement, drops));
}

/** Does one thing for each, in order; what fails for one is noted, and the others go on. */
async function eachOf<T extends { departure: { offboarding: StoredOffboarding } }>(
  list: readonly T[],
  result: RetentionResult,
  budget: Budget | null,
  work: (one: T) => Promise<void>,
): Promise<T[]> {
  const done: T[] = [];
  for (const one of list) {
    const { tenant } = one.departure.offboarding;
    try {
      await work(one);
      done.push(one);
    } catch (error) {
      if (budget?.spent === true && isTenantctlError(error) && error.code === 'BUDGET_SPENT')
        result.left.push(tenant);
      else if (isTenantctlError(error) && error.code === 'TENANT_ON_HOLD')
        result.skipped.push({ tenant, code: error.code, reason: error.message });
      else result.failed.push(failureOf(tenant, error));
    }
  }
  return done;
}

function goneMeanwhile({ tenant, state }: StoredOffboarding) {
  return partialError('OFFBOARDING_OVER', `The offboarding of tenant ${tenant} is ${state} by now.`, {
    hint: '`tenantctl retention list` shows what is left.',
    facts: { tenant, state },
  });
}

function rowsLeft(id: string, left: readonly string[]) {
  return partialError(
    'ROWS_LEFT',
    `Tenant ${id} is not called deleted, because a second look found ${left.slice(0, 5).join('; ')}.`,
    {
      hint: 'Something wrote them meanwhile, or a home came back. Remove the cause and run the same command again.',
      facts: { tenant: id, left },
    },
  );
}
