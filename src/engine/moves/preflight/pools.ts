import { indexBy } from '../../../core/group-by.js';
import { poolFindings } from '../merge/findings.js';
import type { Inspected, MoveFinding, PreflightRule } from './finding.js';

/** Said of keys in general by a rule of ours, which knows more types. */
const SAID_ELSEWHERE = 'slow-key';

/** What the merge into a live pool cannot answer for; the way back out of the grace period leads into the old one. */
export const livePools: PreflightRule = async ({ source, target }) => {
  const found: MoveFinding[] = [];
  for (const pool of [source, target].filter((one): one is Inspected => one?.side.shared === true))
    found.push(...(await poolFindings(pool.session, pool.side, pool.tables)));
  const distinct = indexBy(found, ({ rule, where, message }) => JSON.stringify([rule, where, message]));
  return [...distinct.values()].filter(({ rule }) => rule !== SAID_ELSEWHERE);
};
