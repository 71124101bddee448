import { parseDuration } from '../../core/duration.js';
import { usageError } from '../../core/errors.js';
import { listAudit } from '../../operations/audit/list.js';
import { auditText } from '../../render/audit-text.js';
import type { Call, Outcome } from '../command.js';
import type { auditList } from '../commands/audit.js';

export default async function handle({ fleet, options }: Call<typeof auditList>): Promise<Outcome> {
  const { tenant = null, actor = null, since, limit, after = null } = options;
  const data = await listAudit(fleet, { tenant, actor, since: readSince(since), limit, after });
  return { data, text: () => auditText(data) };
}

/** ISO 8601 with its zone; a time without one would be another moment on another machine. */
const TIME = /^\d{4}-\d{2}-\d{2}(?:T\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?(?:Z|[+-]\d{2}:\d{2}))?$/;

function readSince(text: string | undefined) {
  if (text === undefined) return null;
  const agoMs = parseDuration(text);
  if (agoMs !== undefined) return { agoMs };
  if (TIME.test(text) && !Number.isNaN(Date.parse(text))) return { at: new Date(text).toISOString() };
  throw usageError('SINCE_INVALID', `--since: "${text}" is neither a duration nor a time.`, {
    hint: 'Write 90m, 24h or 7d, a day in UTC (2026-11-22), or a time with its zone (2026-11-22T08:00:00Z).',
    facts: { option: '--since' },
  });
}
