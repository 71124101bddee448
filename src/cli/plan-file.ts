import { readFile, rename, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { usageError } from '../core/errors.js';
import { type SavedPlan, parsePlan } from '../operations/runs/saved-plan.js';
import type { Io } from './io.js';

/** What a plan says itself, so that an option beside it would contradict it. */
const SAID_BY_PLAN = ['to', 'select', 'contract', 'allowDataLoss', 'onFailure', 'concurrency', 'planOut'];

/** Reads a saved plan. @throws usage error (exit 2) when it cannot be read, is none, or an option contradicts it */
export async function readPlan(io: Io, file: string, options: object): Promise<SavedPlan> {
  const contradicting = SAID_BY_PLAN.filter((name) => isGiven((options as Record<string, unknown>)[name]));
  if (contradicting.length > 0) {
    throw usageError('PLAN_CONTRADICTED', `The plan says this itself: ${contradicting.join(', ')}.`, {
      hint: 'Leave these options out, or make a new plan with them.',
    });
  }
  const text = await readFile(path.resolve(io.cwd, file), 'utf8').catch((cause: unknown) => {
    throw usageError('PLAN_UNREADABLE', `The plan ${file} cannot be read: ${(cause as Error).message}`, {
      hint: 'Name the file that `tenantctl migrate --plan-out <file>` wrote.',
      facts: { file },
      cause,
    });
  });
  return parsePlan(text, file);
}

function isGiven(value: unknown): boolean {
  return value !== undefined && value !== false && !(Array.isArray(value) && value.length === 0);
}

/** Writes a plan, whole or not at all. @returns its path as given */
export async function writePlan(io: Io, file: string, plan: SavedPlan): Promise<string> {
  const target = path.resolve(io.cwd, file);
  try {
    await writeFile(`${target}.part`, `${JSON.stringify(plan, null, 2)}\n`);
    await rename(`${target}.part`, target);
  } catch (cause) {
    throw usageError(
      'PLAN_UNWRITABLE',
      `The plan cannot be written to ${file}: ${(cause as Error).message}`,
      {
        hint: 'Name a file in a folder that exists and that you may write to.',
        facts: { file },
        cause,
      },
    );
  }
  return file;
}
