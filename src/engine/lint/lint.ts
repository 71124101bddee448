import type { Finding } from '../../core/finding.js';
import { positionAt } from '../../core/source-position.js';
import type { MigrationFile } from '../formats/format.js';
import { loadParser } from '../ledger/parser.js';
import { type Placed, allowancesIn, applyAllowances } from './allowances.js';
import { follow } from './follow.js';
import { KnownTables } from './known-tables.js';
import { ALLOWANCE_RULES, LOOKING_RULES, RULES } from './registry.js';
import type { LintRule, LintSettings, Scene, Sighting } from './rule.js';
import { type Script, readScript } from './script.js';

/**
 * Looks over migration files, in the order in which they are applied. Later files are judged by what earlier
 * ones have made.
 * @param wanted the files whose findings are given; all are read, for what they make
 */
export async function lintMigrations(
  files: readonly MigrationFile[],
  settings: LintSettings,
  wanted: (file: MigrationFile) => boolean = () => true,
): Promise<Finding[]> {
  await loadParser();
  const known = new KnownTables();
  const anyDown = files.some(({ down }) => down !== null);
  return files.flatMap((file) => {
    const up = lintScript(readScript(file, 'up', file, settings.adaptation), known, settings, anyDown);
    if (!wanted(file)) return [];
    const down =
      file.down === null
        ? []
        : lintScript(
            readScript(file, 'down', file.down, settings.adaptation),
            new KnownTables(),
            settings,
            anyDown,
          );
    return [...up, ...down];
  });
}

const FINAL: ReadonlySet<string> = new Set(
  LOOKING_RULES.filter(({ final }) => final).map(({ name }) => name),
);
const NAMES: ReadonlySet<string> = new Set(RULES.map(({ name }) => name));

function lintScript(script: Script, known: KnownTables, settings: LintSettings, anyDown: boolean): Finding[] {
  const pooled = script.directives.tiers.some((tier) => settings.sharedTiers.includes(tier));
  const scene: Scene = { script, known, settings, pooled, anyDown };
  const rules = LOOKING_RULES.filter(({ down }) => script.way === 'up' || down === true);
  const found: Placed[] = [];
  const take = (rule: LintRule, sightings: readonly Sighting[] = []): void => {
    found.push(...sightings.map((sighting) => placed(rule, sighting, script)));
  };
  for (const step of script.steps) {
    for (const rule of rules) take(rule, rule.step?.(step, scene));
    follow(known, step, script.migration.id);
  }
  for (const rule of rules) take(rule, rule.file?.(scene));
  return judged(script, found).sort((a, b) => Number(a.facts.line) - Number(b.facts.line));
}

/** What is left after the allowances, with what is wrong with these themselves. */
function judged(script: Script, found: readonly Placed[]): Finding[] {
  const allowances = allowancesIn(script);
  const { left, isUsed } = applyAllowances(found, allowances, FINAL);
  const about = ALLOWANCE_RULES.flatMap((rule) =>
    allowances.flatMap((allowance) =>
      rule
        .judge(allowance, { known: NAMES, final: FINAL, isUsed })
        .map((message) => findingOf(rule, { at: allowance.at, message }, script)),
    ),
  );
  return [...left.map(({ finding }) => finding), ...about];
}

function placed(rule: LintRule, sighting: Sighting, script: Script): Placed {
  const statement = script.statements.findIndex(
    ({ start, end }) => sighting.at >= start && sighting.at < end,
  );
  return { finding: findingOf(rule, sighting, script), statement: statement < 0 ? null : statement };
}

function findingOf(
  { name, level, remedy }: Pick<LintRule, 'name' | 'level' | 'remedy'>,
  sighting: Sighting,
  { file }: Script,
): Finding {
  const { line, column } = positionAt(file.sql, sighting.at);
  return {
    rule: name,
    level: sighting.level ?? level,
    where: file.fileName,
    message: sighting.message,
    hint: sighting.hint ?? remedy,
    facts: { file: file.path, line, column, ...(sighting.sql === undefined ? {} : { sql: sighting.sql }) },
  };
}
