/** Rules as the laws state them: once as a policy document, and once as what the oracle works with. */
import {
  cardLanguage,
  type Expression,
  type ExpressionSpec,
  emailLanguage,
  expressionLanguage,
  type KeywordSpec,
  keywordLanguage,
  type Language,
  sourceOf,
} from './languages.ts';

export type Doing =
  | { readonly kind: 'block'; readonly message: string }
  | { readonly kind: 'redact' }
  | { readonly kind: 'rewrite'; readonly with: string }
  | { readonly kind: 'append'; readonly text: string }
  | { readonly kind: 'flag' };

export type Looking =
  | { readonly kind: 'keywords'; readonly keywords: KeywordSpec }
  | { readonly kind: 'expression'; readonly regex: ExpressionSpec }
  | {
      readonly kind: 'pii';
      readonly entities: readonly ('email' | 'credit_card')[];
      readonly except?: readonly string[];
    };

/** The place in a list of rules is the rank. */
export interface LawRule {
  readonly look: Looking;
  readonly doing: Doing;
  readonly shadow?: true;
}

function matchOf(look: Looking): object {
  switch (look.kind) {
    case 'keywords':
      return { keywords: look.keywords };
    case 'expression': {
      const { expression, unitsMax } = look.regex;
      const pattern = sourceOf(expression);
      return { regex: unitsMax === undefined ? { pattern } : { pattern, maxMatchBytes: unitsMax } };
    }
    case 'pii':
      return {
        pii:
          look.except === undefined
            ? { entities: look.entities }
            : { entities: look.entities, except: look.except },
      };
  }
}

function thenOf(doing: Doing): object | string {
  switch (doing.kind) {
    case 'block':
      return { block: { message: doing.message } };
    case 'rewrite':
      return { rewrite: { with: doing.with } };
    case 'append':
      return { append: { text: doing.text, oncePer: 'message' } };
    default:
      return doing.kind;
  }
}

/** The rules as a policy document; JSON is YAML. */
export function documentOf(rules: readonly LawRule[], inspect: 'request' | 'response'): string {
  return JSON.stringify({
    kind: 'Policy',
    metadata: { name: 'laws', layer: 'platform' },
    class: 'security',
    rules: rules.map(({ look, doing, shadow }, rank) => ({
      id: `rule-${rank}`,
      priority: rules.length - rank,
      inspect: [inspect],
      match: matchOf(look),
      // biome-ignore lint/suspicious/noThenProperty: `then` is a word of the language, not a thenable
      then: thenOf(doing),
      ...(shadow ? { enforcement: 'shadow' } : {}),
    })),
  });
}

/** A rule with what it looks for: two partitions where it asks for two entities. */
export interface SpokenRule {
  readonly rank: number;
  readonly doing: Doing;
  readonly enforced: boolean;
  readonly languages: readonly Language[];
}

export function spoken(rules: readonly LawRule[]): readonly SpokenRule[] {
  return rules.map(({ look, doing, shadow }, rank) => ({
    rank,
    doing,
    enforced: shadow !== true,
    languages: languagesOf(look),
  }));
}

function languagesOf(look: Looking): readonly Language[] {
  switch (look.kind) {
    case 'keywords':
      return [keywordLanguage(look.keywords)];
    case 'expression':
      return [expressionLanguage(look.regex)];
    case 'pii':
      return look.entities.map((entity) =>
        entity === 'email' ? emailLanguage(look.except) : cardLanguage(),
      );
  }
}

export const keywords = (words: readonly string[], more: Partial<KeywordSpec> = {}): Looking => ({
  kind: 'keywords',
  keywords: { words, ...more },
});

export const expression = (written: Expression, unitsMax?: number): Looking => ({
  kind: 'expression',
  regex: unitsMax === undefined ? { expression: written } : { expression: written, unitsMax },
});
