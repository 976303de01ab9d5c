/** Go programs that a suite or a bench runs; see `go-programs.mjs`. */
export type GoProgram = 'fortio' | 'h2spec' | 'grpcurl' | 'ghz' | 'interop-client' | 'opa-server';
export function goProgram(name: GoProgram): string;
export function ensureGoProgram(name: GoProgram): Promise<string>;
