import pLimit from 'p-limit';
import { groupBy } from '../../core/group-by.js';
import { type Finding, worstFirst } from '../../core/finding.js';
import type { Fleet } from '../../engine/context.js';
import type { OwnHome } from '../../engine/isolation/catalog-rule.js';
import { type Coverage, noCoverage, objectCoverage, together } from '../../engine/isolation/coverage.js';
import { notInspected } from '../../engine/isolation/not-inspected.js';
import { faultOf } from '../fault.js';
import { isSilent, notReached } from '../not-reached.js';
import { stopIfAsked } from '../stopping.js';
import { Tally } from '../tally.js';
import { type DatabasePlace, readPlaces } from './isolation-places.js';
import { probeDatabase } from './isolation-probes.js';
import { readCluster, readDatabase } from './isolation-rules.js';

/** What `check isolation` gives. */
export interface IsolationCheck {
  /** Errors first. */
  findings: Finding[];
  /** Of all pairs of table, command and role, how many were tried for real, and how many were not, with the reason. */
  coverage: Coverage;
}

/** Clusters, and databases of one cluster, that are looked at side by side. */
const CLUSTERS_AT_ONCE = 4;
const DATABASES_AT_ONCE = 4;

/**
 * Tries to cross from one tenant to another, everywhere, and reads the catalogs for what would allow it. The rules read
 * in transactions that cannot write, the probes roll back what they write: the fleet stays as it is. A place that cannot
 * be looked into is a finding, and counts as not probed.
 * @throws connection error (exit 4) when the catalog is away · `LOOK_STOPPED` (exit 130) once somebody wants it to end
 */
export async function checkIsolation(fleet: Fleet, tally = new Tally()): Promise<IsolationCheck> {
  const { databases, homes } = await readPlaces(fleet);
  tally.databases += databases.length;
  const clusters = [...groupBy(databases, ({ cluster }) => cluster)];
  const lanes = pLimit(CLUSTERS_AT_ONCE);
  const checked = await Promise.all(
    clusters.map(([cluster, there]) =>
      lanes(() => checkCluster(fleet, cluster, there, homes.get(cluster) ?? [], tally)),
    ),
  );
  return joined(checked);
}

async function checkCluster(
  fleet: Fleet,
  cluster: string,
  databases: readonly DatabasePlace[],
  homes: readonly OwnHome[],
  tally: Tally,
): Promise<IsolationCheck> {
  const whole = await looked(fleet, cluster, () => readCluster(fleet, cluster, homes));
  if (whole.silent) return silentCluster(whole, databases, tally);
  const lanes = pLimit(DATABASES_AT_ONCE);
  const inside = await Promise.all(
    databases.map((place) =>
      lanes(async () => {
        const checked = await checkDatabase(fleet, place);
        tally.looked += 1;
        return checked;
      }),
    ),
  );
  return joined([{ findings: whole.findings, coverage: noCoverage() }, ...inside]);
}

/** Where nobody answers, no database is asked for; the one finding names them all. */
function silentCluster(
  { findings }: Looked,
  databases: readonly DatabasePlace[],
  tally: Tally,
): IsolationCheck {
  tally.looked += databases.length;
  const names = databases.map(({ database }) => database);
  const told = findings.map((finding) => ({ ...finding, facts: { ...finding.facts, databases: names } }));
  return { findings: told, coverage: together(databases.map((place) => notProbed(place, findings))) };
}

async function checkDatabase(fleet: Fleet, place: DatabasePlace): Promise<IsolationCheck> {
  const { cluster, database } = place;
  const where = `${cluster}/${database}`;
  const read = await looked(fleet, where, () => readDatabase(fleet, place));
  let coverage: Coverage | undefined;
  const probed = await looked(fleet, where, async () => {
    const seen = await probeDatabase({ fleet, ...place });
    coverage = seen.coverage;
    return seen.findings;
  });
  // A database that is away is away for the rules and for the probes, and is told once.
  const told = new Set(read.findings.map(({ message }) => message));
  const news = probed.findings.filter(
    ({ rule, message }) => rule !== notInspected.name || !told.has(message),
  );
  const findings = [...read.findings, ...news];
  return { findings, coverage: coverage ?? notProbed(place, probed.findings) };
}

/** All that is in a database that could not be looked into. */
function notProbed({ cluster, database, units }: DatabasePlace, findings: readonly Finding[]): Coverage {
  const reason = findings[0]?.message ?? 'it could not be looked into';
  return objectCoverage(units.length, 0, [{ where: `${cluster}/${database}`, reason }]);
}

function joined(parts: readonly IsolationCheck[]): IsolationCheck {
  return {
    findings: worstFirst(parts.flatMap(({ findings }) => findings)),
    coverage: together(parts.map(({ coverage }) => coverage)),
  };
}

interface Looked {
  findings: Finding[];
  /** Did nobody answer at all? */
  silent: boolean;
}

/** What cannot be looked into is told as a finding, and the rest of the fleet is looked at. */
async function looked(fleet: Fleet, where: string, look: () => Promise<Finding[]>): Promise<Looked> {
  stopIfAsked(fleet);
  try {
    return { findings: await look(), silent: false };
  } catch (error) {
    stopIfAsked(fleet);
    const finding: Finding = {
      rule: notInspected.name,
      level: notInspected.level,
      where,
      message: `it could not be looked into: ${faultOf(error).message}`,
      hint: notInspected.remedy,
      facts: notReached(error),
    };
    return { findings: [finding], silent: isSilent(error) };
  }
}
