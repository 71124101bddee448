import { type Command, type CommandSpec, nameOf, optionsOf, visibleOptions } from './command.js';
import { GLOBAL_OPTIONS } from './globals.js';
import { argumentUsage, type OptionSpec, type OptionSpecs, usageOf } from './option.js';

const WIDTH = 100;
const LONGEST_TERM = 30;

type Entry = [term: string, text: string];

/** The help of the whole program: every command with one line. */
export function programHelp(commands: readonly Command[]): string {
  return join([
    'Usage: tenantctl <command> [options]',
    'Runs a fleet of tenants on PostgreSQL: provision, migrate, promote and offboard.',
    section('Commands', commandEntries(commands)),
    section('Global options', [...optionEntries(GLOBAL_OPTIONS), ['    --version', 'print the version']]),
    'tenantctl <command> --help shows its options and examples. A flag wins over its variable, that over the\n' +
      'configuration file, that over the default.',
  ]);
}

/** The help of a group such as `config`. */
export function groupHelp(name: string, members: readonly Command[]): string {
  return join([`Usage: tenantctl ${name} <command> [options]`, section('Commands', commandEntries(members))]);
}

/** The commands under a name, such as `certificate verify` under `certificate`, which is a command itself. */
export function membersOf(name: string, commands: readonly Command[]): Command[] {
  return commands.filter(({ spec }) => spec.path.length > 1 && spec.path[0] === name);
}

/**
 * The help of one command, with examples and the variables that stand in for flags.
 * @param members the commands under its name
 */
export function commandHelp(spec: CommandSpec, members: readonly Command[]): string {
  const { examples } = spec;
  return join([
    `Usage: tenantctl ${usageLine(spec)}`,
    fill(spec.description ?? sentence(spec.summary), WIDTH).join('\n'),
    section('Arguments', argumentEntries(spec)),
    section('Commands', commandEntries(members)),
    section('Options', optionEntries(visibleOptions(optionsOf(spec)))),
    section('Global options', optionEntries(GLOBAL_OPTIONS)),
    `Examples:\n${examples.map(({ run, does }) => `  # ${does}\n  ${run}`).join('\n')}`,
  ]);
}

/** `provision [id] [options]` */
export function usageLine(spec: CommandSpec): string {
  const words = Object.entries(spec.arguments ?? {}).map(([name, argument]) => argumentUsage(name, argument));
  return [nameOf(spec), ...words, '[options]'].join(' ');
}

/** The variable that stands in for a flag, if there is one. */
export function variableOf(spec: OptionSpec): string | undefined {
  return spec.env ?? spec.configEnv;
}

/** Summary, choices and default of an option, as help and reference say it. */
export function describeOption(spec: OptionSpec): string {
  const notes = [
    spec.choices === undefined ? '' : `(${spec.choices.join(', ')})`,
    spec.type === 'list' ? '(repeatable)' : '',
    spec.default === undefined ? '' : `(default: ${String(spec.default)})`,
  ];
  return [spec.summary, ...notes.filter((note) => note !== '')].join(' ');
}

function commandEntries(commands: readonly Command[]): Entry[] {
  return commands.map(({ spec }) => [nameOf(spec), spec.summary]);
}

function argumentEntries(spec: CommandSpec): Entry[] {
  return Object.entries(spec.arguments ?? {}).map(([name, argument]) => [
    argumentUsage(name, argument),
    argument.choices === undefined
      ? argument.summary
      : `${argument.summary} (${argument.choices.join(', ')})`,
  ]);
}

/** Options without a short form are moved right, so that all long flags stand in one column. */
function optionEntries(specs: OptionSpecs): Entry[] {
  return Object.entries(specs).map(([name, spec]) => {
    const usage = usageOf(name, spec);
    return [spec.short === undefined ? `    ${usage}` : usage, optionText(spec)];
  });
}

function optionText(spec: OptionSpec): string {
  const variable = variableOf(spec);
  return variable === undefined ? describeOption(spec) : `${describeOption(spec)} [env:${variable}]`;
}

function section(title: string, entries: Entry[]): string {
  if (entries.length === 0) return '';
  const width = Math.min(LONGEST_TERM, Math.max(...entries.map(([term]) => term.length)));
  return [`${title}:`, ...entries.map((entry) => entryLines(entry, width))].join('\n');
}

function entryLines([term, text]: Entry, width: number): string {
  const indent = ' '.repeat(width + 4);
  const [first = '', ...rest] = fill(text, WIDTH - width - 4);
  const head = term.length > width ? `  ${term}\n${indent}${first}` : `  ${term.padEnd(width)}  ${first}`;
  return [head, ...rest.map((line) => indent + line)].join('\n');
}

function fill(text: string, width: number): string[] {
  const lines: string[] = [];
  for (const word of text.split(/\s+/)) {
    const last = lines.at(-1);
    if (last !== undefined && last.length + word.length < width) lines[lines.length - 1] = `${last} ${word}`;
    else lines.push(word);
  }
  return lines;
}

function sentence(text: string): string {
  return `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;
}

function join(parts: string[]): string {
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}
