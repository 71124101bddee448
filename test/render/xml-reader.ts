/** An element as a strict reader understands it. */
export interface XmlElement {
  name: string;
  attributes: Record<string, string>;
  children: XmlElement[];
  text: string;
}

const NAMED: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" };
const FORBIDDEN = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/u;
const TAG = /<(\/?)([A-Za-z_][\w.-]*)((?:\s+[A-Za-z_][\w.-]*="[^"<]*")*)\s*(\/?)>/y;

/** Reads a document of elements, attributes and text, and throws where XML 1.0 would be broken. */
export function readXml(document: string): XmlElement {
  if (FORBIDDEN.test(document)) throw new Error('a character that XML cannot hold');
  const top: XmlElement = { name: '', attributes: {}, children: [], text: '' };
  const open = [top];
  let at =
    /^<\?xml version="1\.0" encoding="UTF-8"\?>\n/.exec(document)?.[0].length ?? fail('no declaration');
  while (at < document.length) {
    const tag = document.indexOf('<', at);
    const end = tag < 0 ? document.length : tag;
    const current = open.at(-1) as XmlElement;
    const text = document.slice(at, end);
    if (text.includes(']]>')) fail('"]]>" in a text');
    current.text += unescaped(text);
    if (tag < 0) break;
    TAG.lastIndex = tag;
    const [whole, slash, name, attributes, empty] = TAG.exec(document) ?? fail(document.slice(tag, tag + 80));
    if (slash === '/') {
      if (open.pop()?.name !== name) fail(`</${name}> closes nothing`);
    } else {
      const element = {
        name: name as string,
        attributes: read(attributes as string),
        children: [],
        text: '',
      };
      current.children.push(element);
      if (empty === '') open.push(element);
    }
    at = tag + (whole as string).length;
  }
  if (open.length !== 1 || top.children.length !== 1 || top.text.trim() !== '') fail('not one root');
  return top.children[0] as XmlElement;
}

function read(attributes: string): Record<string, string> {
  const pairs = [...attributes.matchAll(/([\w.-]+)="([^"]*)"/g)].map(
    ([, name, value]) => [name as string, unescaped(value as string)] as const,
  );
  if (new Set(pairs.map(([name]) => name)).size !== pairs.length) fail('an attribute twice');
  return Object.fromEntries(pairs);
}

function unescaped(text: string): string {
  return text.replaceAll(/&([^;]*;?)/g, (_, reference: string) => {
    const [, name, code] = /^(?:([a-z]+)|#(\d+));$/.exec(reference) ?? fail(`&${reference}`);
    if (code !== undefined) return String.fromCodePoint(Number(code));
    return NAMED[name as string] ?? fail(`&${name};`);
  });
}

function fail(what: string): never {
  throw new Error(`not well-formed: ${what}`);
}
