import { createHash } from 'node:crypto';

/** A change or a tag, as a line of the plan has it. */
interface Planned {
  /** Sqitch's own: sha1 over all that the plan says of it, and of what was before it. */
  id: string;
  name: string;
  note: string;
  /** As in the plan, to the second, UTC. */
  at: string;
  planner: string;
  email: string;
}

export interface PlannedChange extends Planned {
  project: string;
  /** Names as in the plan; what they mean, or null where that is no change of this plan. */
  requires: { name: string; id: string | null }[];
  conflicts: string[];
  tags: Planned[];
  /** Tags between it and its next version, newest first: its scripts are named after one of them. None where it has no next. */
  reworkedAt: string[];
}

export interface SqitchPlan {
  changes: PlannedChange[];
  /** Lines that cannot be read, told by their number. */
  problems: string[];
}

const LINE =
  /^\s*(?<sign>[@+-]?)\s*(?<name>[^\s@:#\\[\]]+)\s*(?:\[(?<links>[^\]]+)\])?\s*(?<at>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ)\s+(?<planner>[^<]+?)\s+<(?<email>[^>]+)>\s*$/;
const PRAGMA = /^\s*%\s*([\w-]+)\s*=\s*(.*?)\s*$/;

/** Reads a plan of Sqitch's, `sqitch.plan`, in its order. */
export function readPlan(text: string): SqitchPlan {
  const pragmas = new Map<string, string>();
  const plan: SqitchPlan = { changes: [], problems: [] };
  for (const [index, line] of text.split('\n').entries()) {
    const pragma = PRAGMA.exec(line);
    const [body = '', note] = splitAt(line, '#');
    if (pragma !== null) pragmas.set(pragma[1] ?? '', pragma[2] ?? '');
    else if (body.trim() !== '' && !take(plan, pragmas, body, note))
      plan.problems.push(`line ${index + 1} is no change and no tag: ${line.trim()}`);
  }
  if (!pragmas.has('project')) plan.problems.push('it names no %project');
  return plan;
}

function splitAt(line: string, mark: string): [string, string] {
  const at = line.indexOf(mark);
  return at < 0 ? [line, ''] : [line.slice(0, at), unescape(line.slice(at + 1).trim())];
}

const unescape = (note: string): string =>
  note.replace(/\\([\\nr])/g, (_, letter: string) => ({ n: '\n', r: '\r' })[letter] ?? '\\');

function take(plan: SqitchPlan, pragmas: ReadonlyMap<string, string>, body: string, note: string): boolean {
  const { sign, name = '', links = '', at = '', planner = '', email = '' } = LINE.exec(body)?.groups ?? {};
  if (name === '' || sign === '-') return false;
  const planned = { name, note, at, planner, email };
  const head = headOf(pragmas);
  if (sign === '@') return takeTag(plan, planned, head);
  const project = pragmas.get('project') ?? '';
  const linked = links.split(/\s+/).filter((link) => link !== '');
  const requires = linked.filter((link) => !link.startsWith('!')).map((link) => own(link, project));
  const conflicts = linked.filter((link) => link.startsWith('!')).map((link) => own(link.slice(1), project));
  markReworked(plan, name);
  plan.changes.push({
    ...planned,
    id: changeId(plan, planned, head, { requires, conflicts }),
    project,
    requires: requires.map((link) => ({ name: link, id: meantBy(plan, link) })),
    conflicts,
    tags: [],
    reworkedAt: [],
  });
  return true;
}

function headOf(pragmas: ReadonlyMap<string, string>): string[] {
  const uri = pragmas.get('uri');
  return [`project ${pragmas.get('project') ?? ''}`, ...(uri === undefined ? [] : [`uri ${uri}`])];
}

function changeId(
  { changes }: SqitchPlan,
  planned: Omit<Planned, 'id'>,
  head: readonly string[],
  { requires, conflicts }: { requires: readonly string[]; conflicts: readonly string[] },
): string {
  const parent = changes.at(-1);
  return idOf('change', [
    ...head,
    `change ${planned.name}`,
    ...(parent === undefined ? [] : [`parent ${parent.id}`]),
    ...footOf(planned),
    ...(requires.length > 0 ? [`requires\n  + ${requires.join('\n  + ')}`] : []),
    ...(conflicts.length > 0 ? [`conflicts\n  - ${conflicts.join('\n  - ')}`] : []),
    ...noteOf(planned),
  ]);
}

const footOf = ({ planner, email, at }: Omit<Planned, 'id'>): string[] => [
  `planner ${planner} <${email}>`,
  `date ${at}`,
];
const noteOf = ({ note }: Omit<Planned, 'id'>): string[] => (note === '' ? [] : ['', note]);

/** A link into the same project is written without its name. */
const own = (link: string, project: string): string =>
  link.startsWith(`${project}:`) ? link.slice(project.length + 1) : link;

function takeTag({ changes }: SqitchPlan, planned: Omit<Planned, 'id'>, head: readonly string[]): boolean {
  const change = changes.at(-1);
  if (change === undefined) return false;
  const lines = [`tag @${planned.name}`, `change ${change.id}`, ...footOf(planned), ...noteOf(planned)];
  change.tags.push({ ...planned, id: idOf('tag', [...head, ...lines]) });
  return true;
}

/** As git names what it keeps: the kind, its length in bytes, a zero byte, the text. */
function idOf(kind: string, lines: readonly string[]): string {
  const text = Buffer.from(lines.join('\n'), 'utf8');
  return createHash('sha1').update(`${kind} ${text.length}\0`).update(text).digest('hex');
}

/** An earlier change of that name keeps its scripts under the name of a tag that came after it. */
function markReworked({ changes }: SqitchPlan, name: string): void {
  const from = changes.findLastIndex((change) => change.name === name);
  if (from < 0) return;
  const since = changes.slice(from).toReversed();
  (changes[from] as PlannedChange).reworkedAt = since.flatMap(({ tags }) => tags.map((tag) => tag.name));
}

/** The change that `name`, `name@tag` or `@tag` means, of those before. */
function meantBy({ changes }: SqitchPlan, link: string): string | null {
  const [name = '', tag] = link.split('@');
  const upTo =
    tag === undefined ? changes.length : changes.findIndex((it) => it.tags.some((t) => t.name === tag)) + 1;
  const before = changes.slice(0, upTo);
  return (name === '' ? before.at(-1) : before.findLast((change) => change.name === name))?.id ?? null;
}
