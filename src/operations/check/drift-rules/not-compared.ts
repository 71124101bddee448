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
    'Its server does not answer, or its schema or database is not there or cannot be read. Everything else is compared and told. Where another session is changing it at this moment, or where it is alone and files that start programs, write files of the server or call other servers are not played to compare it with, that is a warning. When nothing but such places is amiss, the check ends with exit 4 and not 8.',
  remedy:
    'Mend the connection, bring the home back from a backup, or let `tenantctl doctor` tell what else is amiss there. A lock passes by itself.',
  bad: `do $$ begin execute format('alter schema %I rename to %I', current_schema, current_schema || '_away'); end $$;`,
  good: 'select current_schema;',
};

/** One finding for each reason; a home that a move is at work on is as it should be. */
export function findUnseen(unseen: readonly UnseenUnit[]): Finding[] {
  const missed = unseen.filter(({ why }) => why !== 'moving');
  return [...groupBy(missed, ({ reason }) => reason)].map(([reason, alike]) => {
    const units = alike.map(({ unit }) => unit);
    return {
      rule: notCompared.name,
      where: whereOf(alike),
      message: `${units.length === 1 ? 'it' : 'they'} could not be compared: ${reason}`,
      ...told(alike),
    };
  });
}

/** A server that is away is looked for by the name of its cluster. */
function whereOf(alike: readonly UnseenUnit[]): string {
  const names = nameFew(idsOf(alike.map(({ unit }) => unit)));
  const clusters = new Set(alike.map(({ unit }) => unit.cluster));
  const away = alike.every(({ why }) => why === 'away') && clusters.size === 1;
  return away ? `${[...clusters][0]}, ${names}` : names;
}

/** What to do depends on why: a lock passes, a server may be back, what is gone stays gone. */
function told(alike: readonly UnseenUnit[]): Pick<Finding, 'level' | 'hint' | 'facts'> {
  const facts = { units: idsOf(alike.map(({ unit }) => unit)) };
  if (alike.every(({ why }) => why === 'passing'))
    return { level: 'warning', hint: 'Look again when that session has ended.', facts };
  if (alike.every(({ why }) => why === 'not played'))
    return {
      level: 'warning',
      hint: 'There is no second unit of its sort to compare it with, so look at it yourself, or keep in migrations what can be rolled back.',
      facts,
    };
  if (alike.every(({ why }) => why === 'away'))
    return {
      level: notCompared.level,
      hint: 'Nothing is known of what is there. Mend the connection and check again.',
      facts: { ...facts, unreachable: true },
    };
  return {
    level: notCompared.level,
    hint: 'What is there is not known. `tenantctl doctor` tells what else is amiss; a home that is gone comes back from a backup.',
    facts,
  };
}
