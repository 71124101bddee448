import { usageError } from './errors.js';
import { redact } from './redact.js';
import type { Tier } from './tier.js';
import type { UnitVersion } from './unit.js';

export const TENANT_STATUSES = [
  'provisioning',
  'active',
  'suspended',
  'moving',
  'offboarding',
  'deleted',
] as const;

export type TenantStatus = (typeof TENANT_STATUSES)[number];

/** The same table stands in the catalog as a trigger; a test compares the two. */
export const NEXT_STATUSES: Record<TenantStatus, readonly TenantStatus[]> = {
  provisioning: ['active'],
  active: ['suspended', 'moving', 'offboarding'],
  suspended: ['active', 'offboarding'],
  moving: ['active'],
  offboarding: ['active', 'suspended', 'deleted'],
  deleted: [],
};

/** A tenant as every command shows it. */
export interface Tenant {
  id: string;
  /** The value of the tenant column. */
  key: string;
  status: TenantStatus;
  tier: Tier;
  plan: string | null;
  cluster: string;
  database: string;
  schema: string;
  pool: string | null;
  version: UnitVersion | null;
  labels: Record<string, string>;
  owner: string | null;
  epoch: number;
  createdAt: string;
}

const ID = /^[a-z0-9][a-z0-9_-]{0,47}$/;
const RESERVED = new Set([
  'public',
  'postgres',
  'template0',
  'template1',
  'information_schema',
  'tenantctl',
  'tenantctl_catalog',
  'self',
]);
const LONGEST_QUOTED_ID = 60;

/**
 * Checks a tenant id before anything else sees it.
 * @throws usage error `TENANT_ID_INVALID` (exit 2) that says which rule was broken
 */
export function parseTenantId(text: string): string {
  const problem = tenantIdProblem(text);
  if (problem === undefined) return text;
  const clean = redact(text);
  throw usageError('TENANT_ID_INVALID', `${quoteForMessage(clean)} is not a tenant id: ${problem}.`, {
    hint: 'An id is 1 to 48 characters: lower-case letters a-z, digits, "-" and "_", beginning with a letter or digit.',
    facts: { id: clean.slice(0, LONGEST_QUOTED_ID) },
  });
}

function tenantIdProblem(text: string): string | undefined {
  if (text === '') return 'it is empty';
  if (text.length > 48) return `it has ${text.length} characters, at most 48 are allowed`;
  const odd = [...text].find((character) => !/[a-z0-9_-]/.test(character));
  if (odd !== undefined) return `it contains ${describeCharacter(odd)}`;
  if (!ID.test(text)) return 'it begins with "-" or "_"';
  if (text.startsWith('pg_')) return 'names beginning with "pg_" belong to PostgreSQL';
  if (RESERVED.has(text)) return 'this name is reserved';
  return undefined;
}

/** Look-alikes from other alphabets are told by their code point: the eye cannot. */
function describeCharacter(character: string): string {
  const code = character.codePointAt(0) ?? 0;
  const point = `U+${code.toString(16).toUpperCase().padStart(4, '0')}`;
  return code > 0x20 && code < 0x7f ? `"${character}"` : point;
}

function quoteForMessage(text: string): string {
  const shown = text.length > LONGEST_QUOTED_ID ? `${text.slice(0, LONGEST_QUOTED_ID)}…` : text;
  return JSON.stringify(shown);
}
