import pLimit from 'p-limit';
import { groupBy } from '../../core/group-by.js';
import { type Finding, worstFirst } from '../../core/finding.js';
import type { Fleet } from '../../engine/context.js';
import type { OwnHome } from '../../engine/isolation/catalog-rule.js';
import { type Coverage, noCoverage, together } from '../../engine/isolation/coverage.js';
import { notInspected } from '../../engine/isolation/not-inspected.js';
import { faultOf } from '../fault.js';
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
 * be looked into is a finding.
 */
export async function checkIsolation(fleet: Fleet): Promise<IsolationCheck> {
  const { databases, homes } = await readPlaces(fleet);
  const clusters = [...groupBy(databases, ({ cluster }) => cluster)];
  const lanes = pLimit(CLUSTERS_AT_ONCE);
  const checked = await Promise.all(
    clusters.map(([cluster, there]) =>
      lanes(() => checkCluster(fleet, cluster, there, homes.get(cluster) ?? [])),
    ),
  );
  return {
    findings: worstFirst(checked.flatMap(({ findings }) => findings)),
    coverage: together(checked.map(({ coverage }) => coverage)),
  };
}

async function checkCluster(
  fleet: Fleet,
  cluster: string,
  databases: readonly DatabasePlace[],
  homes: readonly OwnHome[],
): Promise<IsolationCheck> {
  const whole = await looked(cluster, () => readCluster(fleet, cluster, homes));
  const lanes = pLimit(DATABASES_AT_ONCE);
  const inside = await Promise.all(databases.map((place) => lanes(() => checkDatabase(fleet, place))));
  return {
    findings: [...whole, ...inside.flatMap(({ findings }) => findings)],
    coverage: together(inside.map(({ coverage }) => coverage)),
  };
}

async function checkDatabase(fleet: Fleet, place: DatabasePlace): Promise<IsolationCheck> {
  const { cluster, database, units } = place;
  const read = await looked(`${cluster}/${database}`, () => readDatabase(fleet, place));
  const probed = await probeSafely({ fleet, cluster, database, units });
  // A database that is away is away for the rules and for the probes, and is told once.
  const told = new Set(read.map(({ message }) => message));
  const found = probed.findings.filter(
    ({ rule, message }) => rule !== notInspected.name || !told.has(message),
  );
  return { findings: [...read, ...found], coverage: probed.coverage };
}

async function probeSafely(context: Parameters<typeof probeDatabase>[0]): Promise<IsolationCheck> {
  let coverage = noCoverage();
  const findings = await looked(`${context.cluster}/${context.database}`, async () => {
    const probed = await probeDatabase(context);
    coverage = probed.coverage;
    return probed.findings;
  });
  return { findings, coverage };
}

/** What cannot be looked into is told as a finding, and the rest of the fleet is looked at. */
async function looked(where: string, look: () => Promise<Finding[]>): Promise<Finding[]> {
  try {
    return await look();
  } catch (error) {
    const { code, message } = faultOf(error);
    // Whoever cancels the check has not found that a place cannot be looked into.
    if (code === 'STATEMENTS_CANCELLED') throw error;
    return [
      {
        rule: notInspected.name,
        level: notInspected.level,
        where,
        message: `it could not be looked into: ${message}`,
        hint: notInspected.remedy,
        facts: { code },
      },
    ];
  }
}
