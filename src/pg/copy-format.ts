/** Where rows end in what COPY sends. One for each stream: rows, and numbers within them, are cut anywhere. */
export interface RowEnds {
  /** @returns the position behind the first row that ends after `from`, or -1 when this chunk ends before it does */
  next(chunk: Buffer, from: number): number;
}

/** A format of COPY, as far as it takes to cut a stream of rows in parts that are each a COPY of their own. */
export interface CopyFormat {
  name: 'text' | 'binary';
  /** What stands before the first row, and behind the last. */
  head: Buffer;
  tail: Buffer;
  rowEnds: () => RowEnds;
}

const LINE_FEED = 0x0a;

/** A line feed ends a row and stands nowhere else. */
export const TEXT: CopyFormat = {
  name: 'text',
  head: Buffer.alloc(0),
  tail: Buffer.alloc(0),
  rowEnds: () => ({ next: (chunk, from) => chunk.indexOf(LINE_FEED, from) + 1 || -1 }),
};

/** The signature, no flags, and no extension of the header. Source: PostgreSQL, COPY, "Binary Format". */
const BINARY_HEAD = Buffer.from('PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0', 'latin1');

/** A row is the number of its values (16 bits), and each value after its length (32 bits, -1 for NULL). */
export const BINARY: CopyFormat = {
  name: 'binary',
  head: BINARY_HEAD,
  tail: Buffer.from([0xff, 0xff]),
  rowEnds: () => new BinaryRowEnds(),
};

class BinaryRowEnds implements RowEnds {
  /** Bytes that tell nothing: the header's, then those of values. */
  #pass = BINARY_HEAD.length;
  /** Values of the row at hand that have not begun; null between rows. */
  #values: number | null = null;
  /** What is known of a number, and of how many bytes. */
  #number = 0;
  #bytes = 0;

  next(chunk: Buffer, from: number): number {
    let at = from;
    while (at < chunk.length) {
      if (this.#pass > 0) {
        const passed = Math.min(this.#pass, chunk.length - at);
        this.#pass -= passed;
        at += passed;
      } else {
        this.#take(chunk[at] as number);
        at += 1;
      }
      if (this.#pass === 0 && this.#bytes === 0 && this.#values === 0) {
        this.#values = null;
        return at;
      }
    }
    return -1;
  }

  #take(byte: number): void {
    this.#number = (this.#number << 8) | byte;
    this.#bytes += 1;
    if (this.#values === null) {
      if (this.#bytes < 2) return;
      // Instead of a row, -1 ends the data: it is no number of values that could ever be reached.
      this.#values = (this.#number << 16) >> 16;
    } else {
      if (this.#bytes < 4) return;
      this.#values -= 1;
      this.#pass = Math.max(this.#number, 0);
    }
    this.#number = 0;
    this.#bytes = 0;
  }
}
