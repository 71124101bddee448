import * as z from 'zod';
import { timeOfDay, timeZone, weekdays } from './calendar.js';
import { command, flag, name, oneOf, selectors, text, wholeNumber } from './kinds.js';
import { duration, percent, timeout } from './quantities.js';
import { setting, typed } from './setting.js';

const check = z
  .strictObject({
    sql: setting(text().optional(), 'Query run in the unit; its first value must be true.'),
    command: setting(command().optional(), 'Program that must exit 0; `{tenant}` stands for the id.'),
  })
  .refine(
    (value) => (value.sql === undefined) !== (value.command === undefined),
    'must have either `sql` or `command`',
  );

const wave = z.strictObject({
  name: setting(name(), 'Name of the wave.'),
  select: setting(selectors().optional(), 'Units of this wave; default: whatever is left.'),
  max: setting(wholeNumber(1, 1_000_000).optional(), 'At most this many units.'),
  percent: setting(percent({ zero: false }).optional(), 'At most this share of all units.'),
  bake: setting(duration().optional(), 'How long to wait and watch before the next wave.'),
  approve: setting(flag().default(false), 'Whether a person must approve the next wave.'),
  checks: setting(typed(z.array(check).default([]), 'a list of checks'), 'What must hold after the wave.'),
});

const window = z.strictObject({
  days: setting(weekdays(), 'Days on which units may be started.'),
  from: setting(timeOfDay(), 'Start of the window.'),
  to: setting(timeOfDay(), 'End of the window; before `from` it is on the next day.'),
  zone: setting(timeZone().default('UTC'), 'Time zone of the window.'),
});

export const rollout = setting(
  z
    .strictObject({
      order: setting(
        oneOf(['largest-first', 'smallest-first', 'name']).default('largest-first'),
        'Order inside a wave; the first of several waves is always smallest first.',
      ),
      concurrency: setting(wholeNumber(1, 1_000).default(8), 'Units at a time.'),
      lockTimeout: setting(
        timeout().prefault('2s'),
        'How long a statement waits for a lock before it is retried.',
      ),
      blockingTimeout: setting(
        timeout().prefault('5s'),
        'Longest statement that holds a lock which blocks readers or writers.',
      ),
      statementTimeout: setting(timeout().prefault('15m'), 'Longest statement of a migration.'),
      window: setting(window.optional(), 'When units may be started; default: always.'),
      retries: setting(
        wholeNumber(0, 1_000).default(5),
        'Tries after the first for a unit that was locked or cut off.',
      ),
      failureBudget: setting(
        z
          .strictObject({
            count: setting(
              wholeNumber(0, 1_000_000).optional(),
              'Failed units that a run bears before `onFailure`; default: 3, unless `percent` is given.',
            ),
            percent: setting(
              percent({ zero: true }).optional(),
              'The same as a share of the units; of both the one that is exceeded first. Default: 1%, unless `count` is given.',
            ),
            consecutive: setting(
              wholeNumber(1, 1_000_000).optional(),
              'Failures one after the other that stop a run; default: no such limit.',
            ),
          })
          .prefault({}),
        'How much may fail.',
      ),
      indexBuilds: setting(
        wholeNumber(1, 100).default(2),
        'Indexes that are built concurrently in one database at a time.',
      ),
      batchPause: setting(duration().prefault('0ms'), 'Pause between two batches of a batched migration.'),
      onFailure: setting(
        oneOf(['halt', 'continue', 'rollback']).default('halt'),
        'What happens when the budget is spent.',
      ),
      waves: setting(
        typed(z.array(wave).prefault([]), 'a list of waves'),
        'Steps of a run, in order; default: one wave of everything.',
      ),
      throttle: setting(
        z
          .strictObject({
            replicationLag: setting(timeout().optional(), 'Replication lag above which no unit is started.'),
            activeSessions: setting(
              percent({ zero: false }).optional(),
              "Share of the server's connections in use above which no unit is started.",
            ),
            sql: setting(
              text().optional(),
              'Query asked on each cluster; while its first value is false, no unit is started.',
            ),
          })
          .prefault({}),
        'When to go slower.',
      ),
    })
    .prefault({}),
  'How migrations reach the fleet.',
);
