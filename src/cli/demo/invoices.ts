import type { Fleet } from '../../engine/context.js';
import { type Answer, askTenant, askWithoutTenant } from '../../operations/ask.js';
import { unexpected } from './demo.js';

const COUNT_INVOICES = 'select count(*)::int as invoices from invoice';

/** How many invoices a session of this tenant sees; a refusal is a broken promise here. */
export async function invoicesSeenBy(fleet: Fleet, id: string): Promise<number> {
  return invoicesIn(await askTenant(fleet, id, COUNT_INVOICES));
}

/** The same of a session without a tenant, in the home of that one. */
export async function invoicesSeenByNobody(fleet: Fleet, id: string): Promise<number> {
  return invoicesIn(await askWithoutTenant(fleet, id, COUNT_INVOICES));
}

function invoicesIn(answer: Answer): number {
  if ('refused' in answer)
    throw unexpected(`${answer.refused.message} (SQLSTATE ${answer.refused.sqlstate}).`);
  return Number(answer.rows[0]?.['invoices']);
}
