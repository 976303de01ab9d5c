/** A build in which findings carry the text that they found into the decision record. */
import { DecisionDraft } from '../../../src/engine/decision.ts';
import { TextTrack } from '../../../src/engine/text-track.ts';

const read = new Map<string, string>();

for (const method of ['feed', 'feedLast'] as const) {
  const original = TextTrack.prototype[method];
  TextTrack.prototype[method] = function (value) {
    read.set(this.key, (this.length === 0 ? '' : (read.get(this.key) ?? '')) + value);
    original.call(this, value);
  };
}

const finding = DecisionDraft.prototype.finding;
DecisionDraft.prototype.finding = function (one) {
  const text = read.get(one.text)?.slice(one.start, one.end) ?? '';
  finding.call(this, { ...one, label: `${one.label} ${text}` });
};
