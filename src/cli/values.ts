import { parseDuration } from '../core/duration.js';
import { usageError } from '../core/errors.js';
import { flagOf, type OptionSpec, type OptionSpecs } from './option.js';

type Env = Readonly<Record<string, string | undefined>>;
/** What the parser saw of an option: nothing, a flag, its text, or every text of a repeated one. */
export type RawValue = undefined | true | string | string[];
export type Value = string | number | boolean | string[] | undefined;

const YES = new Set(['1', 'true', 'yes', 'on']);
const NO = new Set(['0', 'false', 'no', 'off']);

/** The values of all declared options: the flag first, then the environment, then the default. */
export function resolveOptions(specs: OptionSpecs, raw: (name: string) => RawValue, env: Env) {
  const entries = Object.entries(specs).map(([name, spec]) => [name, resolve(name, spec, raw(name), env)]);
  return Object.fromEntries(entries) as Record<string, Value>;
}

function resolve(name: string, spec: OptionSpec, raw: RawValue, env: Env): Value {
  if (Array.isArray(raw)) return raw.map((text) => notEmpty(text, flagOf(name)));
  if (typeof raw === 'string') return parseText(raw, spec, flagOf(name));
  if (raw === true) return true;
  const fromEnv = spec.env === undefined ? undefined : env[spec.env];
  if (fromEnv !== undefined && fromEnv !== '') return parseText(fromEnv, spec, spec.env as string);
  if (spec.type === 'list') return [];
  return spec.default ?? (spec.type === 'boolean' ? false : undefined);
}

/**
 * The value of one text; `source` is the flag or variable it came from.
 * @throws usage error `OPTION_INVALID` (exit 2) naming the source
 */
function parseText(text: string, spec: OptionSpec, source: string): Value {
  switch (spec.type) {
    case 'boolean':
      return parseBoolean(text, source);
    case 'integer':
      return parseInteger(text, spec.min ?? 1, source);
    case 'duration':
      return parseLength(text, spec.min ?? 0, source);
    case 'choice':
      return parseChoice(text, spec.choices ?? [], source);
    case 'list':
      return text.split(',').map((part) => part.trim());
    case 'string':
      return notEmpty(text, source);
  }
}

function parseBoolean(text: string, source: string): boolean {
  const word = text.toLowerCase();
  if (YES.has(word)) return true;
  if (NO.has(word)) return false;
  return fail(source, text, 'is neither true nor false', 'Write 1 or 0.');
}

function parseLength(text: string, min: number, source: string): number {
  const value = parseDuration(text);
  if (value === undefined)
    return fail(source, text, 'is not a duration', 'Write 250ms, 10s, 5m, 24h or 30d.');
  return value >= min ? value : fail(source, text, 'is too short', `Write ${min}ms or more.`);
}

function parseInteger(text: string, min: number, source: string): number {
  const value = /^\d{1,15}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min) return value;
  return fail(source, text, 'is not a fitting number', `Write a whole number from ${min} upwards.`);
}

function parseChoice(text: string, choices: readonly string[], source: string): string {
  if (choices.includes(text)) return text;
  return fail(source, text, 'is not one of the choices', `Choose ${choices.join(', ')}.`);
}

/** An unset shell variable gives an empty text, which is never what was meant. */
function notEmpty(text: string, source: string): string {
  if (text !== '') return text;
  throw usageError('OPTION_INVALID', `${source} needs a value, but it is empty.`, {
    hint: 'Write a value or leave it out; a shell variable that is not set gives an empty one.',
    facts: { option: source },
  });
}

function fail(source: string, text: string, problem: string, hint: string): never {
  throw usageError('OPTION_INVALID', `${source}: ${JSON.stringify(text)} ${problem}.`, {
    hint,
    facts: { option: source },
  });
}

/**
 * `k=v` pairs of a repeated option such as `--label`.
 * @throws usage error `OPTION_INVALID` (exit 2) naming the flag
 */
export function parsePairs(flag: string, texts: readonly string[]): Record<string, string> {
  return Object.fromEntries(texts.map((text) => parsePair(flag, text)));
}

function parsePair(flag: string, text: string): [string, string] {
  const at = text.indexOf('=');
  if (at < 1) fail(flag, text, 'is not a pair', 'Write name=value.');
  return [text.slice(0, at).trim(), text.slice(at + 1).trim()];
}
