import type { Finding } from '../../core/finding.js';
import type { Fleet } from '../../engine/context.js';
import type { Connection } from '../../pg/connection.js';

/** What a rule has found, and the way to mend it where that removes no row of anybody's. */
export interface DoctorFinding extends Finding {
  mend?: () => Promise<void>;
}

/** A database with local state of ours, and a session in it. */
export interface DatabaseContext {
  fleet: Fleet;
  cluster: string;
  session: Connection;
  /** Has the catalog placed anybody here, ever? Otherwise another fleet may live here. */
  ours: boolean;
}

/** A cluster, and a session in its maintenance database. */
export interface ClusterContext extends DatabaseContext {
  /** Every database there is, templates left out. */
  databases: readonly string[];
}

/** A rule looks at one part of the fleet, and changes nothing. */
export type DatabaseRule = (context: DatabaseContext) => Promise<DoctorFinding[]>;
export type ClusterRule = (context: ClusterContext) => Promise<DoctorFinding[]>;
export type CatalogRule = (fleet: Fleet) => Promise<DoctorFinding[]>;

/** `main/app_shared` */
export function placeName({ cluster, session }: DatabaseContext): string {
  return `${cluster}/${session.database}`;
}
