import { Buffer } from 'node:buffer';
import * as z from 'zod';
import { isTenantctlError } from '../core/errors.js';
import { parseSelectors } from '../core/selector.js';
import { parseConnectionUrl } from './connection-url.js';
import { typed } from './setting.js';

const NAME = /^[a-z0-9][a-z0-9_-]{0,47}$/;
const OWN_SCHEMAS = new Set(['tenantctl', 'tenantctl_catalog', 'information_schema']);
const withoutNul = (value: string) => !value.includes('\0');

/** Text that says something: not empty, no NUL (PostgreSQL and file names take none). */
export function text(type = 'text (not empty)') {
  return typed(z.string().min(1).refine(withoutNul, 'must not contain a NUL character'), type);
}

/** The name of a cluster, pool, plan, wave or backup. */
export function name() {
  return typed(
    z.string().regex(NAME),
    'a name (1 to 48 characters a-z, 0-9, "-", "_", beginning with a letter or digit)',
  );
}

/** A PostgreSQL identifier. It reaches SQL quoted, so that any character but NUL will do. */
export function identifier() {
  return text('an identifier of 1 to 63 bytes').refine(
    (value) => Buffer.byteLength(value) <= 63,
    'is longer than 63 bytes, where PostgreSQL cuts identifiers off',
  );
}

/** The name of a role: PostgreSQL keeps some for itself. */
export function roleName() {
  return identifier().refine(
    (value) => !value.startsWith('pg_') && value !== 'public' && value !== 'none',
    'is a name that PostgreSQL keeps for itself',
  );
}

/** The name of a schema that holds the application's objects. */
export function schemaName() {
  return identifier().refine(
    (value) => !value.startsWith('pg_') && !OWN_SCHEMAS.has(value),
    'is a schema that PostgreSQL or tenantctl keeps for itself',
  );
}

/** One of some words. */
export function oneOf<const T extends readonly [string, ...string[]]>(words: T) {
  return typed(
    z.enum(words),
    words.length === 1 ? `\`${words[0]}\`` : `one of ${words.map((word) => `\`${word}\``).join(', ')}`,
  );
}

/** A whole number between two bounds. */
export function wholeNumber(least: number, most: number) {
  return typed(z.int().min(least).max(most), `a whole number from ${least} to ${most}`);
}

/** `true` or `false`. */
export function flag() {
  return typed(z.boolean(), '`true` or `false`');
}

/** A connection URL; `local`, where it is allowed, stands for the local server. */
export function connectionUrl(allow: { local: boolean } = { local: false }) {
  const schema = z.string().superRefine((value, context) => {
    if (allow.local && value === 'local') return;
    const result = parseConnectionUrl(value);
    if ('problem' in result) context.addIssue({ code: 'custom', message: result.problem });
  });
  return typed(schema, 'a connection URL (postgres://user@host:5432/database)');
}

/** A program with its arguments; no shell reads it. */
export function command() {
  return typed(z.array(text()).min(1), 'a list of a program and its arguments');
}

/** Labels: names with a text. */
export function labels() {
  return typed(z.record(text(), z.string()), 'labels (`name: text`)');
}

const selector = () =>
  z.string().superRefine((value, context) => {
    try {
      parseSelectors([value]);
    } catch (error) {
      if (!isTenantctlError(error)) throw error;
      context.addIssue({
        code: 'custom',
        message: 'cannot be read as a selector; write field=value, joined by commas',
      });
    }
  });

/** One selector, or several that are or-ed; always read as a list. */
export function selectors() {
  const schema = z.union([selector(), z.array(selector()).min(1)]).transform((value) => [value].flat());
  return typed(schema, 'a selector such as `label.ring=canary`, or a list of them');
}
