import type { LintRule } from '../rule.js';
import { seenAt } from './psql-command.js';

export const syntaxError: LintRule = {
  name: 'syntax-error',
  check: 'migrations',
  level: 'error',
  down: true,
  final: true,
  summary: 'PostgreSQL’s grammar does not take the file; nothing else in it can be looked at.',
  explanation: 'The grammar is that of PostgreSQL 18, which takes what older servers take.',
  remedy: 'Correct the place; other findings of the file show up then.',
  bad: 'alter table invoice add colum note text;;alter;',
  good: 'alter table invoice add column note text;',
  file: ({ script }) => {
    const { syntaxError: found } = script;
    return found === null || seenAt(script, found.at) !== null ? [] : [{ at: found.at, message: found.text }];
  },
};
