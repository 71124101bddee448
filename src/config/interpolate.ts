import { formatPath, isMapping, MAX_DEPTH, type Path } from './tree.js';
import type { Problem } from './problems.js';

export type Environment = Readonly<Record<string, string | undefined>>;

const REFERENCE = /\$\$\{|\$\{([^}]*)\}?/g;
const VARIABLE = /^[A-Za-z_][A-Za-z0-9_]*$/;

export interface InterpolatedText {
  text: string;
  /** Whether a variable was put in. */
  changed: boolean;
  /** What is wrong, as the end of a sentence. */
  problems: string[];
}

/** The text with every `${NAME}` replaced by the variable; `$${` stands for `${` itself. What was put in is not read again. */
export function interpolateText(text: string, env: Environment): InterpolatedText {
  const problems: string[] = [];
  let changed = false;
  const replaced = text.replace(REFERENCE, (whole, name: string | undefined) => {
    if (name === undefined) return '${';
    const known = VARIABLE.test(name) && whole.endsWith('}') && Object.hasOwn(env, name);
    const value = known ? env[name] : undefined;
    if (value === undefined) problems.push(problemOf(name, whole));
    else changed = true;
    return value ?? whole;
  });
  return { text: replaced, changed, problems };
}

function problemOf(name: string, whole: string): string {
  if (VARIABLE.test(name) && whole.endsWith('}')) return `the environment variable ${name} is not set`;
  return 'holds `${` without the name of a variable and `}`; write `$${` for the characters themselves';
}

export interface InterpolatedTree {
  tree: unknown;
  /** Paths of texts that a variable was put into. */
  changed: ReadonlySet<string>;
  problems: Problem[];
}

/**
 * A copy of the tree with every text interpolated and every null key as if absent (YAML reads a
 * section of comments as null). Nothing at or below a path in `skip` is touched.
 */
export function interpolateTree(
  tree: unknown,
  env: Environment,
  skip: ReadonlySet<string>,
): InterpolatedTree {
  const changed = new Set<string>();
  const problems: Problem[] = [];
  const visit = (value: unknown, path: Path): unknown => {
    if (path.length > MAX_DEPTH) return undefined;
    if (Array.isArray(value)) return value.map((item, index) => visit(item, [...path, index]));
    if (isMapping(value)) {
      return Object.fromEntries(
        Object.entries(value).map(([key, item]) => [key, visit(item ?? undefined, [...path, key])]),
      );
    }
    if (typeof value !== 'string' || skip.has(formatPath(path))) return value;
    const result = interpolateText(value, env);
    problems.push(...result.problems.map((message) => ({ path, message })));
    if (result.changed) changed.add(formatPath(path));
    return result.text;
  };
  return { tree: visit(tree, []), changed, problems };
}
