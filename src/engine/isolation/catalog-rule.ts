import type { Finding } from '../../core/finding.js';
import type { PoolRules } from '../../core/pool-rules.js';
import type { Rule } from '../../core/rule.js';
import type { TenancySettings } from '../../core/settings.js';
import type { Connection } from '../../pg/connection.js';
import type { Sql } from '../../pg/sql.js';

/** Where one tenant with a home of its own lives. */
export interface OwnHome {
  tenant: string;
  database: string;
  schema: string;
  role: string;
  /** Is the database its own as well? */
  dedicated: boolean;
}

/** What a rule sees: one database of the fleet, or the cluster from its maintenance database. */
export interface RuleContext {
  session: Connection;
  cluster: string;
  tenancy: TenancySettings;
  /** The pools in this database. */
  pools: readonly { name: string; schema: string; rules: PoolRules }[];
  /** The tenants with homes of their own in this database; on the whole cluster for rules about clusters. */
  homes: readonly OwnHome[];
  /** Is this database one tenant's own? */
  dedicated: boolean;
}

/** Where a rule is asked: databases with pools, with tenants' own schemas, with any database, or clusters. */
export type RuleHome = 'pool' | 'schema' | 'any' | 'cluster';

/** A rule that reads a database's catalogs once, whatever the number of tables and schemas, and changes nothing. */
export interface CatalogRule {
  rule: Rule;
  home: RuleHome;
  find(context: RuleContext): Promise<Finding[]>;
}

/** What of a finding is not said by its rule. */
interface Particulars {
  level?: Finding['level'];
  /** Next step, where it is another than the rule's remedy. */
  hint?: string;
  /** Statements that mend it, in their order. */
  sql: readonly Sql[];
  facts?: Record<string, unknown>;
}

/** A finding about an object of this database: `app.invoice` becomes `main/app_shared.app.invoice`. */
export function foundIn(
  { cluster, session }: RuleContext,
  rule: Rule,
  object: string,
  message: string,
  particulars: Particulars,
): Finding {
  return foundAt(rule, `${cluster}/${session.database}.${object}`, message, particulars);
}

/** A finding about something that belongs to the whole cluster. */
export function foundOn(
  { cluster }: RuleContext,
  rule: Rule,
  object: string,
  message: string,
  particulars: Particulars,
): Finding {
  return foundAt(rule, `${cluster}: ${object}`, message, particulars);
}

function foundAt(
  rule: Rule,
  where: string,
  message: string,
  { level, hint, sql, facts }: Particulars,
): Finding {
  return {
    rule: rule.name,
    level: level ?? rule.level,
    where,
    message,
    hint: hint ?? rule.remedy,
    facts: { ...facts, sql: sql.map((statement) => statement.text()) },
  };
}
