import { redactDeep } from '../../core/redact.js';
import { TOOL_VERSION } from '../../core/version.js';
import { type Sql, sql } from '../../pg/sql.js';
import type { Actor } from '../context.js';

/** One entry of the audit log. */
export interface AuditEntry {
  action: string;
  /** `intent` before a change in another database, `done` or `failed` after it. */
  phase?: 'intent' | 'done' | 'failed';
  tenant?: string;
  unit?: string;
  run?: string;
  /** Particulars without secrets; they are redacted all the same. */
  details?: Record<string, unknown>;
}

/**
 * The statement that adds an entry to the audit log, for the transaction of the change it describes. The
 * database chains it; let it come last, as the head of the chain stays locked until the transaction ends.
 */
export function auditInsert(actor: Actor, entry: AuditEntry): Sql {
  return sql`
    insert into tenantctl_catalog.audit (action, phase, tenant, unit, run, actor, reason, ticket, details, tool)
    values (${entry.action}, ${entry.phase ?? 'done'}, ${entry.tenant ?? null}, ${entry.unit ?? null}, ${entry.run ?? null},
      ${actor.actor}, ${actor.reason}, ${actor.ticket}, ${JSON.stringify(redactDeep(entry.details ?? {}))}::jsonb, ${TOOL_VERSION})`;
}
