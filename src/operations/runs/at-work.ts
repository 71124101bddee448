import pLimit from 'p-limit';
import { formatDuration } from '../../core/duration.js';
import { groupBy } from '../../core/group-by.js';
import { type UnitRecord, listUnits } from '../../engine/catalog/units.js';
import type { StoredUnit } from '../../engine/catalog/run-units.js';
import type { Fleet } from '../../engine/context.js';
import { type Blocker, blockersUnderLock, describeBlocker } from '../../pg/blockers.js';
import type { Connection } from '../../pg/connection.js';

const DATABASES_AT_A_TIME = 8;

/**
 * What the units at work are doing, each in half a sentence: `running for 12.0 s: waits for a lock, blocked by pid
 * 812 …`. Their servers are asked now; one that cannot be asked leaves what the driving process has noted.
 */
export async function sentencesAtWork(
  fleet: Fleet,
  connection: Connection,
  units: readonly StoredUnit[],
): Promise<Map<string, string>> {
  const atWork = units.filter(({ status }) => status === 'running');
  if (atWork.length === 0) return new Map();
  const wanted = new Set(atWork.map(({ unit }) => unit));
  const records = (await listUnits(connection, [])).filter(({ id }) => wanted.has(id));
  const blocked = await blockersOfUnits(fleet, records);
  return new Map(atWork.map((unit) => [unit.unit, sentence(unit, blocked.get(unit.unit) ?? [])]));
}

function sentence({ runningMs, reason }: StoredUnit, blockers: readonly Blocker[]): string {
  const since = runningMs === null ? 'running' : `running for ${formatDuration(runningMs)}`;
  if (blockers.length > 0)
    return `${since}: waits for a lock, blocked by ${blockers.map(describeBlocker).join(', ')}`;
  return reason === null ? since : `${since}: ${reason}`;
}

async function blockersOfUnits(
  fleet: Fleet,
  units: readonly UnitRecord[],
): Promise<Map<string, readonly Blocker[]>> {
  const lane = pLimit(DATABASES_AT_A_TIME);
  const databases = groupBy(units, ({ cluster, database }) => `${cluster}\n${database}`).values();
  const found = await Promise.all([...databases].map((some) => lane(() => blockersIn(fleet, some))));
  return new Map(found.flat());
}

/** An answer is worth having, and none is no reason to explain nothing: the server may be what the run waits for. */
async function blockersIn(fleet: Fleet, units: UnitRecord[]): Promise<[string, readonly Blocker[]][]> {
  const { cluster, database } = units[0] as UnitRecord;
  try {
    const keys = units.map(({ ledgerKey }) => ledgerKey);
    const blocked = await fleet
      .connections(cluster)
      .use(database, (connection) => blockersUnderLock(connection, 'unit', keys));
    return units.map(({ id, ledgerKey }) => [id, blocked.get(ledgerKey) ?? []]);
  } catch {
    return [];
  }
}
