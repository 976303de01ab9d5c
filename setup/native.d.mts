/** Programs in C and C++ that a suite or a bench runs; see `native.mjs`. */
export type NativeProgram =
  | 'c-server'
  | 'cpp-server'
  | 'cpp-client'
  | 'hpack-peer'
  | 'exchange-client'
  | 'http-client'
  | 'http-upstream';
export function nativeProgram(name: NativeProgram): string;
export function ensureNative(name: NativeProgram): Promise<string>;
