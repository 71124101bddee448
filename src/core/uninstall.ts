/** Something that this tool has put into the fleet. */
export interface UninstallItem {
  /** `schema`, `policy`, `template database`, … */
  kind: string;
  name: string;
  /** The database or cluster that it is in: `main/app_shared`. */
  where: string;
}

/** Something that stays, and why. */
export interface KeptItem extends UninstallItem {
  reason: string;
}

/** What goes with the catalog and is nowhere else. */
export interface LostRecords {
  what: string;
  count: number;
  /** The command that keeps a copy of it. */
  keep: string;
}

/** What `uninstall` has removed, or would. */
export interface UninstallReport {
  removed: UninstallItem[];
  kept: KeptItem[];
  lost: LostRecords[];
  /** Why it would be refused now. */
  blockers: string[];
}
