/** The major version in a server's `server_version_num`: 180004 is of 18. */
export function majorVersion(version: number): number {
  return Math.floor(version / 10_000);
}
