/** Units that look alike. */
export interface ShapeGroup {
  /** Units of one kind are compared with each other: `pools`, `schemas`, `databases and schemas`, each at one version. */
  kind: string;
  /** The newest migration that they record; null before the first. */
  version: string | null;
  /** Major version of the servers: shapes are told in its words. */
  postgres: number;
  units: number;
  tenants: number;
  /** A few of them. */
  examples: string[];
  /** Is it how they should look: as most do, or as the files say? */
  majority: boolean;
  /** What is otherwise than there, in sentences. */
  differences: string[];
}
