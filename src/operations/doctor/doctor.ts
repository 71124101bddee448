import pLimit from 'p-limit';
import { isTenantctlError } from '../../core/errors.js';
import { type Finding, worstFirst } from '../../core/finding.js';
import { auditInsert } from '../../engine/catalog/audit.js';
import type { Fleet } from '../../engine/context.js';
import { faultOf } from '../fault.js';
import { isStopping, stopIfAsked } from '../stopping.js';
import { Tally } from '../tally.js';
import { audited } from './audited.js';
import { inspectCluster } from './clusters.js';
import { halfProvisioned } from './half-provisioned.js';
import { owedHooks } from './owed-hooks.js';
import { mendingOf } from './registry.js';
import type { CatalogRule, DoctorFinding } from './rule.js';
import { settled } from './settled.js';
import { stuckMoves } from './stuck-moves.js';
import { stuckOffboardings } from './stuck-offboardings.js';
import { stuckRuns } from './stuck-runs.js';
import { unknownPlaces } from './unknown-places.js';

export interface Diagnosis {
  /** What is left to do, errors first. */
  findings: Finding[];
  /** What was mended now. */
  fixed: Finding[];
  /** What `--fix` would do, step by step: with a dry run of it. */
  plan?: string[];
  /** Findings that `--fix` would have mended, had nobody ended it before. */
  left?: number;
}

const CATALOG_RULES: readonly CatalogRule[] = [
  unknownPlaces,
  halfProvisioned,
  owedHooks,
  stuckRuns,
  stuckMoves,
  stuckOffboardings,
  audited,
];

/** Clusters are looked at side by side. */
const CLUSTERS_AT_ONCE = 4;

/**
 * Looks over catalog, clusters and databases for what crashes, restored backups and people have left. What cannot be
 * reached is a finding as well.
 * @param options.fix mends what can be mended without removing a row of anybody's; each is in the audit log
 * @throws connection error (exit 4) when the catalog is away · `LOOK_STOPPED` (exit 130) once somebody wants it to end and
 *   nothing is mended yet; later the findings come with how many of them are left to mend
 */
export async function diagnose(
  fleet: Fleet,
  options: { fix: boolean; dryRun: boolean },
  tally = new Tally(),
): Promise<Diagnosis> {
  const diagnosis: Diagnosis = { findings: [], fixed: [] };
  const all = await findAll(fleet, tally);
  stopIfAsked(fleet);
  const mendable = all.filter(({ mend: way }) => way !== undefined);
  if (options.fix && options.dryRun) diagnosis.plan = mendable.map(step);
  for (const finding of all) {
    if (!options.fix || options.dryRun || finding.mend === undefined) diagnosis.findings.push(shown(finding));
    else if (isStopping(fleet)) {
      diagnosis.left = (diagnosis.left ?? 0) + 1;
      diagnosis.findings.push(shown(finding));
    } else await mend(fleet, finding, finding.mend, diagnosis);
  }
  return diagnosis;
}

async function findAll(fleet: Fleet, tally: Tally): Promise<DoctorFinding[]> {
  const lanes = pLimit(CLUSTERS_AT_ONCE);
  const catalog = await Promise.all(CATALOG_RULES.map((rule) => settled(fleet, () => rule(fleet))));
  const clusters = Object.keys(fleet.settings.clusters).map((name) =>
    lanes(() => inspectCluster(fleet, name, tally)),
  );
  const findings = [...catalog.flat(), ...(await Promise.all(clusters)).flat()];
  return worstFirst(findings);
}

function step({ rule, where }: DoctorFinding): string {
  return `${where}: ${mendingOf(rule)} (${rule})`;
}

/** What cannot be mended stays a finding, with the reason. */
async function mend(
  fleet: Fleet,
  finding: DoctorFinding,
  work: () => Promise<void>,
  { findings, fixed }: Diagnosis,
): Promise<void> {
  const { rule, where, facts } = finding;
  const entry = { action: 'doctor.fix', ...tenantOf(facts), details: { rule, where } };
  const note = (phase: 'intent' | 'done' | 'failed') =>
    fleet.catalog((connection) => connection.atomically([auditInsert(fleet.actor, { ...entry, phase })]));
  await note('intent');
  try {
    await work();
    await note('done');
    fixed.push(shown(finding));
  } catch (error) {
    await note('failed');
    const message = `${finding.message}; it could not be mended: ${faultOf(error).message}`;
    const hint = (isTenantctlError(error) && error.hint) || IN_ITS_WAY;
    findings.push({ ...shown(finding), message, hint });
  }
}

const IN_ITS_WAY = 'Mend what stood in its way, and run `tenantctl doctor --fix` again.';

function tenantOf({ tenant }: Finding['facts']): { tenant?: string } {
  return typeof tenant === 'string' ? { tenant } : {};
}

function shown({ mend: way, ...finding }: DoctorFinding): Finding {
  return { ...finding, facts: { ...finding.facts, fixable: way !== undefined } };
}
