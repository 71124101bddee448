import { isTenantctlError } from '../../core/errors.js';
import type { Finding } from '../../core/finding.js';
import { rulesOf } from '../../core/pool-rules.js';
import type { FleetSettings } from '../../core/settings.js';
import { TIERS } from '../../core/tier.js';
import type { MigrationFile } from '../../engine/formats/format.js';
import { readMigrationFiles } from '../../engine/formats/registry.js';
import { lintMigrations } from '../../engine/lint/lint.js';
import type { LintSettings } from '../../engine/lint/rule.js';
import { filesNotInOrder } from '../../engine/lint/rules/files-not-in-order.js';

/** What `check migrations` gives. */
export interface MigrationsCheck {
  findings: Finding[];
  /** Files that were read. */
  files: number;
}

/** The part of the configuration by which files are judged. */
export type LintedSettings = Pick<FleetSettings, 'migrations' | 'tenancy' | 'plans'> &
  Partial<Pick<FleetSettings, 'clusters'>>;

/**
 * Looks over the files of the migration directory; no database is asked.
 * @throws configuration error (exit 3): `MIGRATIONS_UNREADABLE`, or `MIGRATIONS_FORMAT` when nobody can tell how to
 *   read it. Whatever is wrong with the files themselves is a finding.
 */
export async function checkMigrations(settings: LintedSettings): Promise<MigrationsCheck> {
  try {
    const files = await readMigrationFiles(settings.migrations);
    return { findings: await lintMigrations(files, lintSettings(settings)), files: files.length };
  } catch (error) {
    if (!isTenantctlError(error) || error.code !== 'MIGRATIONS_INVALID') throw error;
    return { findings: outOfOrder(error.facts['problems'] as string[], settings), files: 0 };
  }
}

/** The findings of some of the files, judged by what all of them make. */
export function findingsOf(
  settings: LintedSettings,
  files: readonly MigrationFile[],
  wanted: ReadonlySet<number>,
): Promise<Finding[]> {
  return lintMigrations(files, lintSettings(settings), ({ id }) => wanted.has(id));
}

function lintSettings({ migrations, tenancy, plans, clusters = {} }: LintedSettings): LintSettings {
  const pools = Object.values(clusters).flatMap((cluster) => Object.values(cluster.pools));
  const [shared] = TIERS;
  const tiers = Object.values(plans).map(({ tier }) => tier);
  return {
    adaptation: {
      onForeignSchema: migrations.onForeignSchema,
      extensionsSchema: tenancy.extensionsSchema,
    },
    tenancy,
    ...(pools.length > 0 && { pools: pools.map((pool) => rulesOf(pool, tenancy.rls)) }),
    // Without plans any tier may be asked for.
    sharedTiers: tiers.length === 0 || tiers.includes(shared) ? [shared] : [],
  };
}

function outOfOrder(problems: readonly string[], { migrations }: LintedSettings): Finding[] {
  const { name, level, remedy } = filesNotInOrder;
  return problems.map((problem) => {
    const [, file, about] = OF_A_FILE.exec(problem) ?? [];
    return {
      rule: name,
      level,
      where: file ?? migrations.directory,
      message: about ?? problem,
      hint: remedy,
      facts: {},
    };
  });
}

/** `x.js: it is not run`; what is wrong with several of them begins otherwise. */
const OF_A_FILE = /^([^:]*\.\w+): (.*)$/s;
