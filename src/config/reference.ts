import { EXAMPLE_TEXT } from './example.js';
import { ANY_ITEM, ANY_NAME, LEAVES, SECTIONS, type Leaf } from './leaves.js';

const INTRODUCTION = `# Configuration

<!-- Made from src/config by \`npx vitest run test/config -u\`; edit the declarations, not this page. -->

The file is \`tenantctl.config.yaml\`, \`.yml\`, \`.json\`, \`.mjs\` or \`.js\`, or the key \`tenantctl\` of \`package.json\`.
It is searched for from the working folder upwards, as far as the home folder or the root; \`--config <file>\` names it.
Paths in it are relative to its folder. \`tenantctl config show\` says where each value came from,
\`tenantctl config check\` checks it, \`tenantctl config schema\` prints its JSON Schema for editors.

## Precedence

A flag beats the environment, the environment beats the file, the file beats the default. Every single value
with a fixed place has one variable, named in the tables below; an empty variable counts as not set. \`--catalog <url>\`
sets \`catalog.url\`. An unknown key is an error, and all errors are reported together.

## Variables in the file

\`\${NAME}\` in any text is replaced by the environment variable of that name, and a variable that is not set is an
error; what it holds is not searched again. \`$\${\` stands for \`\${\` itself. Where a number or \`true\` and \`false\` are
wanted, the text of the variable is read as one. In a URL, special characters of user and password are percent-encoded.

## Values

Durations are \`250ms\`, \`10s\`, \`5m\`, \`24h\` or \`30d\`; sizes \`512MB\`, \`50GB\` or \`2TB\` (1 kB is 1024 bytes); percentages
\`80%\`. Names of clusters, pools, plans, waves and backups are 1 to 48 characters \`a-z\`, \`0-9\`, \`-\`, \`_\`.
`;

/** The Markdown of docs/reference/configuration.md, made from the declarations. */
export function configurationReference(): string {
  const names = [...new Set(LEAVES.map((leaf) => leaf.path[0] as string))];
  return [
    INTRODUCTION,
    ...names.map(chapter),
    `## A complete example\n\n\`\`\`yaml\n${EXAMPLE_TEXT}\`\`\`\n`,
  ].join('\n');
}

function chapter(name: string): string {
  const leaves = LEAVES.filter((leaf) => leaf.path[0] === name);
  const about = SECTIONS.find((section) => section.path.length === 1 && section.path[0] === name);
  const rows = leaves.map((leaf) => [
    code(pathText(leaf.path)),
    typeText(leaf),
    defaultText(leaf),
    envText(leaf),
    aboutText(leaf),
  ]);
  const head = about === undefined ? '' : `${about.summary}\n\n`;
  return `## \`${name}\`\n\n${head}${table(['key', 'type', 'default', 'environment', 'what it does'], rows)}\n`;
}

const code = (text: string) => `\`${text}\``;
const envText = (leaf: Leaf) => (leaf.env === null ? '' : code(leaf.env));

function pathText(path: readonly string[]): string {
  const names = path.map((step) => (step === ANY_NAME ? '<name>' : step));
  return names.join('.').replaceAll(`.${ANY_ITEM}`, ANY_ITEM);
}

function typeText(leaf: Leaf): string {
  return leaf.type.replace(/^(a|an) /, '').replace(/ \(.*\)$/, '');
}

function aboutText(leaf: Leaf): string {
  return leaf.secret ? `${leaf.summary} Secret.` : leaf.summary;
}

function defaultText(leaf: Leaf): string {
  if (leaf.default === undefined) return '';
  return code(typeof leaf.default === 'string' ? leaf.default : JSON.stringify(leaf.default));
}

/** Columns are padded the way prettier does it, so that a formatter leaves the page alone. */
function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const cells = [head, ...rows].map((row) => row.map((cell) => cell.replaceAll('|', '\\|')));
  const widths = head.map((_, column) => Math.max(3, ...cells.map((row) => row[column]?.length ?? 0)));
  const line = (row: readonly string[]) =>
    `| ${widths.map((width, column) => (row[column] ?? '').padEnd(width)).join(' | ')} |`;
  const [first = [], ...rest] = cells;
  return [line(first), `| ${widths.map((width) => '-'.repeat(width)).join(' | ')} |`, ...rest.map(line)].join(
    '\n',
  );
}
