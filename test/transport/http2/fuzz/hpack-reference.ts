/** libnghttp2's HPACK, asked for many sessions at a time. */

import { Buffer } from 'node:buffer';
import { execFileSync } from 'node:child_process';
import { nativeProgram } from '../../../../setup/native.mjs';
import type { Field } from './hpack-model.ts';

export const HPACK_PEER: string = nativeProgram('hpack-peer');

const hex = (bytes: Buffer): string => (bytes.length === 0 ? '-' : bytes.toString('hex'));
const unhex = (text: string): Buffer => Buffer.from(text === '-' ? '' : text, 'hex');
const latin1 = (text: string): string => unhex(text).toString('latin1');

function asked(lines: readonly string[]): string[] {
  const output = execFileSync(HPACK_PEER, {
    input: `${lines.join('\n')}\n`,
    maxBuffer: 1024 * 1024 * 1024,
    encoding: 'latin1',
  });
  return output.split('\n').slice(0, -1);
}

export type DecoderStep = { readonly block: Buffer } | { readonly tableBytes: number };

/** For each session, what each of its blocks means; undefined: refused. */
export function decodedByNghttp2(
  sessions: readonly (readonly DecoderStep[])[],
): (readonly Field[] | undefined)[][] {
  const answers = asked(
    sessions.flatMap((steps) => [
      'i',
      ...steps.map((step) => ('block' in step ? `b ${hex(step.block)}` : `s ${step.tableBytes}`)),
    ]),
  );
  let at = 0;
  return sessions.map((steps) =>
    steps
      .filter((step) => 'block' in step)
      .map(() => {
        const [verdict, ...words] = (answers[at++] as string).split(' ');
        if (verdict !== 'ok') return undefined;
        const fields: Field[] = [];
        for (let word = 0; word < words.length; word += 2)
          fields.push([latin1(words[word] as string), latin1(words[word + 1] as string)]);
        return fields;
      }),
  );
}

export type EncoderStep = { readonly fields: readonly Field[] } | { readonly tableBytes: number };

export function encodedByNghttp2(sessions: readonly (readonly EncoderStep[])[]): Buffer[][] {
  const word = (text: string): string => hex(Buffer.from(text, 'latin1'));
  const answers = asked(
    sessions.flatMap((steps) => [
      'e',
      ...steps.map((step) =>
        'fields' in step
          ? `f ${step.fields.map(([name, value]) => `${value.length % 5 === 4 ? 1 : 0} ${word(name)} ${word(value)}`).join(' ')}`
          : `t ${step.tableBytes}`,
      ),
    ]),
  );
  let at = 0;
  return sessions.map((steps) =>
    steps
      .filter((step) => 'fields' in step)
      .map(() => unhex((answers[at++] as string).split(' ')[1] as string)),
  );
}
