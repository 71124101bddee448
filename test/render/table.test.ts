import { describe, expect, it } from 'vitest';
import { cutText, padText, properties, table, textWidth } from '../../src/render/table.js';

describe('textWidth', () => {
  it.each([
    ['abc', 3],
    ['é', 1],
    ['e\u0301', 1],
    ['日本', 4],
    ['한글', 4],
    ['🚀', 2],
    ['\u001B[31mred\u001B[39m', 3],
    ['', 0],
  ])('%j takes %i columns', (text, width) => expect(textWidth(text)).toBe(width));
});

describe('cutText', () => {
  it('cuts by columns and marks the cut', () => {
    expect(cutText('abcdef', 6)).toBe('abcdef');
    expect(cutText('abcdefg', 6)).toBe('abcde…');
    expect(textWidth(cutText('日本語日本語', 6))).toBeLessThanOrEqual(6);
  });
});

describe('table', () => {
  it('lines columns up whatever script they are in, and leaves no blanks at the end', () => {
    const text = table(
      ['id', 'owner'],
      [
        ['acme', '日本'],
        ['b', ''],
        ['longer-one', 'x'],
      ],
    );
    expect(text).toBe('ID          OWNER\nacme        日本\nb\nlonger-one  x');
    expect(padText('日本', 6)).toBe('日本  ');
  });

  it('takes a fleet of rows', () => {
    const rows = Array.from({ length: 200_000 }, (_, at) => [`t${at}`]);
    expect(table(['id'], rows).split('\n')).toHaveLength(200_001);
  });

  it('shows properties one below the other', () => {
    expect(
      properties([
        ['a', '1'],
        ['long', ''],
      ]),
    ).toBe('a     1\nlong');
  });
});
