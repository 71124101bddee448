import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = fileURLToPath(new URL('../../', import.meta.url));

export interface CodeBlock {
  /** Everything after the fence: `sh tutorial`. */
  info: string;
  text: string;
}

/** A page of the documentation; its name is relative to the checkout. */
export interface Page {
  name: string;
  text: string;
}

export function readPage(name: string): Page {
  return { name, text: readFileSync(path.join(ROOT, name), 'utf8') };
}

/** Every page that people read: the documentation and what stands beside it. */
export function allPages(): Page[] {
  const inDocs = readdirSync(path.join(ROOT, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => `docs/${name.replaceAll(path.sep, '/')}`);
  return ['README.md', 'CHANGELOG.md', 'CONTRIBUTING.md', ...inDocs.toSorted()].map(readPage);
}

export function codeBlocks({ text }: Page): CodeBlock[] {
  const fence = /^```(.*)\n([\s\S]*?)^```$/gm;
  return [...text.matchAll(fence)].map(([, info = '', body = '']) => ({ info, text: body }));
}

export function withoutCode({ text }: Page): string {
  return text.replaceAll(/^```[\s\S]*?^```$/gm, '');
}

/** The relative links of a page, as files and anchors. */
export function linksOf(page: Page): { file: string; anchor: string | undefined }[] {
  const targets = [...withoutCode(page).matchAll(/\]\(([^)\s]+)\)/g)].map(([, target]) => target as string);
  return targets
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [file = '', anchor] = target.split('#', 2);
      const name = file === '' ? page.name : path.posix.join(path.posix.dirname(page.name), file);
      return { file: name, anchor };
    });
}

/** The anchors of a page's headings, as GitHub makes them. */
export function anchorsOf(page: Page): string[] {
  return [...withoutCode(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
    heading
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
      .replaceAll(' ', '-'),
  );
}
