import { noAnswer } from '../../pg/answers.js';
import type { ClusterContext, DoctorFinding } from './rule.js';

const PATIENCE_MS = 3_000;

/**
 * Where `route` sends applications, does anybody answer? More is not asked: the login is the application's, and what is set
 * in a session behind a pooler stays with the next client.
 */
export async function appEndpoint(
  { fleet, cluster }: ClusterContext,
  patience = PATIENCE_MS,
): Promise<DoctorFinding[]> {
  const { host, port } = fleet.cluster(cluster).app;
  const reason = await noAnswer(host, port, patience);
  if (reason === null) return [];
  return [
    {
      rule: 'app-endpoint',
      level: 'warning',
      where: `${cluster}, ${host}:${port}`,
      message: `\`route\` sends applications there, and from here nobody answers: ${reason}`,
      hint: `Check clusters.${cluster}.app, and that the pooler runs. If only applications can reach it, nothing is amiss: docs/how-to/doctor.md says how to prove it from there.`,
      facts: { cluster, host, port },
    },
  ];
}
