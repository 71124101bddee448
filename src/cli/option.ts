/** How one option is declared. Its name is the key it stands under: `tenantKey` is `--tenant-key`. */
export interface OptionSpec {
  type: 'string' | 'integer' | 'duration' | 'boolean' | 'list' | 'choice';
  summary: string;
  /** The name of the value in help; options of type boolean have none. */
  value?: string;
  short?: string;
  choices?: readonly string[];
  default?: string | number | boolean;
  /** Environment variable that is read when the flag is absent. */
  env?: string;
  /** Environment variable that the configuration reads for the same setting: shown here, read there. */
  configEnv?: string;
  /** The smallest integer allowed, 1 if not said; or the shortest duration in milliseconds, 0 if not said. */
  min?: number;
  /** The value is a path; shells complete it as one. */
  path?: true;
  /** Left out of help, completion and the reference. */
  hidden?: true;
}

export type OptionSpecs = Record<string, OptionSpec>;

export interface ArgumentSpec {
  summary: string;
  /** Absent means required. */
  optional?: true;
  /** Takes all that follow. */
  variadic?: true;
  choices?: readonly string[];
}

export type ArgumentSpecs = Record<string, ArgumentSpec>;

type Scalar<S extends OptionSpec> = S['type'] extends 'integer' | 'duration'
  ? number
  : S['type'] extends 'choice'
    ? S extends { choices: readonly (infer C)[] }
      ? C
      : never
    : string;

type OptionValue<S extends OptionSpec> = S['type'] extends 'boolean'
  ? boolean
  : S['type'] extends 'list'
    ? string[]
    : S extends { default: string | number | boolean }
      ? Scalar<S>
      : Scalar<S> | undefined;

/** What a handler gets for declared options: durations in milliseconds, lists never absent. */
export type OptionValues<S> = S extends OptionSpecs ? { [K in keyof S]: OptionValue<S[K]> } : object;

type ArgumentValue<S extends ArgumentSpec> = S extends { variadic: true }
  ? string[]
  : S extends { choices: readonly (infer C)[] }
    ? C
    : S extends { optional: true }
      ? string | undefined
      : string;

export type ArgumentValues<S> = S extends ArgumentSpecs ? { [K in keyof S]: ArgumentValue<S[K]> } : object;

/** `tenantKey` → `--tenant-key` */
export function flagOf(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** The option as help writes it: `-c, --config <file>` */
export function usageOf(name: string, spec: OptionSpec): string {
  const short = spec.short === undefined ? '' : `-${spec.short}, `;
  const value = spec.type === 'boolean' ? '' : ` <${spec.value ?? 'value'}>`;
  return `${short}${flagOf(name)}${value}`;
}

/** The argument as help writes it: `<id>`, `[command...]` */
export function argumentUsage(name: string, spec: ArgumentSpec): string {
  const inner = spec.variadic ? `${name}...` : name;
  return spec.optional ? `[${inner}]` : `<${inner}>`;
}
