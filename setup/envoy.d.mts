export declare const ENVOY_VERSION: string;
export declare function envoyPath(): string;
export declare function ensureEnvoy(): Promise<string>;
