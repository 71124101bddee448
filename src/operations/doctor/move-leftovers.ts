import { shortId } from '../../core/short-id.js';
import { type MoveKnown, type Remains, readRemains } from './remains.js';
import { type DatabaseContext, type DoctorFinding, placeName } from './rule.js';
import { removeRemains } from './remove-remains.js';
import { silentTriggers } from './silent-triggers.js';
import { passingHomes } from './stranded-homes.js';

/** What moves have left in a database that are over, or that nobody knows. */
export async function moveLeftovers(context: DatabaseContext): Promise<DoctorFinding[]> {
  const remains = await readRemains(context);
  const passing = await passingHomes(context.session);
  const guards = ({ tenant, schemas }: Remains): boolean =>
    passing.some((home) => home.tenant === tenant && schemas.includes(home.schema));
  const left = remains.filter(({ known }) => known !== 'under way');
  return [...left.map((each) => finding(context, each, guards(each))), ...(await silentTriggers(context))];
}

function finding(context: DatabaseContext, remains: Remains, guardsHome: boolean): DoctorFinding {
  const { id, known } = remains;
  const safe = mayBeRemoved(remains, guardsHome);
  return {
    rule: 'move-leftovers',
    level: known === 'over' && remains.aside.length === 0 ? 'warning' : 'error',
    where: placeName(context),
    message: `${whose(remains)} has left ${listOf(remains)}`,
    hint: hintOf(remains, safe, guardsHome),
    facts: {
      ...(remains.tenant === null ? {} : { tenant: remains.tenant }),
      move: id,
      known,
      triggers: remains.triggers.length,
      functions: remains.functions.length,
      marks: remains.marks,
      aside: remains.aside,
    },
    ...(safe ? { mend: () => removeRemains(context, remains) } : {}),
  };
}

/**
 * Only of a move that the catalog knows to be over. One that nobody knows may be under way, and the catalog an old copy.
 * What keeps writers out of an old copy stays with it, and what was set aside is put back by a person.
 */
function mayBeRemoved({ known, aside }: Remains, guardsHome: boolean): boolean {
  return known === 'over' && aside.length === 0 && !guardsHome;
}

function whose({ id, tenant, known, state }: Remains): string {
  if (known === 'restore') return `a restore of tenant ${tenant}, at which nobody is at work,`;
  if (known === 'over') return `move ${shortId(id)} of tenant ${tenant}, which is ${state},`;
  return `a move that the catalog does not know (${id})`;
}

function listOf({ triggers, functions, marks, rows, aside }: Remains): string {
  const parts: [number, string][] = [
    [triggers.length, 'triggers'],
    [functions.length, 'functions'],
    [marks, 'marks of written rows'],
    [rows, 'entries as taking part in it'],
    [aside.length, 'foreign keys or triggers set aside'],
  ];
  return parts
    .filter(([n]) => n > 0)
    .map(([n, what]) => `${n} ${what}`)
    .join(', ');
}

const HINTS: Record<Exclude<MoveKnown, 'under way'>, string> = {
  over: 'Put back what was set aside, as `facts.aside` says it was, then delete its entries from tenantctl.set_aside.',
  unknown:
    'The catalog may be an old copy, and the move under way: restore a newer one, or find out who moves a tenant here. Nothing of it is removed by --fix.',
  restore: 'Run the same `tenantctl restore` again: it finishes, and puts everything back.',
};

function hintOf({ known, aside }: Remains, safe: boolean, guardsHome: boolean): string {
  if (safe) return '`tenantctl doctor --fix` removes it; no row of a tenant is touched.';
  if (known === 'over' && aside.length === 0 && guardsHome)
    return 'It keeps writers out of an old copy, which another finding names. When that is gone, `tenantctl doctor --fix` removes it.';
  return HINTS[known as Exclude<MoveKnown, 'under way'>];
}
