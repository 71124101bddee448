import { readFileSync } from 'node:fs';
import { EXIT, internalError, isTenantctlError, type TenantctlError } from '../core/errors.js';
import { redact, redactDeep } from '../core/redact.js';
import { explainDatabaseError } from '../operations/explain.js';
import type { Colors } from '../render/colors.js';
import { fileFailure } from './file-failure.js';

/** Any thrown value as an expected failure; what nobody expected is a bug and says so. */
export function asFailure(error: unknown): TenantctlError {
  if (isTenantctlError(error)) return error;
  const explained = explainDatabaseError(error) ?? fileFailure(error);
  if (explained !== undefined) return explained;
  const message = error instanceof Error ? error.message : String(error);
  const where = reportAddress();
  return internalError('INTERNAL', `this is a bug in tenantctl: ${message}`, {
    hint: `Please report it${where === undefined ? '' : ` at ${where}`} with the output of the same command and --verbose.`,
    cause: error,
  });
}

function reportAddress(): string | undefined {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { bugs?: { url?: string } }).bugs?.url;
}

/** The failure for people: what happened, what to do next and, if asked for, where it came from. */
export function failureText(error: TenantctlError, colors: Colors, verbose: boolean): string {
  const healthy = error.exit === EXIT.waiting;
  const lines = [`${healthy ? colors.yellow('waiting:') : colors.red('error:')} ${error.message}`];
  if (error.hint !== undefined) lines.push(`${colors.cyan('hint:')} ${error.hint}`);
  if (verbose) lines.push(`code: ${error.code} (exit ${error.exit})`, ...causes(error));
  return redact(`${lines.join('\n')}\n`);
}

/** The failure as the `error` of a JSON document; `data` stands beside it when something was done. */
export function failureDocument(error: TenantctlError, verbose: boolean) {
  const { code, exit, message, hint, facts } = error;
  return redactDeep({
    error: {
      code,
      exit,
      message,
      ...(hint === undefined ? {} : { hint }),
      facts: verbose && error.cause !== undefined ? { ...facts, cause: causes(error) } : facts,
    },
    ...(error.data === undefined ? {} : { data: error.data }),
  });
}

function causes(error: Error): string[] {
  const { cause } = error;
  if (!(cause instanceof Error)) return cause === undefined ? [] : [`cause: ${String(cause)}`];
  return [`cause: ${cause.stack ?? cause.message}`, ...causes(cause)];
}
