/** Shares of sessions on the command line. */
import { InvalidArgumentError } from 'commander';
import { shareToPpm } from '../policy/units.ts';

/** `20%`, `0.5%`, `200000ppm` → ppm; 0 is a share too. Throws InvalidArgumentError. */
export function parseShare(text: string): number {
  const ppm = /^0+(\.0+)?\s*(%|ppm)$/.test(text.trim()) ? 0 : shareToPpm(text);
  if (ppm === undefined) {
    throw new InvalidArgumentError('write a share as 20%, 0.5% or 200000ppm, at most 100%.');
  }
  return ppm;
}
