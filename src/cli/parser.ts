import { Argument, Command as Parser, Option } from 'commander';
import { usageError } from '../core/errors.js';
import { type Command, nameOf, optionsOf } from './command.js';
import { GLOBAL_OPTIONS } from './globals.js';
import { commandHelp, groupHelp, membersOf, programHelp } from './help.js';
import { type ArgumentSpec, argumentUsage, type OptionSpec, type OptionSpecs, usageOf } from './option.js';
import type { RawValue } from './values.js';

type Read = (name: string) => RawValue;

/** The command that the parser came upon, and how to read what stood beside it. */
export interface Match {
  command: Command;
  /** The texts of the arguments, in the declared order. */
  texts: unknown[];
  own: Read;
  global: Read;
}

interface Building {
  commands: readonly Command[];
  global: Read;
  onMatch: (match: Match) => void;
}

/** A commander program made from declarations. It only parses: values, help and errors are ours. */
export function buildParser(
  commands: readonly Command[],
  onMatch: (match: Match) => void,
  writeHelp: (text: string) => void,
): Parser {
  const root = new Parser('tenantctl').exitOverride().helpCommand(false);
  root.configureOutput({ writeOut: writeHelp, writeErr: () => undefined });
  root.helpInformation = () => programHelp(commands);
  root.help = () => {
    throw usageError('MISSING_COMMAND', 'No command was given.', { hint: 'tenantctl --help lists them.' });
  };
  const global = addOptions(root, GLOBAL_OPTIONS);
  for (const command of commands) addCommand(root, command, { commands, global, onMatch });
  return root;
}

function addCommand(root: Parser, command: Command, { commands, global, onMatch }: Building): void {
  const { spec } = command;
  const parser = groupFor(root, spec.path, commands).command(spec.path.at(-1) as string);
  parser.helpInformation = () => commandHelp(spec, membersOf(nameOf(spec), commands));
  for (const [name, argument] of Object.entries(spec.arguments ?? {}))
    parser.addArgument(toArgument(name, argument));
  const own = addOptions(parser, optionsOf(spec));
  parser.action(() => onMatch({ command, texts: parser.processedArgs, own, global }));
}

/** The parser above the last word: the root, or a group such as `config`, made at its first use. */
function groupFor(root: Parser, path: readonly string[], commands: readonly Command[]): Parser {
  const group = path[0];
  if (path.length === 1 || group === undefined) return root;
  const existing = root.commands.find((candidate) => candidate.name() === group);
  return existing ?? newGroup(root, group, commands);
}

function newGroup(root: Parser, name: string, commands: readonly Command[]): Parser {
  const members = membersOf(name, commands);
  const words = members.map(({ spec }) => spec.path[1]).join('|');
  const group = root.command(name).helpCommand(false);
  group.helpInformation = () => groupHelp(name, members);
  // commander would print help and exit 1; here a missing word is a usage error like any other.
  group.help = () => {
    throw usageError('MISSING_COMMAND', `"${name}" wants one more word.`, {
      hint: `tenantctl ${name} ${words}`,
    });
  };
  return group;
}

function toArgument(name: string, spec: ArgumentSpec): Argument {
  const argument = new Argument(argumentUsage(name, spec), spec.summary);
  return spec.choices === undefined ? argument : argument.choices([...spec.choices]);
}

/** Declares options to the parser and gives a way to read what it saw of each. */
function addOptions(parser: Parser, specs: OptionSpecs): Read {
  const options = new Map(Object.entries(specs).map(([name, spec]) => [name, toOption(name, spec)]));
  for (const option of options.values()) parser.addOption(option);
  return (name) => {
    const option = options.get(name);
    if (option === undefined) return undefined;
    const value = parser.getOptionValue(option.attributeName()) as RawValue | false;
    // commander keeps `--no-color` as `color: false`; here it is a flag like any other.
    if (option.negate) return value === false ? true : undefined;
    return value === false ? undefined : value;
  };
}

function toOption(name: string, spec: OptionSpec): Option {
  const option = new Option(usageOf(name, spec), spec.summary).hideHelp(spec.hidden === true);
  if (spec.type === 'list') option.argParser((text, earlier?: string[]) => [...(earlier ?? []), text]);
  return option;
}
