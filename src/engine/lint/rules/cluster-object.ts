import type { LintRule } from '../rule.js';

/** Kinds of statements about what the databases of a server share, or a database has once. */
const SHARED: Readonly<Record<string, string>> = {
  CreateRoleStmt: 'A role',
  AlterRoleStmt: 'A role',
  AlterRoleSetStmt: 'The settings of a role',
  DropRoleStmt: 'A role',
  GrantRoleStmt: 'Membership in a role',
  CreatedbStmt: 'A database',
  AlterDatabaseStmt: 'A database',
  AlterDatabaseSetStmt: 'The settings of a database',
  DropdbStmt: 'A database',
  CreateTableSpaceStmt: 'A tablespace',
  DropTableSpaceStmt: 'A tablespace',
  AlterTableSpaceOptionsStmt: 'A tablespace',
  AlterSystemStmt: 'A setting of the server',
  CreateSubscriptionStmt: 'A subscription',
  AlterSubscriptionStmt: 'A subscription',
  DropSubscriptionStmt: 'A subscription',
  CreatePublicationStmt: 'A publication',
  AlterPublicationStmt: 'A publication',
  CreateEventTrigStmt: 'An event trigger',
  AlterEventTrigStmt: 'An event trigger',
  CreateFdwStmt: 'A foreign-data wrapper',
  CreateForeignServerStmt: 'A foreign server',
  CreateUserMappingStmt: 'A user mapping',
  CreatePLangStmt: 'A language',
  ReassignOwnedStmt: 'The property of a role',
  DropOwnedStmt: 'The property of a role',
};
const REMOVED = new Set([
  'OBJECT_PUBLICATION',
  'OBJECT_EVENT_TRIGGER',
  'OBJECT_FDW',
  'OBJECT_FOREIGN_SERVER',
  'OBJECT_LANGUAGE',
]);

export const clusterObject: LintRule = {
  name: 'cluster-object',
  check: 'migrations',
  level: 'error',
  down: true,
  summary:
    'Roles, databases, publications and the like exist once a server or database, and a file runs once a tenant.',
  explanation:
    'The second tenant meets what the first has made, and fails; or takes it away from all. A role that is made here may also reach what this tool keeps apart. Such things are set up once, by hand or by the tool that sets up servers.',
  remedy: 'Take it out of the migrations, and do it once a server.',
  bad: 'create role reporting;',
  good: "comment on table invoice is 'what customers owe';",
  file: ({ script }) =>
    script.statements.flatMap(({ kind, body, start }) => {
      const removed =
        kind === 'DropStmt' && REMOVED.has(String(body['removeType']))
          ? 'Something that is there once a database'
          : undefined;
      const what = SHARED[kind] ?? removed;
      return what === undefined
        ? []
        : {
            at: start,
            message: `${what} exists once a server or database, and this file runs once a tenant.`,
          };
    }),
};
