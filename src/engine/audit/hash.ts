import { raw } from '../../pg/sql.js';

/**
 * The hash of an entry `a` as SQL of our own. The function of the catalog says the same, but whoever can rewrite the
 * log can rewrite that function too, and it would then confirm whatever it is asked about.
 */
export const ENTRY_HASH = raw(`
  pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(a.previous || pg_catalog.jsonb_build_object(
    'seq', a.seq,
    'at', pg_catalog.to_char(a.at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'),
    'action', a.action, 'phase', a.phase, 'tenant', a.tenant, 'unit', a.unit,
    'run', a.run, 'actor', a.actor, 'database_user', a.database_user, 'reason', a.reason,
    'ticket', a.ticket, 'details', a.details, 'tool', a.tool)::text, 'UTF8')), 'hex')`);
