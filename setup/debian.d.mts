export declare const DEBIAN_PROGRAMS: { readonly prometheus: string };
export declare function debianProgram(name: keyof typeof DEBIAN_PROGRAMS): string;
export declare function ensureDebian(name: keyof typeof DEBIAN_PROGRAMS): Promise<string>;
