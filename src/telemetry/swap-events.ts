/** What happens to what serves, as log lines and metrics. */
import type { ControllerEvent } from '../engine/controller.ts';
import type { Log } from './log.ts';
import type { Metrics } from './metrics.ts';

/** What the controller tells, as metrics and log lines. */
export function tellSwap(event: ControllerEvent, log: Log, metrics: Metrics): void {
  switch (event.kind) {
    case 'transition': {
      const { transition, epoch, to, evidence } = event.record;
      // The save that it lets in is told, and counted, by itself.
      if (transition === 'golden_override') {
        log.event('golden_overridden', { kind: transition, epoch, ...(to && { to }) });
        return;
      }
      const [name, kind] = TRANSITIONS[transition] ?? ['activated', 'activate'];
      log.event(name, { kind: transition, epoch, ...(to && { to }) });
      metrics.swap(kind, 'done');
      // One by the judge has evidence, and is counted by the metric that caused it.
      if (transition === 'rolled_back' && !evidence) metrics.rollback('operator');
      return;
    }
    case 'compile_failed':
      log.event('save_refused', { count: event.errors.length });
      metrics.swap('save', 'refused');
      return;
    case 'rolled_back':
      log.event('rolled_back', { metric: event.failed.trigger.metric });
      metrics.rollback(event.failed.trigger.metric);
      return;
    case 'failed':
      log.event('store_failed', { code: event.what });
      metrics.swap('save', 'failed');
      return;
    case 'served': {
      const { record } = event;
      const { blue, rollout, waiting } = record;
      log.event(blue ? 'serving' : 'not_serving', {
        epoch: record.epoch,
        ...(blue && { digest: blue.digest }),
      });
      metrics.setGauges({
        epoch: record.epoch,
        canarySharePpm: rollout?.sharePpm ?? 0,
        quarantinedFiles: record.quarantined.length,
        sets: [
          ...(blue ? [{ digest: blue.digest, role: 'blue' as const }] : []),
          ...(rollout ? [{ digest: rollout.green.digest, role: 'green' as const }] : []),
          ...(waiting ? [{ digest: waiting.digest, role: 'waiting' as const }] : []),
        ],
      });
    }
  }
}

type SwapKind = Parameters<Metrics['swap']>[0];
type EventName = Parameters<Log['event']>[0];

const TRANSITIONS: Readonly<Record<string, readonly [EventName, SwapKind]>> = {
  activate: ['activated', 'activate'],
  emergency: ['emergency', 'emergency'],
  emergency_permanent: ['emergency', 'emergency'],
  emergency_expired: ['emergency_over', 'emergency'],
  rollout_started: ['rollout_started', 'canary'],
  share_changed: ['rollout_stage', 'stage'],
  promoted: ['promoted', 'promote'],
  rolled_back: ['rolled_back', 'rollback'],
  waiting: ['save_waits', 'save'],
  watch_ended: ['activated', 'stage'],
  recovered: ['booted_last_good', 'boot'],
};
