/** Names that say nothing about what is inside. */
const EMPTY_WORDS = new Set(['util', 'utils', 'helper', 'helpers', 'common', 'manager', 'misc']);

/** The parts of a path that contain such a word, at word boundaries (`-`, `_`, `.`, camelCase). */
export function emptyNames(path: string): readonly string[] {
  return path.split('/').filter((part) =>
    part
      .replace(/([a-z])([A-Z])/g, '$1-$2')
      .toLowerCase()
      .split(/[-_.]/)
      .some((word) => EMPTY_WORDS.has(word)),
  );
}

const HOSTS = ['registry', 'npmjs', 'pypi', 'pythonhosted', 'proxy.golang', 'deb.debian'];
const ENDINGS = ['org', 'com', 'io'];
const HOST = new RegExp(
  `\\b(${HOSTS.join('|').replaceAll('.', '\\.')})\\.(${ENDINGS.join('|')})\\b`,
  'i',
);
const MACHINE_PATH = /(^|[\s"'`(=:])\/(root|home\/\w+|Users\/\w+)\//;

/** What ties a text to one machine or one registry: the offending piece, or ''. */
export function machineTrace(text: string): string {
  return HOST.exec(text)?.[0] ?? MACHINE_PATH.exec(text)?.[0]?.trim() ?? '';
}
