/** Text → documents whose values know where they stand. Nothing of a document is judged here. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseAllDocuments } from 'yaml';
import { nestsTooDeep, PARSER_DEPTH_MAX } from './depth.ts';
import { type CompileError, type CompileErrorCode, quote } from './errors.ts';
import type { CompileLimits } from './limits.ts';
import type { Located, LocatedEntry } from './located.ts';
import { yamlWayOut } from './yaml-hints.ts';

export interface PolicyFile {
  /** As it is shown in errors. */
  readonly path: string;
  readonly text: string;
}

export interface LoadedDocument {
  readonly file: string;
  readonly root: Located;
  /** Line and column, both from 1, of an offset. */
  position(offset: number): { readonly line: number; readonly column: number };
}

export interface Loaded {
  readonly documents: readonly LoadedDocument[];
  readonly errors: readonly CompileError[];
}

/** What stops the reading of one document. */
class Unreadable extends Error {
  readonly at: number;
  readonly code: CompileErrorCode;
  constructor(at: number, code: CompileErrorCode, message: string) {
    super(message);
    this.at = at;
    this.code = code;
  }
}

const TOO_DEEP = 'the values are nested too deep to be read; flatten the document';

type YamlDocument = ReturnType<typeof parseAllDocuments>[number];

/**
 * Reads one file: YAML 1.2 with any number of documents, or JSON (which YAML 1.2 contains).
 * Documents without content are skipped. Cost: linear in the text; aliases are expanded up to
 * `aliasNodesMax`.
 */
export function loadFile(file: PolicyFile, limits: CompileLimits): Loaded {
  const lines = new LineCounter();
  const position = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const errors: CompileError[] = [];
  const fail = (offset: number, code: CompileErrorCode, message: string) => {
    errors.push({ file: file.path, ...position(offset), code, message });
  };
  if (file.text.length > limits.fileCharsMax) {
    fail(
      0,
      'file_too_large',
      `the file has more than ${limits.fileCharsMax} characters; split it or raise \`fileCharsMax\``,
    );
    return { documents: [], errors };
  }
  if (nestsTooDeep(file.text, PARSER_DEPTH_MAX)) {
    fail(0, 'nesting_limit', TOO_DEEP);
    return { documents: [], errors };
  }
  const parsed = parseAllDocuments(file.text, {
    lineCounter: lines,
    prettyErrors: false,
    uniqueKeys: true,
    schema: 'core',
    version: '1.2',
  }) as readonly YamlDocument[];
  const documents: LoadedDocument[] = [];
  for (const document of parsed) {
    const problems = [...document.errors, ...document.warnings];
    let lost = false;
    for (const problem of problems) {
      const { code, message } = refusalOf(problem, file.text);
      // Behind a fault of its syntax the parser takes the rest of a document for something else, line by line.
      if (code === 'yaml_syntax' && lost) continue;
      lost ||= code === 'yaml_syntax';
      fail(problem.pos[0], code, message);
    }
    if (document.directives?.yaml.explicit && document.directives.yaml.version !== '1.2') {
      fail(0, 'yaml_version', 'only YAML 1.2 is read; remove the `%YAML` directive');
      continue;
    }
    if (problems.length > 0 || document.contents === null) continue;
    try {
      const root = locate(document, limits);
      if (root.kind === 'scalar' && root.value === null) continue;
      documents.push({ file: file.path, root, position });
    } catch (error) {
      if (!(error instanceof Unreadable)) throw error;
      fail(error.at, error.code, error.message);
    }
  }
  return { documents, errors };
}

/** The parser's own complaint in our words. Nesting that exhausts its stack is a complaint of its own. */
function refusalOf(
  { code, message, pos: [at] }: YamlDocument['errors'][number],
  text: string,
): { readonly code: CompileErrorCode; readonly message: string } {
  if (code === 'DUPLICATE_KEY') {
    return {
      code: 'duplicate_key',
      message: `the key ${quote(wordAt(text, at))} stands twice in this map; keep one`,
    };
  }
  if (code === 'RESOURCE_EXHAUSTION') {
    return { code: 'nesting_limit', message: TOO_DEEP };
  }
  const sentence = `${message.charAt(0).toLowerCase()}${message.slice(1)}`;
  return { code: 'yaml_syntax', message: `${sentence}; ${yamlWayOut(code, text, at)}` };
}

function wordAt(text: string, offset: number): string {
  return /^["']?([^\s:"'{}[\],]*)/.exec(text.slice(offset, offset + 200))?.[1] ?? '';
}

function locate(document: YamlDocument, limits: CompileLimits): Located {
  let aliasNodes = 0;
  const visit = (
    node: Node | null,
    fallbackAt: number,
    depth: number,
    inAlias: boolean,
  ): Located => {
    const at = node?.range?.[0] ?? fallbackAt;
    if (inAlias && (aliasNodes += 1) > limits.aliasNodesMax) {
      throw new Unreadable(
        at,
        'alias_limit',
        `aliases expand to more than ${limits.aliasNodesMax} nodes; write the values out`,
      );
    }
    if (depth > limits.nestingMax) {
      throw new Unreadable(
        at,
        'nesting_limit',
        `values are nested more than ${limits.nestingMax} deep; flatten the document`,
      );
    }
    if (node === null) return { kind: 'scalar', at, value: null };
    if (isAlias(node)) {
      const target = node.resolve(document);
      if (target === undefined) {
        throw new Unreadable(
          at,
          'alias_limit',
          `the alias ${quote(node.source)} has no anchor before it; a text that begins with \`*\` stands in quotes: ${quote(`"*${node.source}"`)}`,
        );
      }
      return visit(target as Node, at, depth + 1, true);
    }
    if (isMap(node)) {
      const entries: LocatedEntry[] = node.items.map((pair) => {
        const key = pair.key as Node | null;
        const keyAt = key?.range?.[0] ?? at;
        if (!isScalar(key) || key.value === null || typeof key.value === 'object') {
          throw new Unreadable(keyAt, 'yaml_syntax', 'a key must be a word; quote it');
        }
        return {
          key: typeof key.value === 'string' ? key.value : (key.source ?? String(key.value)),
          keyAt,
          value: visit(pair.value as Node | null, keyAt, depth + 1, inAlias),
        };
      });
      const seen = new Set<string>();
      for (const { key, keyAt } of entries) {
        // `1` and `"1"` are different keys to YAML and the same one to everybody else.
        if (seen.has(key)) {
          throw new Unreadable(
            keyAt,
            'duplicate_key',
            `the key ${quote(key)} stands twice in this map; keep one`,
          );
        }
        seen.add(key);
      }
      return { kind: 'map', at, entries };
    }
    if (isSeq(node)) {
      return {
        kind: 'list',
        at,
        items: node.items.map((item) => visit(item as Node | null, at, depth + 1, inAlias)),
      };
    }
    const value: unknown = isScalar(node) ? node.value : undefined;
    if (
      value === null ||
      typeof value === 'string' ||
      typeof value === 'number' ||
      typeof value === 'boolean'
    ) {
      return { kind: 'scalar', at, value };
    }
    throw new Unreadable(
      at,
      'yaml_syntax',
      'only text, numbers, booleans, maps and lists are read here; remove the tag',
    );
  };
  return visit(document.contents as Node | null, 0, 0, false);
}
