import type * as z from 'zod';
import { nearest } from '../core/nearest.js';
import { keysAt, leafAt } from './leaves.js';
import { getAt, isMapping, type Path } from './tree.js';

/** One mistake: where, and the rest of the sentence that begins with the place. Never a value. */
export interface Problem {
  path: Path;
  message: string;
}

type Issue = z.core.$ZodIssue;

/** What zod found, in this tool's words; `input` is what it looked at. */
export function problemsOf(issues: readonly Issue[], input: unknown, base: Path = []): Problem[] {
  return issues.flatMap((issue) => problemsOfIssue(issue, input, [...base, ...(issue.path as Path)]));
}

function problemsOfIssue(issue: Issue, input: unknown, path: Path): Problem[] {
  if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(path, key));
  if (issue.code === 'custom') return [{ path, message: issue.message }];
  if (issue.code === 'invalid_key') return [{ path, message: badName(path) }];
  const branch = issue.code === 'invalid_union' ? intendedBranch(issue.errors) : undefined;
  if (branch !== undefined) return problemsOf(branch, input, path);
  return [{ path, message: mismatch(issue, path, getAt(input, path)) }];
}

function badName(path: Path): string {
  if (leafAt(path.slice(0, -1)) !== undefined) return 'must have a name that is not empty';
  return 'must be called by 1 to 48 characters a-z, 0-9, "-", "_", beginning with a letter or digit';
}

/** The alternative whose outer type is right: its mistakes are the ones to tell. */
function intendedBranch(branches: readonly (readonly Issue[])[]): readonly Issue[] | undefined {
  const isOuter = (issue: Issue) =>
    issue.path.length === 0 && issue.code !== 'custom' && issue.code !== 'unrecognized_keys';
  return branches.find((branch) => branch.length > 0 && !branch.some(isOuter));
}

function unknownKey(path: Path, key: string): Problem {
  return { path: [...path, key], message: `is not a known key; ${adviceFor(key, keysAt(path))}` };
}

function adviceFor(key: string, known: readonly string[]): string {
  if (key.includes(':')) return 'write a space after the colon';
  const near = nearest(key, known);
  return near === undefined ? `known here: ${known.join(', ')}` : `did you mean \`${near}\`?`;
}

/** Says what was expected, and the kind of what is there; never the value, which may be a secret. */
function mismatch(issue: Issue, path: Path, value: unknown): string {
  const expected = leafAt(path)?.type ?? itemType(path) ?? 'a mapping of keys';
  if (value === undefined) return `is required: ${expected}`;
  return `must be ${expected}${issue.code === 'invalid_type' ? `, not ${kindOf(value)}` : ''}`;
}

/** A value inside a list or a record of labels has no declaration of its own. */
function itemType(path: Path): string | undefined {
  if (keysAt(path).length > 0) return undefined;
  const owner = leafAt(path.slice(0, -1)) ?? leafAt(path.slice(0, -2));
  return owner === undefined ? undefined : `text, as part of ${owner.type}`;
}

function kindOf(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (isMapping(value)) return 'a mapping';
  if (typeof value === 'string') return 'text';
  if (typeof value === 'number') return 'a number';
  return typeof value === 'boolean' ? 'true or false' : 'this kind of value';
}
