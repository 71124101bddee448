import type { Rule } from '../../../core/rule.js';

export const partitionReached: Rule = {
  name: 'partition-reached',
  check: 'isolation',
  level: 'error',
  summary: 'A partition or child table, asked by its own name, shows or takes rows of other tenants.',
  explanation:
    'The policies of a parent hold where the parent is named. Whoever names the partition itself meets only the policies of the partition, and often there are none.',
  remedy: 'Take all rights on partitions from the application; it reaches them through their parent.',
  bad: `grant select on activity_2026 to app_user;
alter table activity_2026 disable row level security;`,
  good: `revoke all on activity_2026 from app_user;`,
};
