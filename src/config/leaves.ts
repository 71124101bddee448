import * as z from 'zod';
import { configSchema } from './schema.js';
import { notes, type SettingNote } from './setting.js';
import type { Path } from './tree.js';

/** A step of a leaf's path: a key, `*` for any name, `[]` for any item of a list. */
export const ANY_NAME = '*';
export const ANY_ITEM = '[]';

/** One setting, as it was declared. */
export interface Leaf {
  path: readonly string[];
  summary: string;
  /** The kind of value with its article: "a duration such as 10s". */
  type: string;
  /** The default as one would write it in a file; undefined where there is none. */
  default: unknown;
  /** What the environment's text is turned into; null where no variable can set it. */
  scalar: 'text' | 'number' | 'boolean' | null;
  env: string | null;
  flag: string | null;
  secret: boolean;
}

/** A section, or a collection such as `clusters`, as it was declared. */
export interface Section {
  path: readonly string[];
  summary: string;
}

interface Unwrapped extends SettingNote {
  base: z.ZodType;
  default: unknown;
}

function unwrap(schema: z.ZodType): Unwrapped {
  const note = notes.get(schema) ?? {};
  const inner = innerOf(schema);
  if (inner === undefined) return { base: schema, default: undefined, ...note };
  const below = unwrap(inner);
  const fallback =
    schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault ? schema.def.defaultValue : undefined;
  return { ...below, ...note, default: fallback ?? below.default };
}

function innerOf(schema: z.ZodType): z.ZodType | undefined {
  if (schema instanceof z.ZodPipe) return schema.def.in as z.ZodType;
  const wraps =
    schema instanceof z.ZodDefault || schema instanceof z.ZodPrefault || schema instanceof z.ZodOptional;
  return wraps ? (schema.def.innerType as z.ZodType) : undefined;
}

/** What is declared below this schema: the path's next steps with their schemas; none for a value. */
function childrenOf(base: z.ZodType): [string, z.ZodType][] {
  if (base instanceof z.ZodObject) return Object.entries(base.shape as Record<string, z.ZodType>);
  if (base instanceof z.ZodRecord) return ifObject(ANY_NAME, base.def.valueType as z.ZodType);
  if (base instanceof z.ZodArray) return ifObject(ANY_ITEM, base.def.element as z.ZodType);
  if (base instanceof z.ZodUnion)
    return base.def.options.flatMap((option) => objectChildren(option as z.ZodType));
  return [];
}

const objectChildren = (schema: z.ZodType) => (schema instanceof z.ZodObject ? childrenOf(schema) : []);
const ifObject = (step: string, schema: z.ZodType): [string, z.ZodType][] =>
  schema instanceof z.ZodObject ? [[step, schema]] : [];

function walk(schema: z.ZodType, path: readonly string[], leaves: Leaf[], sections: Section[]): void {
  const found = unwrap(schema);
  const children = childrenOf(found.base);
  const holds = found.base instanceof z.ZodObject || found.base instanceof z.ZodRecord;
  if (children.length > 0 && holds) sections.push({ path, summary: found.summary ?? '' });
  else leaves.push(toLeaf(found, path));
  for (const [step, child] of children) walk(child, [...path, step], leaves, sections);
}

function toLeaf(found: Unwrapped, path: readonly string[]): Leaf {
  const scalar = scalarOf(found.base);
  const fixed = !path.includes(ANY_NAME) && !path.includes(ANY_ITEM);
  return {
    path,
    summary: found.summary ?? '',
    type: found.type ?? '',
    default: found.default,
    scalar,
    env: fixed && scalar !== null ? environmentName(path) : null,
    flag: found.flag ?? null,
    secret: found.secret ?? false,
  };
}

function scalarOf(base: z.ZodType): Leaf['scalar'] {
  if (base instanceof z.ZodNumber) return 'number';
  if (base instanceof z.ZodBoolean) return 'boolean';
  if (base instanceof z.ZodString || base instanceof z.ZodEnum) return 'text';
  const simple =
    base instanceof z.ZodUnion && base.def.options.every((option) => scalarOf(option as z.ZodType) !== null);
  return simple ? 'text' : null;
}

/** `tenancy.appRole` is `TENANTCTL_TENANCY_APP_ROLE`. */
function environmentName(path: readonly string[]): string {
  const words = path.map((step) => step.replace(/[A-Z]/g, (letter) => `_${letter}`).toUpperCase());
  return ['TENANTCTL', ...words].join('_');
}

function readSchema(): { leaves: readonly Leaf[]; sections: readonly Section[] } {
  const leaves: Leaf[] = [];
  const sections: Section[] = [];
  walk(configSchema, [], leaves, sections);
  return { leaves, sections };
}

/** Every setting and every section of the schema, in the order in which they are declared. */
export const { leaves: LEAVES, sections: SECTIONS } = readSchema();

function matches(pattern: readonly string[], path: Path): boolean {
  return path.every((step, index) => {
    const wanted = pattern[index];
    return typeof step === 'number' ? wanted === ANY_ITEM : wanted === step || wanted === ANY_NAME;
  });
}

/** The declaration of the setting at this place, if it is one. */
export function leafAt(path: Path): Leaf | undefined {
  return LEAVES.find((leaf) => leaf.path.length === path.length && matches(leaf.path, path));
}

/** The keys that are known at this place. */
export function keysAt(path: Path): string[] {
  const below = LEAVES.filter((leaf) => leaf.path.length > path.length && matches(leaf.path, path));
  return [...new Set(below.map((leaf) => leaf.path[path.length] as string))];
}
