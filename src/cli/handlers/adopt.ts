import { type TenantctlError, partialError, usageError } from '../../core/errors.js';
import { adopt } from '../../operations/adopt/adopt.js';
import { type Discovery, discover } from '../../operations/adopt/discover.js';
import type { AdoptReport } from '../../operations/adopt/report.js';
import { adoptText, discoveredText } from '../../render/adopt-text.js';
import { counted } from '../../core/counted.js';
import { listCsv, listedUnit } from '../adopt-list.js';
import type { Call, Outcome } from '../command.js';
import type { adopt as declaration } from '../commands/adopt.js';
import { given } from '../given.js';
import { flagOf } from '../option.js';
import { reportFile } from '../report-file.js';
import { readAdoptRows } from '../rows/adopt-request.js';

type AdoptCall = Call<typeof declaration>;

/** Lists what is there, or takes a list in. */
export default async function handle(call: AdoptCall): Promise<Outcome> {
  const { discover: lists, from } = call.options;
  if (lists && from !== undefined) throw usage('--discover and --from exclude each other.');
  if (lists) {
    refuse(call, '--from', ['ledger', 'dualWrite', 'accept']);
    return discoverFleet(call);
  }
  if (from === undefined)
    throw usage('--discover or --from is needed: shall it list what is there, or take a list in?');
  refuse(call, '--discover', ['schemas', 'databases', 'sql', 'out']);
  return adoptFleet(call, from);
}

function refuse({ options }: AdoptCall, side: string, names: readonly (keyof AdoptCall['options'])[]): void {
  const wrong = names.find((name) => {
    const value = options[name];
    return Array.isArray(value) ? value.length > 0 : value !== undefined && value !== false;
  });
  if (wrong !== undefined) throw usage(`${flagOf(wrong)} goes with ${side} only.`);
}

async function discoverFleet({ options, fleet, io }: AdoptCall): Promise<Outcome> {
  const { out, schemas = null, databases = null, sql = null } = options;
  const file = out === undefined ? undefined : await reportFile('--out', out, io);
  const { units: found, problems } = await discover(fleet, { schemas, databases, sql });
  for (const { cluster, database, message } of problems) {
    const where = database === null ? `cluster ${cluster}` : `${cluster}/${database}`;
    fleet.emit({ type: 'notice', level: 'warning', code: 'NOT_DISCOVERED', message: `${where}: ${message}` });
  }
  const units = found.map(listedUnit);
  const csv = listCsv(units);
  await file?.write(csv);
  const summary = discoveredText(units, out);
  if (out === undefined) fleet.emit({ type: 'notice', level: 'info', code: 'DISCOVERED', message: summary });
  return {
    data: { units, problems },
    text: () => (out === undefined ? csv : summary),
    // A name that happens to be a password as well is still the name of that database.
    unredacted: true,
    ...given({ failure: incomplete(problems) }),
  };
}

function incomplete(problems: Discovery['problems']): TenantctlError | undefined {
  if (problems.length === 0) return undefined;
  return partialError(
    'DISCOVER_PARTIAL',
    `The list is not whole: there ${problems.length === 1 ? 'is 1 problem' : `are ${problems.length} problems`}.`,
    {
      hint: 'Each is named above with its place. What is listed is right as it is; the same command lists the rest once they are mended.',
      facts: { problems: problems.length },
    },
  );
}

async function adoptFleet({ options, fleet, io, signal }: AdoptCall, from: string): Promise<Outcome> {
  const { ledger = 'auto', dualWrite, accept, dryRun } = options;
  accept.forEach(checkShape);
  const rows = readAdoptRows(from, io, fleet.settings);
  const data = await adopt(fleet, rows, { ledger, dualWrite, accept, dryRun });
  return {
    data,
    text: (colors) => adoptText(data, { dryRun, from }, colors),
    ...given({
      failure: failureOf(data, from === '-' ? 'stdin' : from, { dryRun, stopped: signal.aborted }),
    }),
  };
}

function checkShape(shape: string): void {
  if (/^[0-9a-f]{4,}$/.test(shape)) return;
  throw usage(
    `--accept: ${JSON.stringify(shape)} is no shape: four or more of its hexadecimal digits are needed.`,
  );
}

function failureOf(
  { refused, problems }: AdoptReport,
  from: string,
  { dryRun, stopped }: { dryRun: boolean; stopped: boolean },
): TenantctlError | undefined {
  if (refused.length + problems.length === 0 && !stopped) return undefined;
  const parts = [
    ...(refused.length > 0 ? [`${counted(refused.length, 'unit')} refused`] : []),
    ...(problems.length > 0 ? [`${counted(problems.length, 'row')} of ${from} cannot be read`] : []),
    ...(stopped ? [`not every row of ${from} was looked at`] : []),
  ];
  const would = dryRun ? 'would be' : 'was';
  const kept = dryRun ? '.' : ': what was taken in stays as it is.';
  return partialError('ADOPT_PARTIAL', `Not everything ${would} taken in: ${parts.join(', ')}.`, {
    hint: `Each is named with its reason. Mend them and run the same command again${kept}`,
    facts: { refused: refused.length, problems: problems.length },
  });
}

function usage(message: string) {
  return usageError('ADOPT_USAGE', message, { hint: 'See tenantctl adopt --help.' });
}
