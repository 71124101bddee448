import type { ProvisionRow } from '../../operations/provision-many.js';

const PLACES =
  'alster baltic cobalt delta ember fjord granite harbour indigo juniper kestrel linden meridian nordlicht oakfield polar quartz riviera saffron timber umbra vektor'.split(
    ' ',
  );
const TRADES =
  'foods logistics media robotics studio energy textiles systems partners optics clinics tours books motors legal paints'.split(
    ' ',
  );
const PEOPLE = 'anna.berg bruno.costa clara.demir elif.fischer greta.hansen jonas.keller kofi.mensah'.split(
  ' ',
);

const COUNT = 308;
/** One in 25 is asked to go first: twelve with a schema, and one with a database, of its own. */
const isCanary = (n: number): boolean => n % 25 === 3;

export interface Company {
  id: string;
  plan: 'free' | 'pro' | 'enterprise';
}

/** The same companies each time: 240 on the free plan, 60 on pro, 8 on enterprise. */
export const COMPANIES: readonly Company[] = Array.from({ length: COUNT }, (_, n) => ({
  id: nameOf(n),
  plan: planOf(n),
}));

/** A company that is no customer yet. */
export const NEWCOMER = nameOf(COUNT);

/** The n-th company of a plan, counted from 0. */
export function companyOn(plan: Company['plan'], n = 0): string {
  const company = COMPANIES.filter((candidate) => candidate.plan === plan)[n];
  if (company === undefined) throw new RangeError(`there are not ${n + 1} companies on plan ${plan}`);
  return company.id;
}

/** The canaries on the pro plan. */
export const CANARIES: readonly string[] = COMPANIES.filter(
  ({ plan }, n) => isCanary(n) && plan === 'pro',
).map(({ id }) => id);

export function ownerOf(id: string): string {
  const person = PEOPLE[id.length % PEOPLE.length];
  return `${person}@${id}.example`;
}

/** The companies as the rows of a file would ask for them. */
// An async generator because that is what a file of thousands is read as.
export async function* companyRows(): AsyncGenerator<ProvisionRow> {
  for (const [n, { id, plan }] of COMPANIES.entries()) {
    const labels = { ring: isCanary(n) ? 'canary' : 'main' };
    yield { line: n + 1, request: { id, plan, owner: ownerOf(id), labels } };
  }
}

/** 22 places and 16 trades give 352 pairs; 11 has no divisor in common with 16, so none comes twice. */
function nameOf(n: number): string {
  const round = Math.floor(n / PLACES.length);
  return `${PLACES[n % PLACES.length]}-${TRADES[(n * 7 + round) % TRADES.length]}`;
}

function planOf(n: number): Company['plan'] {
  if (n % 41 === 5) return 'enterprise';
  return n % 5 === 3 ? 'pro' : 'free';
}
