import { randomUUID } from 'node:crypto';
import { usageError } from './errors.js';
import { redact } from './redact.js';

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
const INTEGER = /^(?:0|-?[1-9]\d{0,18})$/;

/**
 * The key of a new tenant: the one given, checked and in PostgreSQL's own spelling, or a new uuid.
 * @throws usage error `TENANT_KEY_INVALID` (exit 2)
 */
export function tenantKey(given: string | undefined, columnType: string, id: string): string {
  if (given === undefined) return newKey(columnType, id);
  const key = columnType === 'uuid' ? given.toLowerCase() : given;
  if (isKey(key, columnType)) return key;
  throw usageError(
    'TENANT_KEY_INVALID',
    `"${redact(given).slice(0, 80)}" is not a value of type ${columnType}.`,
    {
      hint:
        columnType === 'uuid'
          ? 'Write it as 8-4-4-4-12 hexadecimal digits.'
          : 'Give the value that stands in the tenant column.',
      facts: { tenant: id, columnType },
    },
  );
}

function newKey(columnType: string, id: string): string {
  if (columnType === 'uuid') return randomUUID();
  if (isText(columnType)) return id;
  throw usageError(
    'TENANT_KEY_MISSING',
    `Tenant ${id} needs a key: the tenant column is of type ${columnType}.`,
    {
      hint: 'Give it with --tenant-key.',
      facts: { tenant: id, columnType },
    },
  );
}

function isKey(key: string, columnType: string): boolean {
  if (columnType === 'uuid') return UUID.test(key);
  if (isText(columnType)) return key !== '' && key.length <= 255 && !key.includes('\0');
  return INTEGER.test(key);
}

function isText(columnType: string): boolean {
  return columnType === 'text' || columnType.startsWith('varchar');
}
