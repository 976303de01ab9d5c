/**
 * The rings of the design: who may import whom, and what pure code may not touch. A checker over file
 * texts, so that a planted violation can be shown to be found.
 */
import { builtinModules } from 'node:module';
import { posix } from 'node:path';
import ts from 'typescript';

export const PURE_FOLDERS = [
  'protocol',
  'formats',
  'match',
  'policy',
  'rollout',
  'judge',
  'state',
] as const;
export const ENGINE_FOLDER = 'engine';
export const IO_FOLDERS = [
  'transport',
  'store',
  'audit',
  'admin',
  'telemetry',
  'classifiers',
  'cli',
] as const;
/** The server, and the library. */
export const COMPOSITION_ROOTS: readonly string[] = ['main.ts', 'library.ts'];

/** Packages that compute and do nothing else: no sockets, files, timers or randomness. */
export const PURE_PACKAGES = [
  '@bufbuild/cel',
  'ajv',
  'libphonenumber-js',
  're2js',
  'typebox',
  'yaml',
  'xxhash-wasm',
] as const;

export interface Violation {
  /** Path under `src`. */
  readonly file: string;
  readonly line: number;
  readonly sentence: string;
}

interface Import {
  readonly specifier: string;
  readonly typeOnly: boolean;
  readonly line: number;
}

type Ring = 'pure' | 'engine' | 'io' | 'root' | 'unknown';

function folderOf(file: string): string {
  const [first = '', ...rest] = file.split('/');
  return rest.length === 0 ? '' : first;
}

function ringOf(file: string): Ring {
  if (COMPOSITION_ROOTS.includes(file)) return 'root';
  const folder = folderOf(file);
  if ((PURE_FOLDERS as readonly string[]).includes(folder)) return 'pure';
  if (folder === ENGINE_FOLDER) return 'engine';
  if ((IO_FOLDERS as readonly string[]).includes(folder)) return 'io';
  return 'unknown';
}

function importsOf(source: ts.SourceFile): readonly Import[] {
  const found: Import[] = [];
  const add = (node: ts.Node, specifier: ts.Node | undefined, typeOnly: boolean): void => {
    const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
    const text =
      specifier !== undefined && ts.isStringLiteralLike(specifier) ? specifier.text : '?';
    found.push({ specifier: text, typeOnly, line });
  };
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) add(node, node.moduleSpecifier, isTypeOnly(node));
    else if (ts.isExportDeclaration(node) && node.moduleSpecifier !== undefined)
      add(node, node.moduleSpecifier, node.isTypeOnly);
    else if (ts.isCallExpression(node) && node.expression.kind === ts.SyntaxKind.ImportKeyword)
      add(node, node.arguments[0], false);
    else if (ts.isImportTypeNode(node))
      add(node, ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, true);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

function isTypeOnly(declaration: ts.ImportDeclaration): boolean {
  const clause = declaration.importClause;
  if (clause === undefined) return false;
  if (clause.isTypeOnly) return true;
  const names = clause.namedBindings;
  return (
    clause.name === undefined &&
    names !== undefined &&
    ts.isNamedImports(names) &&
    names.elements.every((element) => element.isTypeOnly)
  );
}

function packageOf(specifier: string): string {
  const parts = specifier.split('/');
  return parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/');
}

function isBuiltin(specifier: string): boolean {
  return specifier.startsWith('node:') || builtinModules.includes(specifier);
}

/** What one import breaks, as a sentence; '' when it is allowed. */
function judgeImport(file: string, { specifier, typeOnly }: Import): string {
  const ring = ringOf(file);
  if (ring === 'root') return '';
  if (!specifier.startsWith('.')) return judgeOutside(ring, specifier, typeOnly);
  const target = posix.normalize(posix.join(posix.dirname(file), specifier));
  if (COMPOSITION_ROOTS.includes(target)) return `nobody imports ${target}: it composes`;
  if (target.startsWith('..')) return `\`${specifier}\` is outside src`;
  const targetRing = ringOf(target);
  if (targetRing === 'unknown') return `\`${specifier}\` is in no ring`;
  if (ring === 'pure' && targetRing !== 'pure')
    return `pure code imports pure folders only, not \`${specifier}\``;
  // A seam: the engine fills the record in, the audit folder writes it, an operator reads it.
  if (typeOnly && target === 'audit/record.ts') return '';
  if (ring === 'engine' && targetRing === 'io') return `engine/ does no I/O: not \`${specifier}\``;
  if (ring === 'io' && targetRing === 'io' && folderOf(file) !== folderOf(target))
    return `the I/O folders are strangers to each other: not \`${specifier}\``;
  return '';
}

function judgeOutside(ring: Ring, specifier: string, typeOnly: boolean): string {
  if (ring === 'io' || specifier === 'node:buffer') return '';
  if (isBuiltin(specifier))
    return `no \`${specifier}\` here: time, files and sockets are arguments`;
  if (typeOnly || (PURE_PACKAGES as readonly string[]).includes(packageOf(specifier))) return '';
  return `the package \`${packageOf(specifier)}\` is not known to be pure`;
}

const FORBIDDEN_GLOBALS = new Set([
  ...['setTimeout', 'setInterval', 'setImmediate', 'queueMicrotask', 'fetch'],
  ...['process', 'console', 'performance', 'crypto', 'globalThis', 'require', 'eval'],
]);
const FORBIDDEN_MEMBERS = new Set(['Date.now', 'Math.random']);

/** What only the pure folders must not do; the engine may be asynchronous, with an injected clock. */
function impurities(source: ts.SourceFile, ring: Ring): readonly Omit<Violation, 'file'>[] {
  const found: Omit<Violation, 'file'>[] = [];
  const add = (node: ts.Node, sentence: string): void => {
    const line = source.getLineAndCharacterOfPosition(node.getStart(source)).line + 1;
    found.push({ line, sentence });
  };
  const visit = (node: ts.Node): void => {
    const isAsync =
      node.kind === ts.SyntaxKind.AsyncKeyword ||
      ts.isAwaitExpression(node) ||
      (ts.isForOfStatement(node) && node.awaitModifier !== undefined);
    if (ring === 'pure' && isAsync) add(node, 'no `async` and no `await` in pure code');
    if (ts.isPropertyAccessExpression(node)) {
      const text = `${node.expression.getText(source)}.${node.name.text}`;
      if (FORBIDDEN_MEMBERS.has(text)) add(node, `no \`${text}\`: it is an argument`);
    }
    if (
      ts.isNewExpression(node) &&
      node.expression.getText(source) === 'Date' &&
      !node.arguments?.length
    )
      add(node, 'no `new Date()`: time is an argument');
    if (ts.isIdentifier(node) && FORBIDDEN_GLOBALS.has(node.text) && isGlobalUse(node))
      add(node, `no \`${node.text}\`: it is an argument`);
    ts.forEachChild(node, visit);
  };
  visit(source);
  return found;
}

/** The name is read as a variable, and not a member, a key, a parameter or a declaration of that name. */
function isGlobalUse(node: ts.Identifier): boolean {
  const parent = node.parent;
  if (ts.isPropertyAccessExpression(parent)) return parent.expression === node;
  if (ts.isTypeNode(parent) || ts.isTypeElement(parent) || ts.isClassElement(parent)) return false;
  if (ts.isPropertyAssignment(parent)) return parent.initializer === node;
  if (ts.isShorthandPropertyAssignment(parent) || ts.isBindingElement(parent)) return false;
  if (ts.isParameter(parent) || ts.isVariableDeclaration(parent))
    return parent.initializer === node;
  if (ts.isFunctionLike(parent) || ts.isImportSpecifier(parent) || ts.isExportSpecifier(parent))
    return false;
  return true;
}

/** Checks files, given as path under `src` → text. Pure; about 1 ms a file. */
export function checkRings(files: ReadonlyMap<string, string>): readonly Violation[] {
  const violations: Violation[] = [];
  for (const [file, text] of files) {
    const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2023, true);
    const ring = ringOf(file);
    if (ring === 'unknown')
      violations.push({ file, line: 1, sentence: 'this folder is in no ring of the design' });
    for (const found of importsOf(source)) {
      const sentence = judgeImport(file, found);
      if (sentence !== '') violations.push({ file, line: found.line, sentence });
    }
    if (ring === 'pure' || ring === 'engine')
      for (const found of impurities(source, ring)) violations.push({ file, ...found });
  }
  return violations;
}
