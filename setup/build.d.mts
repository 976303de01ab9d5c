/** Builds `dist` when a source changed; rejects with the compiler's words when the sources do not compile. */
export function ensureBuild(): Promise<void>;
