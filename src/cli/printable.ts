/** What came from elsewhere must not steer the terminal that shows it; line feeds stay. */
export function printable(text: string): string {
  return text.replace(/(?!\n)[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, '?');
}

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Text of an input on one line: what does not show, or would steer a terminal, as its escape. */
export function visible(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Cs}\p{Co}\p{Zl}\p{Zp}]/gu,
    (found) => SHORT[found] ?? `\\u{${found.codePointAt(0)!.toString(16)}}`,
  );
}
