import { usageError } from './errors.js';

/** One condition of a selector: `tier=schema`, `plan!=free`, `label.ring=canary`, `id=a*`. */
export interface Condition {
  field: SelectorField;
  /** The label's name when the field is `label`. */
  label: string | null;
  negated: boolean;
  /** May contain `*`, which stands for any characters. */
  pattern: string;
}

const SELECTOR_FIELDS = [
  'id',
  'status',
  'tier',
  'plan',
  'cluster',
  'database',
  'schema',
  'pool',
  'unit',
  'label',
] as const;

export type SelectorField = (typeof SELECTOR_FIELDS)[number];

/** Conditions of one `--select` are and-ed; several `--select` are or-ed. Empty: everything. */
export type Selector = Condition[][];

/** @throws usage error `SELECTOR_INVALID` (exit 2) that quotes the part which is wrong */
export function parseSelectors(texts: readonly string[]): Selector {
  return texts.map((text) => text.split(',').map((part) => parseCondition(part.trim())));
}

function parseCondition(text: string): Condition {
  const match = /^([a-z]+)(?:\.([A-Za-z0-9_.-]+))?(!?=)(.+)$/.exec(text);
  const field = match?.[1];
  if (match === null || !SELECTOR_FIELDS.includes(field as SelectorField)) throw invalid(text);
  const label = match[2] ?? null;
  if ((field === 'label') !== (label !== null)) throw invalid(text);
  return { field: field as SelectorField, label, negated: match[3] === '!=', pattern: match[4] as string };
}

function invalid(text: string) {
  return usageError('SELECTOR_INVALID', `Cannot read the selector "${text}".`, {
    hint: `Write field=value or field!=value, joined by commas; fields: ${SELECTOR_FIELDS.filter((f) => f !== 'label').join(', ')}, label.<name>. "*" stands for any characters.`,
  });
}
