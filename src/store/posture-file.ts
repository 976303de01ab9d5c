/** `<data>/posture.json`: one small document, replaced as a whole. */
import { readFile } from 'node:fs/promises';
import { writeDurably } from './durable-file.ts';
import { StoreError, systemCode } from './store-error.ts';

/** Throws `StoreError` `store_io`, also for a file that is no JSON. */
export function postureFile(path: string): {
  read(): Promise<unknown>;
  write(state: object): Promise<void>;
} {
  const failed = (what: string, error: unknown): StoreError =>
    new StoreError('store_io', `cannot ${what} the posture: ${systemCode(error)}`, {
      cause: error,
    });
  return {
    async read() {
      try {
        return JSON.parse(await readFile(path, 'utf8')) as unknown;
      } catch (error) {
        if (systemCode(error) === 'ENOENT') return undefined;
        throw failed('read', error);
      }
    },
    async write(state) {
      try {
        await writeDurably(path, JSON.stringify(state));
      } catch (error) {
        throw failed('write', error);
      }
    },
  };
}
