import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { type Baseline, type Debt } from '../core/baseline.js';
import { usageError } from '../core/errors.js';
import { CHECKS, type CheckName } from '../core/rule.js';

export const NO_DEBTS: Baseline = { version: 1, checks: {} };

/**
 * Reads a file of known findings.
 * @param option the option that names it, such as `--baseline`
 * @throws usage error `BASELINE_UNREADABLE` (exit 2): a baseline that is lost must not pass for an empty one
 */
export async function readBaseline(option: string, given: string, cwd: string): Promise<Baseline> {
  const path = resolve(cwd, given);
  try {
    return parsed(JSON.parse(await readFile(path, 'utf8')));
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw usageError('BASELINE_UNREADABLE', `${option}: cannot read ${given}: ${reason}`, {
      hint: 'Write it with `tenantctl check all --write-baseline <file>`, and keep it in version control.',
      facts: { path },
      cause,
    });
  }
}

/** The same for a file that is to be written: one that is not there yet is empty. */
export async function readBaselineIfAny(option: string, given: string, cwd: string): Promise<Baseline> {
  return existsSync(resolve(cwd, given)) ? readBaseline(option, given, cwd) : NO_DEBTS;
}

/** The text of a baseline file: one debt a line, so that version control shows each. */
export function baselineText({ checks }: Baseline): string {
  const parts = CHECKS.flatMap((check) => {
    const debts = checks[check];
    if (debts === undefined) return [];
    const lines = debts.map((debt) => `      ${JSON.stringify(debt)}`).join(',\n');
    return [`    ${JSON.stringify(check)}: [${lines === '' ? '' : `\n${lines}\n    `}]`];
  });
  return `{\n  "version": 1,\n  "checks": {\n${parts.join(',\n')}\n  }\n}\n`;
}

function parsed(value: unknown): Baseline {
  if (!isRecord(value) || value['version'] !== 1 || !isRecord(value['checks'])) {
    throw new Error('it is no baseline of version 1');
  }
  const checks: Baseline['checks'] = {};
  for (const [check, debts] of Object.entries(value['checks'])) {
    if (!isCheck(check)) throw new Error(`there is no check named ${JSON.stringify(check)}`);
    if (!Array.isArray(debts) || !debts.every(isDebt))
      throw new Error(`its ${check} are no list of findings`);
    checks[check] = debts;
  }
  return { version: 1, checks };
}

function isCheck(name: string): name is CheckName {
  return (CHECKS as readonly string[]).includes(name);
}

function isDebt(value: unknown): value is Debt {
  if (!isRecord(value)) return false;
  const { rule, where, count } = value;
  return (
    typeof rule === 'string' && typeof where === 'string' && Number.isInteger(count) && Number(count) > 0
  );
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
