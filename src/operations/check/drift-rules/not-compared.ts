import { groupBy } from '../../../core/group-by.js';
import type { Finding } from '../../../core/finding.js';
import type { Rule } from '../../../core/rule.js';
import { idsOf, nameFew } from '../drift/names.js';
import type { UnseenUnit } from '../drift/survey.js';

export const notCompared: Rule = {
  name: 'not-compared',
  check: 'drift',
  level: 'error',
  summary: 'A unit of the catalog could not be looked at: nothing is known of it.',
  explanation:
    'Its schema or its database is not there, or cannot be read. Where another session is changing it at this moment, that is a warning: look again.',
  remedy:
    'Bring the home back from a backup, or let `tenantctl doctor` tell what else is amiss there. A lock passes by itself.',
  bad: `do $$ begin execute format('alter schema %I rename to %I', current_schema, current_schema || '_away'); end $$;`,
  good: 'select current_schema;',
};

/** One finding for each reason; a home that a move is at work on is as it should be. */
export function findUnseen(unseen: readonly UnseenUnit[]): Finding[] {
  const missed = unseen.filter(({ why }) => why !== 'moving');
  return [...groupBy(missed, ({ reason }) => reason)].map(([reason, alike]) => {
    const units = alike.map(({ unit }) => unit);
    const passing = alike.every(({ why }) => why === 'passing');
    return {
      rule: notCompared.name,
      level: passing ? 'warning' : notCompared.level,
      where: nameFew(idsOf(units)),
      message: `it could not be compared: ${reason}`,
      hint: passing
        ? 'Look again when that session has ended.'
        : 'What is there is not known. `tenantctl doctor` tells what else is amiss; a home that is gone comes back from a backup.',
      facts: { units: idsOf(units) },
    };
  });
}
