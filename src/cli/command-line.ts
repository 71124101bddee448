import { CommanderError } from 'commander';
import { type TenantctlError, usageError } from '../core/errors.js';
import { type Command, type GlobalValues, nameOf, optionsOf } from './command.js';
import { GLOBAL_OPTIONS } from './globals.js';
import type { Io } from './io.js';
import { buildParser, type Match } from './parser.js';
import { resolveOptions, type Value } from './values.js';

/** What a command line asks for. */
export type Parsed = { kind: 'help'; text: string } | ({ kind: 'call' } & Invocation);

/** A command with all its values, checked against its declaration. */
export interface Invocation {
  command: Command;
  arguments: Record<string, Value>;
  options: Record<string, Value>;
  global: GlobalValues;
}

/**
 * Reads a command line.
 * @throws usage error (exit 2) that names what is wrong, with a suggestion where one is near
 */
export function parseCommandLine(
  argv: readonly string[],
  env: Io['env'],
  commands: readonly Command[],
): Parsed {
  const matches: Match[] = [];
  const help: string[] = [];
  const parser = buildParser(
    meant(argv, commands),
    (match) => matches.push(match),
    (text) => help.push(text),
  );
  try {
    parser.parse([...argv], { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.code !== 'commander.helpDisplayed') throw asUsageError(error, commandMeant(argv, commands));
    return { kind: 'help', text: help.join('') };
  }
  return invocationOf(matches[0] as Match, env);
}

/**
 * `export` would take its own options out of the line of `export verify`, where nobody reads them: where a line names the
 * longer one, the shorter one is only its first word.
 */
function meant(argv: readonly string[], commands: readonly Command[]): readonly Command[] {
  const named = commandMeant(argv, commands);
  return named === undefined || named.spec.path.length === 1
    ? commands
    : commands.filter(({ spec }) => spec.path.length > 1 || spec.path[0] !== named.spec.path[0]);
}

/** The command that a line names, the longer of two; its options may stand anywhere. */
function commandMeant(argv: readonly string[], commands: readonly Command[]): Command | undefined {
  const words = ` ${argv.filter((word) => !word.startsWith('-')).join(' ')} `;
  const named = commands.filter(({ spec }) => words.includes(` ${nameOf(spec)} `));
  return named.find(({ spec }) => spec.path.length > 1) ?? named[0];
}

function invocationOf({ command, texts, own, global }: Match, env: Io['env']): Parsed {
  const names = Object.keys(command.spec.arguments ?? {});
  return {
    kind: 'call',
    command,
    arguments: Object.fromEntries(names.map((name, at) => [name, texts[at] as Value])),
    options: resolveOptions(optionsOf(command.spec), own, env),
    global: resolveOptions(GLOBAL_OPTIONS, global, env) as GlobalValues,
  };
}

/** `commander.unknownOption` becomes `UNKNOWN_OPTION`; its suggestion becomes the hint. */
function asUsageError(error: CommanderError, command: Command | undefined): TenantctlError {
  const code = error.code
    .replace(/^commander\./, '')
    .replace(/[A-Z]/g, (letter) => `_${letter}`)
    .toUpperCase();
  const [, text, suggestion] = /^(?:error: )?([^\n]*)(?:\n\((Did you mean .*)\))?/.exec(error.message) ?? [];
  const help = command === undefined ? 'tenantctl --help' : `tenantctl ${nameOf(command.spec)} --help`;
  return usageError(code, text ?? error.message, { hint: suggestion ?? `See ${help}.` });
}
