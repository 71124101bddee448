import { createHash } from 'node:crypto';
import { groupBy } from '../../../core/group-by.js';
import { parseTenantId } from '../../../core/tenant.js';
import { homeOf } from '../list/home.js';
import type { Found } from './found.js';

const LONGEST = 48;
const HASH_DIGITS = 8;

/**
 * Ids for tenants that were found, one each, the same ones every time: the name in lower case, every character that no id may
 * have as `-`, beginning with a letter or digit. Where that is too long, reserved, taken, or the same for two, it ends in
 * eight digits that stand for the name and the place. A name that is an id already is kept before others that only become it.
 * @param taken ids of other tenants, those of deleted ones included
 */
export function assignIds(found: readonly Found[], taken: ReadonlySet<string>): string[] {
  const rivals = groupBy(found, ({ name }) => slugOf(name));
  return found.map((one) => {
    const slug = slugOf(one.name);
    const free = isId(slug) && !taken.has(slug);
    return free && mayHave(one, slug, rivals.get(slug) ?? []) ? slug : marked(slug, one);
  });
}

function slugOf(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9_-]/gu, '-')
    .replace(/^[_-]+/, '')
    .replace(/^pg_/, 'pg-');
}

function isId(slug: string): boolean {
  try {
    return parseTenantId(slug) === slug;
  } catch {
    return false;
  }
}

function mayHave(one: Found, slug: string, rivals: readonly Found[]): boolean {
  if (rivals.length === 1) return true;
  return one.name === slug && rivals.filter(({ name }) => name === slug).length === 1;
}

function marked(slug: string, one: Found): string {
  const hash = createHash('sha256')
    .update(JSON.stringify([one.name, homeOf(one)]))
    .digest('hex')
    .slice(0, HASH_DIGITS);
  const stem = slug.slice(0, LONGEST - HASH_DIGITS - 1).replace(/[_-]+$/, '');
  return stem === '' ? hash : `${stem}-${hash}`;
}
