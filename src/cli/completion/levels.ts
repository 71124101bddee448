import { type Command, optionsOf, visibleOptions } from '../command.js';
import { GLOBAL_OPTIONS } from '../globals.js';
import { flagOf, type OptionSpec } from '../option.js';

/** What can follow after some words of a command. */
export interface Level {
  /** The words so far, such as `config`; empty at the beginning. */
  path: string;
  words: readonly { word: string; summary: string }[];
  options: readonly OptionItem[];
}

export interface OptionItem {
  flag: string;
  short: string | undefined;
  summary: string;
  /** What its value can be; undefined when it takes none. */
  value: 'any' | 'path' | readonly string[] | undefined;
}

/** Every place in a command line at which something can be completed. */
export function levelsOf(commands: readonly Command[]): Level[] {
  const groups = new Set(
    commands.flatMap(({ spec }) => (spec.path.length > 1 ? [spec.path[0] as string] : [])),
  );
  // A word that is a command itself has a place of its own below.
  for (const { spec } of commands) if (spec.path.length === 1) groups.delete(spec.path[0] as string);
  return [
    { path: '', words: firstWords(commands), options: globalItems() },
    ...[...groups].map((group) => ({
      path: group,
      words: secondWords(group, commands),
      options: globalItems(),
    })),
    ...commands.map(({ spec }) => ({
      path: spec.path.join(' '),
      words: [...choices(spec.arguments ?? {}), ...secondWords(spec.path.join(' '), commands)],
      options: [...items(visibleOptions(optionsOf(spec))), ...globalItems()],
    })),
  ];
}

function firstWords(commands: readonly Command[]) {
  const words = new Map<string, string>();
  for (const { spec } of commands) {
    const [word = ''] = spec.path;
    if (!words.has(word)) words.set(word, spec.path.length === 1 ? spec.summary : `${word} commands`);
  }
  return [...words].map(([word, summary]) => ({ word, summary }));
}

function secondWords(group: string, commands: readonly Command[]) {
  return commands
    .filter(({ spec }) => spec.path.length > 1 && spec.path[0] === group)
    .map(({ spec }) => ({ word: spec.path[1] as string, summary: spec.summary }));
}

function choices(specs: Record<string, { choices?: readonly string[]; summary: string }>) {
  return Object.values(specs).flatMap(({ choices: words = [], summary }) =>
    words.map((word) => ({ word, summary })),
  );
}

function globalItems(): OptionItem[] {
  const help = { flag: '--help', short: 'h', summary: 'show help', value: undefined };
  return [...items(GLOBAL_OPTIONS), help];
}

function items(specs: Record<string, OptionSpec>): OptionItem[] {
  return Object.entries(specs).map(([name, spec]) => ({
    flag: flagOf(name),
    short: spec.short,
    summary: spec.summary,
    value: spec.type === 'boolean' ? undefined : (spec.choices ?? (spec.path ? 'path' : 'any')),
  }));
}
