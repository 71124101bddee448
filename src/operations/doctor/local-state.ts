import { LOCAL_STATE, installedVersion, newestVersion } from '../../engine/ledger/own-schema.js';
import { type DatabaseContext, type DoctorFinding, placeName } from './rule.js';

/** Local state that an older or a newer version of this tool has made. */
export async function localStateVersion(context: DatabaseContext): Promise<DoctorFinding[]> {
  const { fleet, cluster, session } = context;
  const present = await installedVersion(session, LOCAL_STATE);
  const known = await newestVersion(LOCAL_STATE);
  if (present === known) return [];
  const where = placeName(context);
  const facts = { present, known };
  if (present > known)
    return [
      {
        rule: 'local-state-newer',
        level: 'error',
        where,
        message: `a newer tenantctl has been here: its local state is at version ${present}, this program knows ${known}`,
        hint: 'Upgrade this program. Until then it changes nothing here.',
        facts,
      },
    ];
  return [
    {
      rule: 'local-state-old',
      level: 'info',
      where,
      message: `its local state is at version ${present}, this program brings ${known}`,
      hint: 'The next command that works here upgrades it; `tenantctl doctor --fix` does so now.',
      facts,
      mend: () => fleet.managed(cluster, session.database, () => Promise.resolve()),
    },
  ];
}
