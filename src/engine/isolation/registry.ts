import type { Rule } from '../../core/rule.js';
import type { CatalogRule } from './catalog-rule.js';
import { poolNotProbed } from './pool-not-probed.js';
import { notInspected } from './not-inspected.js';
import { PROBES } from './probes/registry.js';
import { applicationOwns } from './rules/application-owns.js';
import { childReachable } from './rules/child-reachable.js';
import { childWithoutRls } from './rules/child-without-rls.js';
import { crossSchemaReference } from './rules/cross-schema-reference.js';
import { dangerousTableRight } from './rules/dangerous-table-right.js';
import { defaultPrivileges } from './rules/default-privileges.js';
import { defaultTenant } from './rules/default-tenant.js';
import { definerFunction } from './rules/definer-function.js';
import { definerTrigger } from './rules/definer-trigger.js';
import { foreignConnect } from './rules/foreign-connect.js';
import { foreignKeyWithoutTenant } from './rules/foreign-key-without-tenant.js';
import { foreignTable } from './rules/foreign-table.js';
import { grantOption } from './rules/grant-option.js';
import { largeObject } from './rules/large-object.js';
import { leakproofFunction } from './rules/leakproof-function.js';
import { materializedViewReadable } from './rules/materialized-view-readable.js';
import { observedBlind } from './rules/observed-blind.js';
import { observedChild } from './rules/observed-child.js';
import { observedKey } from './rules/observed-key.js';
import { observedRows } from './rules/observed-rows.js';
import { observedSessions } from './rules/observed-sessions.js';
import { observedTable } from './rules/observed-table.js';
import { policyAlwaysTrue } from './rules/policy-always-true.js';
import { policyBareSetting } from './rules/policy-bare-setting.js';
import { policyFailsOpen } from './rules/policy-fails-open.js';
import { policyMissing } from './rules/policy-missing.js';
import { policyOtherSetting } from './rules/policy-other-setting.js';
import { policyWithoutTenant } from './rules/policy-without-tenant.js';
import { publicConnect } from './rules/public-connect.js';
import { publicTableRight } from './rules/public-table-right.js';
import { publication } from './rules/publication.js';
import { rewriteRule } from './rules/rewrite-rule.js';
import { rlsNotForced } from './rules/rls-not-forced.js';
import { rlsOff } from './rules/rls-off.js';
import { roleBypasses } from './rules/role-bypasses.js';
import { roleInherits } from './rules/role-inherits.js';
import { rolePath } from './rules/role-path.js';
import { schemaCreate } from './rules/schema-create.js';
import { sequenceRight } from './rules/sequence-right.js';
import { serverDoor } from './rules/server-door.js';
import { sharedSequence } from './rules/shared-sequence.js';
import { sharedTableWritable } from './rules/shared-table-writable.js';
import { tenantColumnDefault } from './rules/tenant-column-default.js';
import { tenantColumnMissing } from './rules/tenant-column-missing.js';
import { tenantColumnNullable } from './rules/tenant-column-nullable.js';
import { tenantColumnType } from './rules/tenant-column-type.js';
import { tenantCrosses } from './rules/tenant-crosses.js';
import { tenantIndexMissing } from './rules/tenant-index-missing.js';
import { tenantMember } from './rules/tenant-member.js';
import { tenantOwns } from './rules/tenant-owns.js';
import { tenantSchemaPublic } from './rules/tenant-schema-public.js';
import { uniqueWithoutTenant } from './rules/unique-without-tenant.js';
import { toolPolicyDrift } from './rules/tool-policy-drift.js';
import { viewWithoutInvoker } from './rules/view-without-invoker.js';

/** What the catalogs of a fleet are asked, in this order. */
export const CATALOG_RULES: readonly CatalogRule[] = [
  rlsOff,
  rlsNotForced,
  childWithoutRls,
  policyAlwaysTrue,
  policyFailsOpen,
  policyWithoutTenant,
  toolPolicyDrift,
  tenantColumnMissing,
  sharedTableWritable,
  materializedViewReadable,
  viewWithoutInvoker,
  definerFunction,
  definerTrigger,
  dangerousTableRight,
  applicationOwns,
  foreignTable,
  policyMissing,
  policyBareSetting,
  policyOtherSetting,
  tenantColumnNullable,
  tenantColumnType,
  tenantColumnDefault,
  tenantIndexMissing,
  uniqueWithoutTenant,
  foreignKeyWithoutTenant,
  childReachable,
  grantOption,
  publicTableRight,
  schemaCreate,
  sequenceRight,
  sharedSequence,
  rewriteRule,
  leakproofFunction,
  publication,
  tenantCrosses,
  tenantSchemaPublic,
  crossSchemaReference,
  tenantOwns,
  defaultPrivileges,
  largeObject,
  serverDoor,
  publicConnect,
  roleBypasses,
  defaultTenant,
  rolePath,
  tenantMember,
  roleInherits,
  foreignConnect,
];

/** What is asked of pools that only observe: what enforcing would change there. */
export const OBSERVED_RULES: readonly CatalogRule[] = [
  observedTable,
  observedRows,
  observedChild,
  observedKey,
  observedBlind,
  observedSessions,
];

/** Every rule and probe of `check isolation`, as the reference tells them. */
export const ISOLATION_RULES: readonly Rule[] = [
  ...PROBES,
  ...CATALOG_RULES.map(({ rule }) => rule),
  ...OBSERVED_RULES.map(({ rule }) => rule),
  poolNotProbed,
  notInspected,
];
