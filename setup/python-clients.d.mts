export function pythonPackages(): string;
export function ensurePythonClients(): Promise<string>;
