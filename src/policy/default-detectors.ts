/** The detectors of `match/`, as the compiler asks for them. */
import { invisibleDetector } from '../match/invisible.ts';
import { keywordDetector } from '../match/keywords.ts';
import { piiDetector } from '../match/pii.ts';
import { regexDetector } from '../match/regex.ts';
import { secretDetector } from '../match/secrets.ts';
import type { Detectors } from './detectors.ts';

export const DETECTORS: Detectors = Object.freeze({
  keywords: keywordDetector,
  regex: regexDetector,
  pii: piiDetector,
  secrets: secretDetector,
  invisible: invisibleDetector,
});
