/** A piece of XML that is escaped already. */
export type Xml = { readonly xml: string };

type Attributes = Readonly<Record<string, string | number | undefined>>;

/** What XML 1.0 cannot hold, not even escaped: most control characters, and halves of surrogate pairs. */
const FORBIDDEN = /[^\t\n\r\u{20}-\u{D7FF}\u{E000}-\u{FFFD}\u{10000}-\u{10FFFF}]/gu;

const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
  '\t': '&#9;',
  '\n': '&#10;',
  '\r': '&#13;',
};

/** An element with its attributes, those without a value left out, and a text or elements in it. */
export function element(name: string, attributes: Attributes, content: string | readonly Xml[] = ''): Xml {
  const given = Object.entries(attributes).filter(([, value]) => value !== undefined);
  const open = [name, ...given.map(([key, value]) => `${key}="${escape(String(value), /[&<>"'\t\n\r]/g)}"`)];
  const inner =
    typeof content === 'string' ? escape(content, /[&<>\r]/g) : content.map(({ xml }) => `\n${xml}`).join('');
  const end = typeof content === 'string' || content.length === 0 ? '' : '\n';
  return { xml: inner === '' ? `<${open.join(' ')}/>` : `<${open.join(' ')}>${inner}${end}</${name}>` };
}

export function xmlDocument(root: Xml): string {
  return `<?xml version="1.0" encoding="UTF-8"?>\n${root.xml}\n`;
}

function escape(text: string, special: RegExp): string {
  return text.replace(FORBIDDEN, '').replace(special, (character) => ESCAPES[character] as string);
}
