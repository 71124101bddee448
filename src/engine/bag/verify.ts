import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { BagReport } from '../../core/bag-report.js';
import type { ExportManifest } from '../../core/export-manifest.js';
import type { PublicKey } from '../../core/signature.js';
import { compareContents } from './contents.js';
import { listFiles, sumFile } from './files.js';
import { DECLARATION, TAG_FILES, leavesFolder } from './layout.js';
import { assertBag, parseExportManifest } from './read.js';
import { Findings, type FoundBag } from './report.js';
import { checkSignature } from './signature-check.js';
import { type StoredFile, oxumOf, parseInfo, parseManifest } from './tag-text.js';

/**
 * Compares an export with what it says of itself, reading every byte of it and no database.
 * @param options.publicKey whose signature it must bear
 * @throws usage error (exit 2) or conflict (exit 5) when the folder is no export
 */
export async function verifyBag(
  directory: string,
  { publicKey }: { publicKey?: PublicKey | undefined } = {},
): Promise<BagReport> {
  await assertBag(directory);
  const findings = new Findings();
  const bag = await readBag(directory, findings);
  await checkDeclaration(bag);
  const payload = await checkSums(bag, TAG_FILES.payload, (file) => file.startsWith('data/'));
  await checkSums(bag, TAG_FILES.tags, (file) => !file.startsWith('data/') && file !== TAG_FILES.tags);
  const manifest = await manifestOf(bag);
  await checkInfo(bag, manifest);
  const rows = manifest === undefined ? 0 : await compareContents(bag, manifest, payload);
  const signed = await checkSignature(bag, publicKey);
  const data = [...bag.files.values()].filter(({ file }) => file.startsWith('data/'));
  return {
    ok: findings.list.length === 0,
    directory,
    tenant: manifest?.tenant.id ?? null,
    files: data.length,
    bytes: data.reduce((sum, { bytes }) => sum + bytes, 0),
    rows,
    signed,
    differences: findings.list,
  };
}

async function readBag(directory: string, findings: Findings): Promise<FoundBag> {
  const files = new Map<string, StoredFile>();
  for (const file of await listFiles(directory, findings)) files.set(file, await sumFile(directory, file));
  const text = async (file: string): Promise<string | undefined> =>
    files.has(file) ? readFile(path.join(directory, file), 'utf8') : undefined;
  return { directory, files, findings, text };
}

async function checkDeclaration({ text, findings }: FoundBag): Promise<void> {
  const { declaration } = TAG_FILES;
  const found = await text(declaration);
  if (found === undefined) findings.add(declaration, 'missing', 'without it the folder is no bag');
  else if (found.replaceAll('\r\n', '\n').trimEnd() !== DECLARATION.trimEnd())
    findings.add(declaration, 'changed', 'it does not declare a bag of version 1.0 in UTF-8');
}

/**
 * Compares the files with a list of their sums, in both directions.
 * @param belongs which files are to be in the list
 * @returns what the list says
 */
async function checkSums(
  bag: FoundBag,
  list: string,
  belongs: (file: string) => boolean,
): Promise<ReadonlyMap<string, string>> {
  const { findings, files } = bag;
  const text = await bag.text(list);
  if (text === undefined) {
    findings.add(list, 'missing', 'without it nothing can be compared');
    return new Map();
  }
  const { sums, bad } = parseManifest(text);
  for (const line of bad)
    findings.add(list, 'invalid', `a line is not a sum and a path: ${line.slice(0, 80)}`);
  const listed = new Map<string, string>();
  for (const [file, sum] of sums) {
    if (leavesFolder(file) || !belongs(file))
      findings.add(list, 'unsafe', `it lists ${file}, which does not belong there; it was not read`);
    else if (listed.has(file)) findings.add(list, 'invalid', `it lists ${file} more than once`);
    else listed.set(file, sum);
  }
  for (const [file, sum] of listed) compareSum(bag, list, file, sum);
  for (const file of files.keys())
    if (belongs(file) && !listed.has(file)) findings.add(file, 'extra', `${list} does not list it`);
  return listed;
}

function compareSum({ files, findings }: FoundBag, list: string, file: string, sum: string): void {
  const found = files.get(file);
  if (found === undefined) findings.add(file, 'missing', `${list} lists it`);
  else if (found.sha256 !== sum)
    findings.add(file, 'changed', `its sha256 is ${found.sha256}; ${list} says ${sum}`);
}

async function manifestOf({ text, findings }: FoundBag): Promise<ExportManifest | undefined> {
  const found = await text(TAG_FILES.manifest);
  if (found === undefined) {
    findings.add(TAG_FILES.manifest, 'missing', 'nothing says what the files hold');
    return undefined;
  }
  const { manifest, problem } = parseExportManifest(found);
  if (problem !== undefined) findings.add(TAG_FILES.manifest, 'invalid', problem);
  return manifest;
}

/** No sum that is signed covers it, so what it says is compared with what is. */
async function checkInfo(bag: FoundBag, manifest: ExportManifest | undefined): Promise<void> {
  const { info } = TAG_FILES;
  const text = await bag.text(info);
  if (text === undefined) return bag.findings.add(info, 'missing', 'nothing says how large the payload is');
  const found = parseInfo(text);
  const data = [...bag.files.values()].filter(({ file }) => file.startsWith('data/'));
  const expected = [
    ['Payload-Oxum', oxumOf(data)],
    ['External-Identifier', manifest?.tenant.id],
    ['Bagging-Date', manifest?.createdAt.slice(0, 10)],
  ] as const;
  for (const [label, value] of expected)
    if (value !== undefined && found.get(label) !== value)
      bag.findings.add(
        info,
        'contradicts',
        `${label} is ${found.get(label) ?? 'missing'}; it should be ${value}`,
      );
}
