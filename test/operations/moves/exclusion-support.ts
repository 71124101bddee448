import { execFileSync } from 'node:child_process';
import { open } from 'node:fs/promises';
import path from 'node:path';
import type { FleetEvent } from '../../../src/core/events.js';
import type { MoveReport } from '../../../src/core/move.js';
import type { RunReport } from '../../../src/core/report.js';
import { parseSelectors } from '../../../src/core/selector.js';
import { Fleet } from '../../../src/engine/context.js';
import { type MigrateRequest, migrate } from '../../../src/operations/migrate.js';
import type { PromoteRequest } from '../../../src/operations/moves/promote.js';
import { routeTenant } from '../../../src/operations/route.js';
import { withClient } from '../../support/server.js';
import { directoryOf, writeFiles } from '../../engine/ledger/directory.js';
import type { MovingFleet } from './fleet.js';

/** Adds the next migration, and its way back where it has one. */
export function addMigration({ settings }: MovingFleet, id: number, up: string, down?: string): void {
  const name = `${String(id).padStart(4, '0')}_step.sql`;
  writeFiles(settings.migrations.directory, {
    [name]: up,
    ...(down === undefined ? {} : { [`down/${name}`]: down }),
  });
}

export async function runMigrations(
  { fleet }: MovingFleet,
  request: Partial<MigrateRequest> & { selectors?: string[]; by?: Fleet } = {},
): Promise<RunReport> {
  const { selectors = [], by = fleet, ...given } = request;
  const done = await migrate(by, {
    select: parseSelectors(selectors),
    allowEmpty: false,
    dryRun: false,
    ...given,
  });
  if ('plan' in done) throw new Error('it was a dry run');
  return done;
}

/** The same fleet in another process, with its own interruption and ear. */
export function processOf(
  { fleet, settings }: MovingFleet,
  options: { signal?: AbortSignal; onEvent?: (event: FleetEvent) => void } = {},
): Fleet {
  const { signal = fleet.options.signal, onEvent } = options;
  return new Fleet(settings, { ...fleet.options, signal, emit: onEvent ?? fleet.options.emit });
}

/** A move that holds both its units: it stands before its cut-over, at a hook that reads from a pipe. */
export async function standingMove(fleet: MovingFleet, request: PromoteRequest) {
  const pipe = path.join(directoryOf({}), 'pipe');
  execFileSync('mkfifo', [pipe]);
  const { settings } = fleet;
  const hooks = { ...settings.hooks, beforeCutover: [['cat', pipe]], timeoutMs: 120_000 };
  const mover = new Fleet({ ...settings, hooks }, fleet.fleet.options);
  const moving: Promise<MoveReport> = fleet.promote({ method: 'online', ...request }, mover);
  // Opening a pipe for writing waits for its reader: the hook, or this when the move has ended without one.
  const unblock = async (): Promise<void> => (await open(pipe, 'r+')).close();
  void moving.then(unblock, unblock);
  const end = await open(pipe, 'w');
  return {
    async letGo(): Promise<MoveReport> {
      await end.close();
      return moving.finally(() => mover.close());
    },
  };
}

/** An application that writes to table badge all the time, wherever its tenant lives. */
export function startBadges({ fleet, application }: MovingFleet, id: string) {
  const acked = new Set<number>();
  let stopping = false;
  const work = async (): Promise<void> => {
    for (let next = -1; !stopping;) {
      const to = await routeTenant(fleet, id);
      await withClient(application.url(to.database), async (client) => {
        while (!stopping) {
          await client.query('begin');
          for (const [name, value] of Object.entries({ ...to.settings, role: to.role }))
            await client.query('select set_config($1, $2, true)', [name, value]);
          await client.query('insert into badge (id, label) values ($1, $2)', [next, 'while it moves']);
          await client.query('commit');
          acked.add(next);
          next -= 1;
        }
      }).catch(() => undefined);
      next -= 1;
    }
  };
  const working = work();
  return {
    /** @returns the ids of acknowledged rows, all of them negative */
    async stop(): Promise<number[]> {
      stopping = true;
      await working;
      return [...acked].toSorted((a, b) => a - b);
    },
  };
}
