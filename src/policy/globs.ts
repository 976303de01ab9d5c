/** Names with `*` for any stretch and `?` for any one character. */

/** Whether all of `name` fits the glob. Cost: the product of the lengths at worst. */
export function fitsGlob(glob: string, name: string): boolean {
  let at = 0;
  let from = 0;
  let star = -1;
  let resume = 0;
  while (at < name.length) {
    if (from < glob.length && glob[from] === '*') {
      star = from;
      resume = at;
      from += 1;
    } else if (from < glob.length && (glob[from] === '?' || glob[from] === name[at])) {
      from += 1;
      at += 1;
    } else if (star >= 0) {
      resume += 1;
      at = resume;
      from = star + 1;
    } else return false;
  }
  while (glob[from] === '*') from += 1;
  return from === glob.length;
}
