import { setTimeout as pause } from 'node:timers/promises';
import { beforeAll, describe, expect, it } from 'vitest';
import { query, useServer } from '../support/server.js';
import { SEED, numbersFrom } from './random.js';
import { RunFleet, pauseOf } from './run-fleet.js';

const UNITS = 20;
const ROUNDS = 12;
const random = numbersFrom(SEED);

const KINDS = ['in a transaction', 'that builds an index concurrently', 'in batches'] as const;
type Kind = (typeof KINDS)[number];

interface Round {
  kind: Kind;
  /** When the migration and the attempts to finish it are killed, as parts of the time that such a run takes. */
  moments: number[];
}

/** Each round has a part of the run of its own for the first kill, so that no part is left out. */
const rounds = Array.from({ length: ROUNDS }, (_, index): Round => {
  const first = (Math.floor(index / KINDS.length) + random()) / (ROUNDS / KINDS.length);
  const again = random() < 0.5 ? [random()] : [];
  return { kind: KINDS[index % KINDS.length] as Kind, moments: [first, ...again] };
});

const server = useServer();
let fleet: RunFleet;
const takes = new Map<Kind, number>();
/** How many units had the migration when it was killed. */
const reached: number[] = [];

const ADD: Record<Kind, () => number> = {
  'in a transaction': () => fleet.add(`select ${pauseOf(0.2)};`),
  'that builds an index concurrently': () => fleet.addIndex(),
  'in batches': () => fleet.addBatches(),
};

beforeAll(async () => {
  fleet = await RunFleet.make(server.current, { schemas: UNITS }, { rollout: { concurrency: 4 } });
  for (const kind of KINDS) {
    ADD[kind]();
    const began = performance.now();
    await fleet.report(0, 'migrate');
    takes.set(kind, performance.now() - began);
  }
});

describe(`a run that is killed at any moment (KILL_SEED=${SEED})`, () => {
  it.each(rounds)(
    'is finished by `runs resume`: a migration $kind, at $moments',
    async ({ kind, moments }) => {
      const step = ADD[kind]();
      for (const moment of moments) await killedAfter(moment * (takes.get(kind) ?? 0));
      reached.push(await fleet.countOf(step));
      await fleet.report(0, ...(await fleet.command()));
      await fleet.hasEachStepOnce(step);
      expect(await indexesOf(step)).toEqual(kind === KINDS[1] ? [{ valid: true, units: UNITS }] : []);
    },
  );

  it('was killed in the middle of its units more than once', () => {
    const middle = reached.filter((units) => units > 0 && units < UNITS);
    expect(middle.length, `of ${UNITS} units had it: ${reached.join(', ')}`).toBeGreaterThan(1);
  });
});

async function killedAfter(ms: number): Promise<void> {
  const running = fleet.project.launch(...(await fleet.command()));
  await pause(ms);
  running.kill();
  const { code, signal } = await running.ended;
  // It may have been faster.
  expect(signal ?? code).toBeOneOf(['SIGKILL', 0]);
}

function indexesOf(step: number): Promise<{ valid: boolean; units: number }[]> {
  return query(
    fleet.sharedUrl,
    `select i.indisvalid as valid, count(*)::int as units
       from pg_index i join pg_class c on c.oid = i.indexrelid where c.relname like 'i${step}%' group by 1`,
  );
}
