/**
 * Finds records in audit files. Files are searched as bytes and only lines that contain the wanted id
 * are parsed, so that a search costs little more than reading; nothing is held but one chunk.
 */
import { type FileHandle, open } from 'node:fs/promises';
import { auditFiles } from './files.ts';
import type { DecisionRecord, TransitionRecord } from './record.ts';

/** A record as it stands in the file. */
export type FoundRecord = (DecisionRecord | TransitionRecord) & {
  readonly run: string;
  readonly seq: number;
};

export interface RecordQuery {
  readonly exchange?: string;
  readonly requestId?: string;
  /** Most records returned; the newest win. */
  readonly limit: number;
  /** Most bytes read, newest file first. Default 1 GiB. */
  readonly scanBytesMax?: number;
}

const CHUNK_BYTES = 256 * 1024;
const SCAN_BYTES_MAX = 1024 * 1024 * 1024;
/** A line longer than this is not ours (LIST_ITEMS_MAX × FIELD_UNITS_MAX bound a record well below). */
const LINE_BYTES_MAX = 4 * 1024 * 1024;
const NEWLINE = 0x0a;

/** Complete lines of a file, as blocks that end in a newline. A torn last line is left out. */
async function* blocks(handle: FileHandle, bytesMax: number): AsyncGenerator<Buffer> {
  let carry: Buffer = Buffer.alloc(0);
  let read = 0;
  while (read < bytesMax) {
    const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, bytesMax - read));
    const { bytesRead } = await handle.read(chunk, 0, chunk.length, read);
    if (bytesRead === 0) return;
    read += bytesRead;
    const got = chunk.subarray(0, bytesRead);
    const end = got.lastIndexOf(NEWLINE);
    if (end < 0) {
      carry = Buffer.concat([carry, got]);
      if (carry.length > LINE_BYTES_MAX) carry = Buffer.alloc(0);
      continue;
    }
    const head = got.subarray(0, end + 1);
    yield carry.length === 0 ? head : Buffer.concat([carry, head]);
    carry = Buffer.from(got.subarray(end + 1));
  }
}

function parseLine(line: string): FoundRecord | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as FoundRecord) : undefined;
  } catch {
    return undefined; // the half line of a run that was killed while it wrote
  }
}

/** Lines of `block` that contain one of `needles`, each once, in order. */
function* linesWith(block: Buffer, needles: readonly Buffer[]): Generator<string> {
  let at = 0;
  while (at < block.length) {
    let hit = -1;
    for (const needle of needles) {
      const found = block.indexOf(needle, at);
      if (found >= 0 && (hit < 0 || found < hit)) hit = found;
    }
    if (hit < 0) return;
    const start = hit === 0 ? 0 : block.lastIndexOf(NEWLINE, hit - 1) + 1;
    const end = block.indexOf(NEWLINE, hit);
    yield block.toString('utf8', start, end);
    at = end + 1;
  }
}

/**
 * The newest `limit` records whose exchange or request id is the one asked for (either, when both
 * are given; none when neither is), in the order they were written.
 */
export async function findRecords(dir: string, query: RecordQuery): Promise<FoundRecord[]> {
  const ids = [query.exchange, query.requestId].filter((id) => id !== undefined);
  if (ids.length === 0 || query.limit < 1) return [];
  const needles = ids.map((id) => Buffer.from(JSON.stringify(id), 'utf8'));
  let budget = query.scanBytesMax ?? SCAN_BYTES_MAX;
  let found: FoundRecord[] = [];
  for (const path of auditFiles(dir).toReversed()) {
    if (found.length >= query.limit || budget <= 0) break;
    const handle = await openIfThere(path);
    if (handle === undefined) continue;
    const here: FoundRecord[] = [];
    try {
      for await (const block of blocks(handle, budget)) {
        budget -= block.length;
        for (const line of linesWith(block, needles)) {
          const record = parseLine(line);
          if (record === undefined || record.kind === 'transition') continue;
          if (record.exchange !== query.exchange && record.requestId !== query.requestId) continue;
          here.push(record);
          if (here.length > query.limit) here.shift();
        }
      }
    } finally {
      await handle.close();
    }
    found = [...here, ...found].slice(-query.limit);
  }
  return found;
}

/** What the files of a directory hold, for reconciling with Envoy's own counters. */
export interface RecordCount {
  readonly records: number;
  readonly byKind: Readonly<Record<string, number>>;
  /** Sequence numbers that are missing inside a run: lost records, or files no longer retained. */
  readonly gaps: number;
  /** Lines that are no record. */
  readonly unreadable: number;
}

/** Counts every record in `dir`. Reads and parses everything: about 1 s per 100 MB. */
export async function countRecords(dir: string): Promise<RecordCount> {
  const byKind: Record<string, number> = {};
  const lastSeq = new Map<string, number>();
  let records = 0;
  let gaps = 0;
  let unreadable = 0;
  for (const path of auditFiles(dir)) {
    const handle = await openIfThere(path);
    if (handle === undefined) continue;
    try {
      for await (const block of blocks(handle, Number.POSITIVE_INFINITY)) {
        for (const line of block.toString('utf8').split('\n')) {
          if (line === '') continue;
          const record = parseLine(line);
          if (record === undefined || typeof record.seq !== 'number') {
            unreadable += 1;
            continue;
          }
          records += 1;
          byKind[record.kind] = (byKind[record.kind] ?? 0) + 1;
          gaps += record.seq - (lastSeq.get(record.run) ?? 0) - 1;
          lastSeq.set(record.run, record.seq);
        }
      }
    } finally {
      await handle.close();
    }
  }
  return { records, byKind, gaps, unreadable };
}

/** Undefined when rotation removed the file since it was listed. */
async function openIfThere(path: string): Promise<FileHandle | undefined> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
