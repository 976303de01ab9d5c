interface Lock {
  readonly packages: Readonly<
    Record<
      string,
      { readonly version?: string; readonly optional?: boolean; readonly link?: boolean }
    >
  >;
}
export declare function difference(lock: Lock, installed: Lock | undefined): string;
export declare function ensureDependencies(): Promise<void>;
