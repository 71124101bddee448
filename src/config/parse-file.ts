import { basename } from 'node:path';
import { defaultLoaders } from 'cosmiconfig';
import { configError, type TenantctlError } from '../core/errors.js';
import { redact } from '../core/redact.js';

/** A parser of one kind of file; it throws its own errors, see `unreadable`. */
export type Parser = (text: string) => unknown;

export const parseYaml: Parser = (text) => defaultLoaders['.yaml']('', text) as unknown;
export const parseJson: Parser = (text) => JSON.parse(text.replace(/^\uFEFF/, '')) as unknown;

interface Fault {
  line?: number | undefined;
  column?: number | undefined;
  reason: string;
}

/**
 * The error for a file that cannot be parsed, with line and column. The parsers' own messages quote
 * the file, which may hold a password; only their reason is passed on.
 */
export function unreadable(file: string, text: string, error: unknown): TenantctlError {
  const { line, column, reason } = yamlFault(error) ?? jsonFault(text, error) ?? scriptFault(file, error);
  const place = [file, line, column].filter((part) => part !== undefined).join(':');
  return configError('CONFIG_UNREADABLE', `${place}: ${redact(reason)}`, {
    hint: 'Correct the file; nothing was changed.',
    facts: { file, line: line ?? null, column: column ?? null },
  });
}

function yamlFault(error: unknown): Fault | undefined {
  if (!(error instanceof Error) || !('mark' in error) || !('reason' in error)) return undefined;
  const { line, column } = error.mark as { line: number; column: number };
  return { line: line + 1, column: column + 1, reason: withoutQuote(String(error.reason)) };
}

/** `unidentified alias "…"` and `unknown tag !<…>` repeat what stands in the file. */
function withoutQuote(reason: string): string {
  return reason.replace(/\s*("|!<).*$/s, '');
}

function jsonFault(text: string, error: unknown): Fault | undefined {
  if (!(error instanceof SyntaxError) || !/JSON/.test(error.message)) return undefined;
  const before = text.slice(0, jsonFaultOffset(text)).split('\n');
  const reason = error.message.replace(/ in JSON at position.*|, (\.\.\.)?".*| is not valid JSON.*/s, '');
  return { line: before.length, column: (before.at(-1) ?? '').length + 1, reason };
}

/**
 * Node.js names the position of some mistakes only, so it is searched for: the longest beginning of
 * the text that could still become JSON ends there.
 */
function jsonFaultOffset(text: string): number {
  let [good, bad] = [0, text.length];
  while (good < bad) {
    const middle = Math.ceil((good + bad) / 2);
    if (couldBecomeJson(text.slice(0, middle))) good = middle;
    else bad = middle - 1;
  }
  return good;
}

function couldBecomeJson(beginning: string): boolean {
  try {
    JSON.parse(beginning);
    return true;
  } catch (error) {
    const { message } = error as SyntaxError;
    const position = /at position (\d+)/.exec(message)?.[1];
    return /end of JSON|Unterminated/.test(message) || Number(position) === beginning.length;
  }
}

/** Node.js tells the place of what was thrown, though not of a mistake in the syntax. */
function scriptFault(file: string, error: unknown): Fault {
  if (!(error instanceof Error)) return { reason: 'the file threw something that is no error' };
  const frame = (error.stack ?? '').split('\n').find((line) => line.includes(basename(file)));
  const [, line, column] = /:(\d+):(\d+)\)?$/.exec(frame ?? '') ?? [];
  return line === undefined
    ? { reason: error.message }
    : { line: Number(line), column: Number(column), reason: error.message };
}
