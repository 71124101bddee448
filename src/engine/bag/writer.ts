import { mkdir, open, rename, rm } from 'node:fs/promises';
import path from 'node:path';
import { type ExportManifest } from '../../core/export-manifest.js';
import type { SigningKey } from '../../core/signature.js';
import { TOOL_VERSION } from '../../core/version.js';
import { leftBehind, underWay, unwritable } from './failures.js';
import { AGENT, DECLARATION, TAG_FILES } from './layout.js';
import { type Partial, isStillOurs, openPartial } from './partial.js';
import { writeStream } from './payload.js';
import { signManifest } from './signing.js';
import { type StoredFile, infoText, manifestText, oxumOf } from './tag-text.js';

/** What became of a finished bag. */
export interface FinishedBag {
  files: number;
  /** Of the payload. */
  bytes: number;
  manifestSha256: string;
}

/**
 * Writes a bag beside the place where it is to be, and gives it its name when it is whole: whoever finds a folder of
 * that name finds all of it.
 */
export class BagWriter {
  private readonly payload: StoredFile[] = [];
  private readonly tags: StoredFile[] = [];
  private readonly folders = new Set<string>();

  private constructor(private readonly partial: Partial) {}

  /** @throws conflict (exit 5) when something is there, or nothing can be written there */
  static async open(target: string): Promise<BagWriter> {
    try {
      return new BagWriter(await openPartial(target));
    } catch (error) {
      throw unwritable(target, error);
    }
  }

  /** Adds a file of the payload. */
  async write(file: string, text: string): Promise<StoredFile> {
    return this.stream(file, chunksOf(text), false);
  }

  /**
   * The same from a stream.
   * @throws what the stream fails with, or conflict `EXPORT_DISK_FULL` or `EXPORT_UNWRITABLE` (exit 5)
   */
  async stream(
    file: string,
    source: AsyncIterable<Buffer>,
    gzip: boolean,
    onChunk: (chunk: Buffer) => void = () => undefined,
  ): Promise<StoredFile> {
    const stored = await this.store(file, source, gzip, onChunk);
    this.payload.push(stored);
    return stored;
  }

  /**
   * Completes the bag with its manifests. It does not have its name yet.
   * @throws conflict (exit 5) when it cannot be written, or another process has taken its place
   */
  async seal(manifest: ExportManifest, key: SigningKey | null): Promise<FinishedBag> {
    const payload = await this.tag(TAG_FILES.payload, manifestText(this.payload));
    const text = `${JSON.stringify(manifest, null, 2)}\n`;
    const { sha256 } = await this.tag(TAG_FILES.manifest, text);
    if (key !== null) {
      const signature = signManifest(key, text, payload.sha256);
      await this.tag(TAG_FILES.signature, `${JSON.stringify(signature)}\n`);
      await this.tag(TAG_FILES.publicKey, key.publicKey);
    }
    await this.tag(TAG_FILES.declaration, DECLARATION);
    await this.describe(infoText(infoOf(manifest, this.payload)));
    await this.store(TAG_FILES.tags, chunksOf(manifestText(this.tags)), false);
    return {
      files: this.payload.length,
      bytes: this.payload.reduce((sum, { bytes }) => sum + bytes, 0),
      manifestSha256: sha256,
    };
  }

  /**
   * Gives a sealed bag its name, on the disk.
   * @throws conflict (exit 5) when something of that name has come up meanwhile
   */
  async publish(): Promise<void> {
    const { directory, target } = this.partial;
    if (!(await isStillOurs(this.partial))) throw underWay(directory);
    try {
      for (const folder of [...this.folders, directory]) await flush(folder);
      await rename(directory, target);
      await flush(path.dirname(target));
    } catch (error) {
      throw unwritable(target, error);
    }
  }

  /**
   * Takes the unfinished folder away.
   * @throws conflict `EXPORT_LEFTOVER` (exit 5)
   */
  async discard(): Promise<void> {
    const { directory } = this.partial;
    if (!(await isStillOurs(this.partial))) return;
    await rm(directory, { recursive: true, force: true }).catch((cause: unknown) => {
      throw leftBehind(directory, cause);
    });
  }

  /** The file by which an unfinished folder is known as ours is there at each moment. */
  private async describe(info: string): Promise<void> {
    const { directory, target } = this.partial;
    if (!(await isStillOurs(this.partial))) throw underWay(directory);
    const passing = `${TAG_FILES.info}.new`;
    const stored = await this.store(passing, chunksOf(info), false);
    await rename(path.join(directory, passing), path.join(directory, TAG_FILES.info)).catch(
      (error: unknown) => {
        throw unwritable(target, error);
      },
    );
    this.partial.info = info;
    this.tags.push({ ...stored, file: TAG_FILES.info });
  }

  private async tag(file: string, text: string): Promise<StoredFile> {
    const stored = await this.store(file, chunksOf(text), false);
    this.tags.push(stored);
    return stored;
  }

  private async store(
    file: string,
    source: AsyncIterable<Buffer>,
    gzip: boolean,
    onChunk: (chunk: Buffer) => void = () => undefined,
  ): Promise<StoredFile> {
    const guarded = guard(source);
    try {
      await this.makeFolder(path.posix.dirname(file));
      const stored = await writeStream(
        path.join(this.partial.directory, file),
        guarded.chunks,
        gzip,
        onChunk,
      );
      return { file, ...stored };
    } catch (error) {
      throw guarded.failure() ?? unwritable(this.partial.target, error);
    }
  }

  private async makeFolder(folder: string): Promise<void> {
    const { directory } = this.partial;
    const parts = folder === '.' ? [] : folder.split('/');
    for (let depth = 1; depth <= parts.length; depth += 1) {
      const made = path.join(directory, ...parts.slice(0, depth));
      if (this.folders.has(made)) continue;
      await mkdir(made, { mode: 0o700 });
      this.folders.add(made);
    }
  }
}

function infoOf(manifest: ExportManifest, payload: readonly StoredFile[]): [string, string][] {
  return [
    ['Bag-Software-Agent', `${AGENT} ${TOOL_VERSION}`],
    ['Bagging-Date', manifest.createdAt.slice(0, 10)],
    ['External-Identifier', manifest.tenant.id],
    ['Payload-Oxum', oxumOf(payload)],
  ];
}

async function* chunksOf(text: string): AsyncGenerator<Buffer> {
  yield Buffer.from(text);
}

/** Tells a stream that fails from a disk that does. */
function guard(source: AsyncIterable<Buffer>) {
  let failed: unknown;
  async function* chunks(): AsyncGenerator<Buffer> {
    try {
      yield* source;
    } catch (error) {
      failed = error;
      throw error;
    }
  }
  return { chunks: chunks(), failure: () => failed };
}

/** A file is there after a crash of the machine when its folder is on the disk as well. */
async function flush(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
