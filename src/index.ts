/**
 * The library entry: what the command line is made of, for programs that run a fleet themselves.
 * Nothing here prints, reads the environment or ends the process.
 */
export { type Actor, type Fleet, type FleetOptions, openFleet } from './engine/context.js';
export { type ExitCode, EXIT, TenantctlError, isTenantctlError } from './core/errors.js';
export { type FleetEvent, type StampedEvent, EVENT_VERSION, eventStream } from './core/events.js';
export type { FleetSettings } from './core/settings.js';
export type { RunPlan, RunReport } from './core/report.js';
export { type Selector, parseSelectors } from './core/selector.js';
export type { Tenant, TenantStatus } from './core/tenant.js';
export type { Placement, Tier } from './core/tier.js';
export type { Route } from './engine/routing/route.js';
export { activateTenant } from './operations/activate.js';
export { installFleet } from './operations/install.js';
export { listTenants } from './operations/list.js';
export { type MigrateRequest, migrate } from './operations/migrate.js';
export { type ProvisionRequest, type ProvisionResult, provision } from './operations/provision.js';
export { provisionMany } from './operations/provision-many.js';
export { routeTenant } from './operations/route.js';
export { setTenant } from './operations/set.js';
export { showTenant } from './operations/show.js';
export { fleetStatus } from './operations/status.js';
export { suspendTenant } from './operations/suspend.js';
