import type { LoadedConfig } from '../config/load.js';
import type { TenantctlError } from '../core/errors.js';
import type { Emit } from '../core/events.js';
import type { Reach } from '../core/faults.js';
import type { Fleet } from '../engine/context.js';
import type { Colors } from '../render/colors.js';
import { CHANGE_OPTIONS, CONFIRM_OPTIONS, type GLOBAL_OPTIONS } from './globals.js';
import type { Cancellation } from './cancellation.js';
import type { Io } from './io.js';
import type { ArgumentSpecs, ArgumentValues, OptionSpecs, OptionValues } from './option.js';

/**
 * A command, declared once as plain data: parser, help, completion and reference all come from it.
 * It imports nothing heavy, so that `--help` stays cheap.
 */
export interface CommandSpec {
  /** The words that name it, such as `['config', 'show']`. */
  path: readonly string[];
  summary: string;
  description?: string;
  arguments?: ArgumentSpecs;
  options?: OptionSpecs;
  examples: readonly Example[];
  /** What is made ready before the handler starts. */
  needs: 'nothing' | 'config' | 'fleet';
  /** It changes something: adds `--dry-run`, `--actor`, `--reason` and `--ticket`. */
  changes: boolean;
  /**
   * It looks and finishes nothing: the first signal, or the end of `--timeout`, ends it at once. Not beside one of these
   * options, with which it does change something.
   */
  looks?: { unless: readonly string[] };
  /** It changes a lot or deletes: asks on a terminal, elsewhere wants `--yes`. */
  confirms?: Confirmation;
}

interface Example {
  run: string;
  does: string;
}

export interface Confirmation {
  /** `{name}` stands for the value of that argument or option. */
  question: string;
  /** Confirmed by typing the value of this argument or option, or with `--confirm <value>`. */
  typed?: string;
  /** The same with a word that is always this one, where nothing is named that could be typed. */
  word?: string;
  /** Asked only beside all of these options, when the command deletes nothing without them. */
  beside?: readonly string[];
  /** With this option nothing is deleted, so nothing is asked. */
  unless?: string;
}

/** What a command gives back. A failure that still has data (a partial run) carries both. */
export interface Outcome {
  data: unknown;
  text(colors: Colors): string;
  failure?: TenantctlError;
  /** The result is a secret that was asked for by name (`dev url`); it is printed as it is. */
  unredacted?: true;
}

export type GlobalValues = OptionValues<typeof GLOBAL_OPTIONS>;
export type ChangeValues = OptionValues<typeof CHANGE_OPTIONS>;

type CallOptions<S extends CommandSpec> = OptionValues<S['options']> &
  (S['changes'] extends true ? ChangeValues : object) &
  (S['confirms'] extends Confirmation ? OptionValues<typeof CONFIRM_OPTIONS> : object);

type Ready<S extends CommandSpec> = S['needs'] extends 'fleet'
  ? { config: LoadedConfig; fleet: Fleet }
  : S['needs'] extends 'config'
    ? { config: LoadedConfig }
    : object;

/** One call of a command, as its handler sees it. */
export type Call<S extends CommandSpec = CommandSpec> = {
  arguments: ArgumentValues<S['arguments']>;
  options: CallOptions<S>;
  global: GlobalValues;
  io: Io;
  /** Aborted by the first signal or by `--timeout`: finish what has begun, start nothing new. */
  signal: AbortSignal;
  cancellation: Cancellation;
  emit: Emit;
  reach: Reach;
  /** Every command there is, for `help` and `completion`. */
  commands: readonly Command[];
} & Ready<S>;

export type Handler<S extends CommandSpec> = (call: Call<S>) => Promise<Outcome>;

/** A declaration together with its handler, which is loaded only when the command is called. */
export interface Command {
  spec: CommandSpec;
  load(): Promise<{ default: (call: never) => Promise<Outcome> }>;
}

/** Declares a command; the literal types of the declaration become the types of its handler's call. */
export function defineCommand<const S extends CommandSpec>(spec: S): S {
  return spec;
}

/**
 * Binds a declaration to its handler. Apart from the declaration, so that the handler can take its
 * types from there without a cycle of imports.
 */
export function handledBy<S extends CommandSpec>(
  spec: S,
  load: () => Promise<{ default: Handler<S> }>,
): Command {
  return { spec, load };
}

/** `config show` */
export function nameOf(spec: CommandSpec): string {
  return spec.path.join(' ');
}

/** Every option of a command, its own first; the global ones are not among them. */
export function optionsOf(spec: CommandSpec): OptionSpecs {
  return {
    ...spec.options,
    ...(spec.confirms?.typed === undefined && spec.confirms?.word === undefined ? {} : CONFIRM_OPTIONS),
    ...(spec.changes ? CHANGE_OPTIONS : {}),
  };
}

/** The same without the hidden ones. */
export function visibleOptions(specs: OptionSpecs): OptionSpecs {
  return Object.fromEntries(Object.entries(specs).filter(([, spec]) => spec.hidden !== true));
}
